import type { Store } from '../../store.ts'

export type DrillReport = {
  phasesMs: Partial<Record<'examine' | 'restore' | 'compare' | 'originals' | 'boot' | 'downloads' | 'all', number>>
  tables: number
  rows: number
  unequalTables: string[]
  databaseBytes: number
  originals: { known: number; sampled: number; missing: number; damaged: number }
  downloads: { asked: number; right: number }
  message: string
}

export type Drill = {
  id: number
  environment: string
  backupId: string | null
  state: 'running' | 'passed' | 'failed'
  startedAt: string
  endedAt: string | null
  report: Partial<DrillReport>
}

type Row = Omit<Drill, 'report'> & { report: string }

/** Newest first. */
export const listDrills = (store: Store, environment?: string): Drill[] =>
  store
    .rows<Row>(
      `select id, environment, backup_id as backupId, state, started_at as startedAt, ended_at as endedAt, report from drill
       where kind = 'restore' and (? = '' or environment = ?) order by id desc limit 200`,
      environment ?? '',
      environment ?? '',
    )
    .map((row) => ({ ...row, report: JSON.parse(row.report) as Partial<DrillReport> }))

/** One that still says it runs although its process is gone has failed. */
export const startDrill = (store: Store, drill: { environment: string; backupId: string | null; now: Date }): number =>
  store.transaction(() => {
    store.run(
      `update drill set state = 'failed', ended_at = ?, report = json_set(report, '$.message', 'It was interrupted.')
       where state = 'running' and kind = 'restore' and environment = ?`,
      drill.now.toISOString(),
      drill.environment,
    )
    return store.insert(
      `insert into drill (kind, environment, backup_id, state, started_at) values ('restore', ?, ?, 'running', ?)`,
      drill.environment,
      drill.backupId,
      drill.now.toISOString(),
    )
  })

export const endDrill = (store: Store, id: number, state: 'passed' | 'failed', report: DrillReport, now: Date): void =>
  void store.run(
    'update drill set state = ?, ended_at = ?, report = ? where id = ?',
    state,
    now.toISOString(),
    JSON.stringify(report),
    id,
  )
