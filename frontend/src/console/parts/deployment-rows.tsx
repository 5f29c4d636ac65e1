import type { DeploymentSummary } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { Link } from '../../lib/navigation.ts'
import rows from './rows.module.css'
import { Status } from './status.tsx'
import { When } from './when.tsx'
import { deploymentWords } from './words.ts'

export function DeploymentRows({ deployments }: { deployments: readonly DeploymentSummary[] }): ReactNode {
  return (
    <ul className={rows.rows}>
      {deployments.map((deployment) => {
        const { word, tone } = deploymentWords(deployment.state)
        return (
          <li key={deployment.id}>
            <Link to={`/deployments/${deployment.id}`} className={rows.row}>
              <span className={rows.main}>
                <strong>
                  {deployment.kind === 'rollback'
                    ? t`Rollback of ${deployment.environment} to ${deployment.tag}`
                    : t`${deployment.tag} to ${deployment.environment}`}
                </strong>
                <Status tone={tone}>{word}</Status>
              </span>
              <span className={rows.note}>{deployment.because || t`asked for by ${deployment.requestedBy}`}</span>
              <span className={rows.side}>
                <When at={deployment.requestedAt} />
              </span>
            </Link>
          </li>
        )
      })}
    </ul>
  )
}
