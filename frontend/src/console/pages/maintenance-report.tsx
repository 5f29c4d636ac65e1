import type { MaintenanceDetail } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { formatCount, formatTime } from '../../lib/format.ts'
import { Panel } from '../../ui/panel.tsx'
import { Fact, Facts } from '../parts/facts.tsx'
import { formatLength } from '../parts/format-length.ts'
import plain from '../parts/plain-list.module.css'

type Report = NonNullable<MaintenanceDetail['report']>

/** The post-maintenance report, as it wrote itself. */
export function MaintenanceReport({ report }: { report: Report }): ReactNode {
  const { window, durationMs, versions, deployments, mutedAlerts, requestsRefused, steps, deviations } = report
  return (
    <>
      <Panel title={t`Report`}>
        <Facts>
          <Fact name={t`Announced`}>{window.announced}</Fact>
          <Fact name={t`Actual`}>{window.actual}</Fact>
          <Fact name={t`Took`}>{formatLength(durationMs)}</Fact>
          <Fact name={t`Release`}>
            {versions.before === versions.after
              ? (versions.after ?? t`not known`)
              : `${versions.before ?? t`not known`} → ${versions.after ?? t`not known`}`}
          </Fact>
          <Fact name={t`Deployments`}>
            {deployments.map(({ tag, state }) => `${tag} (${state})`).join(', ') || t`none`}
          </Fact>
          <Fact name={t`Requests refused`}>
            {requestsRefused === null ? t`not known` : formatCount(requestsRefused)}
          </Fact>
          <Fact name={t`Alerts held back`}>{mutedAlerts.join(', ') || t`none`}</Fact>
          <Fact name={t`Deviations`}>{deviations.length === 0 ? t`none` : <Deviations texts={deviations} />}</Fact>
        </Facts>
      </Panel>
      <Panel title={t`Steps`}>
        <ul className={plain.list}>
          {steps.map(({ at, what, message }) => (
            <li key={`${at} ${what}`}>
              <span>
                {what}: {message}
              </span>
              <span>
                <time dateTime={at}>{formatTime(at)}</time>
              </span>
            </li>
          ))}
        </ul>
      </Panel>
    </>
  )
}

function Deviations({ texts }: { texts: readonly string[] }): ReactNode {
  return (
    <ul>
      {texts.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  )
}
