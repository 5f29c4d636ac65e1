import { t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link } from '../../lib/navigation.ts'
import { buttonClass } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Notice } from '../../ui/notice.tsx'
import { read, sessionOptions } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { useSearch } from '../lib/use-search.ts'
import { ChooseEnvironment } from '../parts/choose-environment.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { DeploymentRows } from '../parts/deployment-rows.tsx'

export default function DeploymentsPage(): ReactNode {
  const [environment] = useSearch('environment')
  const isHosted = useQuery(sessionOptions).data?.isHosted ?? false
  const mayDeploy = useMay('operator')
  const deployments = useQuery(read('deployments', 'listDeployments', { query: environment ? { environment } : {} }))
  return (
    <ConsolePage
      title={t`Deployments`}
      tools={
        <>
          <ChooseEnvironment all />
          {isHosted && mayDeploy && (
            <Link to="/deploy" className={buttonClass('primary')}>
              <Icon name="ship" size={18} />
              {t`Deploy a release`}
            </Link>
          )}
        </>
      }
    >
      <Answer query={deployments}>
        {({ results }) =>
          results.length > 0 ? (
            <DeploymentRows deployments={results} />
          ) : isHosted ? (
            <Notice
              icon="ship"
              level={2}
              title={t`Nothing has been deployed yet`}
              message={t`A deployment passes its gates, backs up, starts beside the old release, and is judged while it serves.`}
            />
          ) : (
            <Notice
              icon="ship"
              level={2}
              title={t`This is a DAM without a host`}
              message={
                <>
                  {t`Deployments and rollbacks need a prepared host:`} <code>./dam host init</code>
                </>
              }
            />
          )
        }
      </Answer>
    </ConsolePage>
  )
}
