import type { SystemHealth } from '@dam/contract/types'
import { plural, t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { api, messageOf } from '../../lib/api.ts'
import { formatAgo, formatBytes, formatCount, formatWait } from '../../lib/format.ts'
import { showToast } from '../../lib/toasts.ts'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Loading } from '../../ui/loading.tsx'
import { Panel } from '../../ui/panel.tsx'
import styles from './health-report.module.css'

const refreshMs = 5000

export function HealthReport(): ReactNode {
  const health = useQuery({
    queryKey: ['health'],
    queryFn: async ({ signal }) => (await api('getSystemHealth', {}, { signal })).data,
    refetchInterval: refreshMs,
  })
  if (health.error && !health.data) return <p role="alert">{health.error.message}</p>
  if (!health.data) return <Loading />
  return <Report health={health.data} />
}

function Report({ health }: { health: SystemHealth }): ReactNode {
  const now = Date.now()
  const { storage, queue } = health
  const used = storage.total_bytes === 0 ? 0 : 1 - storage.free_bytes / storage.total_bytes
  const words = { healthy: t`Everything works`, degraded: t`Works, with limits`, unhealthy: t`Not working` }
  return (
    <>
      <div className={styles.state} data-status={health.status} role="status">
        <Icon name={health.status === 'healthy' ? 'check' : 'warning'} size={22} />
        <strong>{words[health.status]}</strong>
        <span>{t`Version ${health.version}`}</span>
      </div>
      <div className={styles.figures}>
        <Figure label={t`Assets`} value={formatCount(storage.assets)} note={formatBytes(storage.asset_bytes)} />
        <Figure label={t`In the trash`} value={formatCount(storage.trash)} />
        <Figure
          label={t`Waiting to be processed`}
          value={formatCount(queue.waiting)}
          note={queue.waiting > 0 ? t`oldest ${formatWait(queue.oldest_seconds)}` : undefined}
        />
        <Figure label={t`Being processed`} value={formatCount(queue.running)} />
        <Figure
          label={t`Failed jobs`}
          value={formatCount(queue.failed)}
          tone={queue.failed > 0 ? 'danger' : undefined}
        />
      </div>
      <Panel title={t`Storage`}>
        <div className={styles.disk} role="img" aria-label={t`${Math.round(used * 100)} % of the disk is used`}>
          <span style={{ inlineSize: `${used * 100}%` }} data-full={used > 0.85 || undefined} />
        </div>
        <p
          className={styles.note}
        >{t`${formatBytes(storage.free_bytes)} free of ${formatBytes(storage.total_bytes)}`}</p>
        <p className={styles.note}>
          <code>{storage.path}</code>
        </p>
      </Panel>
      <Panel title={t`Parts`}>
        <ul className={styles.parts}>
          <Part
            ok={health.database.status === 'connected'}
            name={t`Database`}
            note={[
              health.database.version && `PostgreSQL ${health.database.version}`,
              ...Object.entries(health.database.pool).map(([key, value]) => `${key} ${value}`),
            ]
              .filter(Boolean)
              .join(' · ')}
          />
          <Part
            ok={health.cache.status === 'connected'}
            name={t`Cache`}
            note={health.cache.kind === 'redis' ? 'Redis' : t`in the process`}
          />
          <Part
            ok={health.workers.length > 0}
            name={plural(health.workers.length, { one: '# worker', other: '# workers' })}
            note={
              health.workers.map((worker) => t`started ${formatAgo(worker.started_at, now)}`).join(' · ') ||
              t`No worker runs: uploads are stored but not processed. Start ./dam up.`
            }
          />
        </ul>
      </Panel>
      <Panel
        title={t`Tools`}
        description={t`What is missing limits which files get previews and metadata; nothing else depends on it.`}
      >
        <ul className={styles.parts}>
          {health.capabilities.map((capability) => (
            <Part
              key={capability.name}
              ok={capability.available}
              name={capability.name}
              version={capability.version}
              note={capability.enables}
              install={capability.available ? null : capability.install}
            />
          ))}
        </ul>
      </Panel>
    </>
  )
}

function Figure({
  label,
  value,
  note,
  tone,
}: {
  label: string
  value: string
  note?: string | undefined
  tone?: 'danger' | undefined
}): ReactNode {
  return (
    <div className={styles.figure} data-tone={tone}>
      <span>{label}</span>
      <strong>{value}</strong>
      <span className={styles.figureNote}>{note}</span>
    </div>
  )
}

function Part({
  ok,
  name,
  version,
  note,
  install,
}: {
  ok: boolean
  name: string
  version?: string | null
  note: string
  install?: string | null
}): ReactNode {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(install ?? '')
      showToast({ tone: 'success', message: t`Command copied` })
    } catch (error) {
      showToast({ tone: 'danger', message: t`The browser did not allow copying`, detail: messageOf(error) })
    }
  }
  return (
    <li data-ok={ok}>
      <Icon name={ok ? 'check' : 'warning'} size={18} />
      <span className={styles.partText}>
        <strong>
          {name} {version && <span className={styles.note}>{version}</span>}
        </strong>
        <span className={styles.note}>{note}</span>
        {install && (
          <span className={styles.install}>
            <code>{install}</code>
            <IconButton icon="copy" size={15} label={t`Copy the command`} tip="end" onClick={() => void copy()} />
          </span>
        )}
      </span>
      <span className="visually-hidden">{ok ? t`works` : t`missing`}</span>
    </li>
  )
}
