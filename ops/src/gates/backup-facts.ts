import { existsSync } from 'node:fs'
import path from 'node:path'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import pg from 'pg'
import { latestBackup } from '../backup/backup-store.ts'
import type { Environment } from '../environments/environment.ts'
import type { Store } from '../store.ts'
import type { BackupFacts } from './gate-deps.ts'

/** The newest whole backup of an environment, and what its database says of the newest migration. */
export async function readBackupFacts(store: Store, environment: Environment): Promise<BackupFacts> {
  const newestMigration = await readNewestMigration(environment)
  if (newestMigration === 'no-database') {
    return { state: 'nothing-to-back-up', because: `${environment.name} has no database yet: nothing can be lost` }
  }
  const newest = latestBackup(store, environment.name)
  if (!newest) return { state: 'none', because: `there is no whole backup of ${environment.name}` }
  const { facts, ...backup } = newest
  if (!existsSync(backup.folder)) return { state: 'none', because: `the folder of backup ${backup.id} is gone` }
  return { state: 'found', backup, hash: facts.manifestSha256 ?? '', newestMigration }
}

type NewestMigration = { label: string; appliedAt: string } | null

async function readNewestMigration(environment: Environment): Promise<NewestMigration | 'no-database'> {
  const connectionString = environment.databaseUrl ?? builtInDatabase(environment)
  if (connectionString === null) return 'no-database'
  const client = new pg.Client({ connectionString, application_name: 'dam: gates', connectionTimeoutMillis: 5_000 })
  await client.connect()
  try {
    const there = await client.query<{ found: string | null }>(
      "select to_regclass('public.schema_migration')::text as found",
    )
    if (!there.rows[0]?.found) return null
    const { rows } = await client.query<{ app: string; number: number; name: string; applied_at: Date }>(
      'select app, number, name, applied_at from public.schema_migration order by applied_at desc limit 1',
    )
    const newest = rows[0]
    return newest
      ? { label: `${newest.app} ${newest.number} ${newest.name}`, appliedAt: newest.applied_at.toISOString() }
      : null
  } finally {
    await client.end()
  }
}

function builtInDatabase({ name, dataDir }: Environment): string | null {
  const running = describeRunningPostgres(dataDir)
  if (running?.ready) return running.connectionString
  if (!existsSync(path.join(dataDir, 'postgres/cluster'))) return null
  throw new Error(`the database of ${name} does not run, so its newest migration is not known. Start it: ./dam host up`)
}
