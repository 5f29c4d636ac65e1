import type { Store } from '../store.ts'
import type { Backup } from './backup.ts'

/** What predictions, metrics and retention need to know without reading the folder. */
export type BackupFacts = Partial<{
  kind: string
  release: string
  snapshotAt: string
  databaseBytes: number
  dumpBytes: number
  rows: number
  originals: number
  originalBytes: number
  missing: number
  tookMs: number
  manifestSha256: string
  verifiedAt: string
  /** Every byte was read; or it was restored in a drill, which reads the dump, every row and a sample of originals. */
  verifiedBy: 'reading' | 'drill'
  /** Where copies are, with the moment they were verified there. */
  copies: { target: string; at: string }[]
  /** Such as `deployment:12`; kept as long as it is set. */
  neededBy: string
}>

export type StoredBackup = Backup & { facts: BackupFacts }

type Row = {
  id: string
  environment: string
  state: Backup['state']
  started_at: string
  ended_at: string | null
  folder: string
  size_bytes: number
  schema_number: number
  facts: string
  message: string
}

const toBackup = (row: Row): StoredBackup => ({
  id: row.id,
  environment: row.environment,
  state: row.state,
  startedAt: row.started_at,
  endedAt: row.ended_at,
  folder: row.folder,
  sizeBytes: row.size_bytes,
  schemaNumber: row.schema_number,
  message: row.message,
  facts: JSON.parse(row.facts) as BackupFacts,
})

/** Newest first; `environment` leaves others out. */
export function listBackups(store: Store, environment?: string): StoredBackup[] {
  const rows =
    environment === undefined
      ? store.rows<Row>('select * from backup order by started_at desc, id desc')
      : store.rows<Row>('select * from backup where environment = ? order by started_at desc, id desc', environment)
  return rows.map(toBackup)
}

export function findBackup(store: Store, id: string): StoredBackup | undefined {
  const row = store.row<Row>('select * from backup where id = ?', id)
  return row && toBackup(row)
}

/** The newest one that is whole, as far as is known. */
export const latestBackup = (store: Store, environment: string): StoredBackup | undefined =>
  listBackups(store, environment).find(({ state }) => state === 'ok' || state === 'verified')

/** Adds the row or replaces it. */
export function saveBackup(store: Store, backup: StoredBackup): void {
  const { id, environment, state, startedAt, endedAt, folder, sizeBytes, schemaNumber, facts, message } = backup
  store.run(
    `insert into backup (id, environment, state, started_at, ended_at, folder, size_bytes, schema_number, facts, message)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (id) do update set state = excluded.state, ended_at = excluded.ended_at, folder = excluded.folder,
       size_bytes = excluded.size_bytes, schema_number = excluded.schema_number, facts = excluded.facts, message = excluded.message`,
    id,
    environment,
    state,
    startedAt,
    endedAt,
    folder,
    sizeBytes,
    schemaNumber,
    JSON.stringify(facts),
    message,
  )
}
