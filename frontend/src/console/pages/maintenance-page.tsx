import type { MaintenanceWindowView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { Link } from '../../lib/navigation.ts'
import { Button } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'
import { Panel } from '../../ui/panel.tsx'
import { read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import rows from '../parts/rows.module.css'
import { Status } from '../parts/status.tsx'
import { PlanWindowDialog } from './plan-window-dialog.tsx'
import { noticeWords, spanWords, windowWords } from './maintenance-words.ts'

export default function MaintenancePage(): ReactNode {
  const windows = useQuery(read('maintenance', 'listMaintenance', {}))
  const mayPlan = useMay('operator')
  const [isPlanning, setPlanning] = useState(false)
  return (
    <ConsolePage
      title={t`Maintenance`}
      lead={
        <>
          {t`Windows of the policy are planned 60 days ahead. Users are told before, when it begins, changes and ends.`}{' '}
          <a href="/api/ops/v1/maintenance-calendar.ics">{t`Calendar feed`}</a>
        </>
      }
      tools={
        mayPlan && (
          <Button look="primary" icon="calendar" onClick={() => setPlanning(true)}>
            {t`Plan a window…`}
          </Button>
        )
      }
    >
      <Answer query={windows}>
        {({ coming, past }) => (
          <>
            {coming.length === 0 ? (
              <Notice icon="calendar" level={2} title={t`No window is planned`} message={t`The policy has none.`} />
            ) : (
              <WindowRows windows={coming} />
            )}
            {past.length > 0 && (
              <Panel title={t`Past windows`}>
                <WindowRows windows={past} />
              </Panel>
            )}
          </>
        )}
      </Answer>
      {isPlanning && <PlanWindowDialog moved={null} onClose={() => setPlanning(false)} />}
    </ConsolePage>
  )
}

function WindowRows({ windows }: { windows: readonly MaintenanceWindowView[] }): ReactNode {
  return (
    <ul className={rows.rows}>
      {windows.map((window) => {
        const { word, tone } = windowWords(window.state)
        const includes = window.absorbed.join(', ')
        return (
          <li key={window.id}>
            <Link to={`/maintenance/${window.id}`} className={rows.row}>
              <span className={rows.main}>
                <strong>{spanWords(window)}</strong>
                <Status tone={tone}>{word}</Status>
              </span>
              <span className={rows.note}>
                <bdi>{window.name}</bdi>
                {includes && ` (${t`includes ${includes}`})`} · {window.environment}
              </span>
              <span className={rows.side}>{window.state === 'scheduled' ? noticeWords(window) : ''}</span>
            </Link>
          </li>
        )
      })}
    </ul>
  )
}
