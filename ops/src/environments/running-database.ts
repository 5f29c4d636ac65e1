import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import type { Environment } from './environment.ts'

/** Connection string of an environment's database; null: its built-in PostgreSQL does not run. */
export function runningDatabaseUrl({
  databaseUrl,
  dataDir,
}: Pick<Environment, 'databaseUrl' | 'dataDir'>): string | null {
  if (databaseUrl !== null) return databaseUrl
  const running = describeRunningPostgres(dataDir)
  return running?.ready ? running.connectionString : null
}
