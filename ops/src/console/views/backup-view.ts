import type { BackupView, DrillView, RestorePlan } from '@dam/contract/ops-types'
import type { Store } from '../../store.ts'

type Page = { environment?: string | undefined; limit: number }

/** Newest first; those that retention deleted are left out. */
export const listBackups = (store: Store, { environment = '', limit }: Page): BackupView[] =>
  store
    .rows<Omit<BackupView, 'facts'> & { facts: string }>(
      `select id, environment, state, started_at as "startedAt", ended_at as "endedAt", size_bytes as "sizeBytes",
         schema_number as "schemaNumber", message, facts
       from backup where (? = '' or environment = ?) and state <> 'deleted' order by started_at desc limit ?`,
      environment,
      environment,
      limit,
    )
    .map((row) => ({ ...row, facts: JSON.parse(row.facts) as Record<string, unknown> }))

export const findBackupEnvironment = (store: Store, id: string): string | undefined =>
  store.row<{ environment: string }>('select environment from backup where id = ?', id)?.environment

/** Newest first. */
export const listDrills = (store: Store, { environment = '', limit }: Page): DrillView[] =>
  store
    .rows<Omit<DrillView, 'report'> & { report: string }>(
      `select id, kind, environment, backup_id as "backupId", state, started_at as "startedAt", ended_at as "endedAt", report
       from drill where kind = 'restore' and (? = '' or environment = ?) order by id desc limit ?`,
      environment,
      environment,
      limit,
    )
    .map((row) => ({ ...row, report: JSON.parse(row.report) as Record<string, unknown> }))

export const lastGoodBackupAt = (store: Store, environment: string): string | null =>
  store.row<{ at: string | null }>(
    `select max(coalesce(ended_at, started_at)) as at from backup where environment = ? and state in ('ok', 'verified')`,
    environment,
  )?.at ?? null

export const lastDrill = (store: Store, environment: string): { at: string; passed: boolean } | null => {
  const row = store.row<{ at: string; state: string }>(
    `select coalesce(ended_at, started_at) as at, state from drill where kind = 'restore' and environment = ? and state <> 'running' order by id desc limit 1`,
    environment,
  )
  return row ? { at: row.at, passed: row.state === 'passed' } : null
}

/** What a restore would bring back, and until when; undefined when there is no such backup. */
export function planRestore(store: Store, id: string, environment: string): RestorePlan | undefined {
  const backup = listBackups(store, { limit: 10_000 }).find((candidate) => candidate.id === id)
  if (!backup) return undefined
  const drill = store.row<{ startedAt: string; endedAt: string }>(
    `select started_at as "startedAt", ended_at as "endedAt" from drill
     where kind = 'restore' and environment = ? and state = 'passed' and ended_at is not null order by id desc limit 1`,
    backup.environment,
  )
  return {
    backup,
    environment,
    losesSince: backup.startedAt,
    predictedSeconds: drill ? (Date.parse(drill.endedAt) - Date.parse(drill.startedAt)) / 1000 : null,
  }
}
