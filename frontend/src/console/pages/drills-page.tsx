import type { DrillView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { formatDateTime } from '../../lib/format.ts'
import { formatLength } from '../parts/format-length.ts'
import { Button } from '../../ui/button.tsx'
import { Notice } from '../../ui/notice.tsx'
import { api, read } from '../lib/api.ts'
import { useMay } from '../lib/use-may.ts'
import { useSearch } from '../lib/use-search.ts'
import { ChooseEnvironment, useEnvironments } from '../parts/choose-environment.tsx'
import { CommandProgress } from '../parts/command-progress.tsx'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import rows from '../parts/rows.module.css'
import { Status } from '../parts/status.tsx'
import styles from './drills-page.module.css'

const promiseMs = 15 * 60_000

export default function DrillsPage(): ReactNode {
  const [environment] = useSearch('environment')
  const environments = useEnvironments()
  const target = environment || (environments?.[0]?.name ?? '')
  const drills = useQuery(read('drills', 'listDrills', { query: environment ? { environment } : {} }))
  const mayDrill = useMay('operator')
  const [action, setAction] = useState<number | null>(null)
  const start = useMutation({
    mutationFn: async () => (await api('startDrill', { body: { environment: target } })).data,
    onSuccess: (started) => setAction(started.action),
  })
  return (
    <ConsolePage
      title={t`Restore drills`}
      lead={t`A backup that was never restored is a hope. A drill restores the newest one aside, boots the application on it and reads it.`}
      tools={
        <>
          <ChooseEnvironment all />
          {mayDrill && target !== '' && (
            <Button look="primary" icon="restore" disabled={start.isPending} onClick={() => start.mutate()}>
              {t`Drill ${target} now`}
            </Button>
          )}
        </>
      }
    >
      {start.error && <p role="alert">{start.error.message}</p>}
      {action !== null && <CommandProgress action={action} />}
      <Answer query={drills}>
        {({ results }) =>
          results.length === 0 ? (
            <Notice
              icon="restore"
              level={2}
              title={t`No drill has been run yet`}
              message={t`It touches nothing of the live DAM.`}
            />
          ) : (
            <ul className={rows.rows}>
              {results.map((drill) => (
                <DrillRow key={drill.id} drill={drill} />
              ))}
            </ul>
          )
        }
      </Answer>
    </ConsolePage>
  )
}

function DrillRow({ drill }: { drill: DrillView }): ReactNode {
  const total = drill.endedAt === null ? null : Date.parse(drill.endedAt) - Date.parse(drill.startedAt)
  const message = drill.report['message']
  const phases = Object.entries(phasesOf(drill))
  return (
    <li className={rows.row}>
      <span className={rows.main}>
        <strong>{formatDateTime(drill.startedAt)}</strong>
        <Status tone={drill.state === 'passed' ? 'good' : drill.state === 'failed' ? 'bad' : 'running'}>
          {drill.state === 'passed' ? t`Passed` : drill.state === 'failed' ? t`Failed` : t`Running`}
        </Status>
        <span>{drill.environment}</span>
      </span>
      <span className={rows.note}>{typeof message === 'string' && message !== '' ? message : drill.backupId}</span>
      <span className={rows.side}>{total !== null && t`${formatLength(total)} of 15 min`}</span>
      {total !== null && (
        <div
          className={styles.bar}
          role="img"
          aria-label={t`${Math.round((100 * total) / promiseMs)} % of the promised time`}
        >
          {phases.map(([name, ms]) => (
            <span key={name} style={{ inlineSize: `${(100 * ms) / promiseMs}%` }} />
          ))}
        </div>
      )}
      {phases.length > 0 && (
        <ul className={styles.phases}>
          {phases.map(([name, ms]) => (
            <li key={name}>
              {phaseName(name)} <b>{formatLength(ms)}</b>
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}

function phasesOf(drill: DrillView): Record<string, number> {
  const phases = drill.report['phasesMs']
  if (typeof phases !== 'object' || phases === null) return {}
  return Object.fromEntries(
    Object.entries(phases).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number' && entry[0] !== 'all',
    ),
  )
}

const phaseName = (name: string): string =>
  ({
    examine: t`examine`,
    restore: t`restore`,
    compare: t`compare rows`,
    originals: t`read originals`,
    boot: t`boot`,
    downloads: t`download`,
  })[name] ?? name
