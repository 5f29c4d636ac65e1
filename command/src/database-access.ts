import { mkdirSync } from 'node:fs'
import type { Config } from '@dam/backend/src/config.ts'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import { startPostgres } from '@dam/platform/postgres/start'

/**
 * Runs `work` with the connection string of DAM's database: the external one, the built-in one that runs now, or the
 * built-in one started for the moment.
 */
export async function withDatabase<T>(config: Config, work: (connectionString: string) => Promise<T>): Promise<T> {
  if (config.databaseUrl) return work(config.databaseUrl.reveal())
  const running = describeRunningPostgres(config.dataDir)
  if (running?.ready) return work(running.connectionString)
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 })
  await using postgres = await startPostgres({
    dataDir: config.dataDir,
    log: { info: () => undefined, warn: console.error },
  })
  return await work(postgres.connectionString)
}
