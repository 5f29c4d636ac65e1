import { mkdirSync } from 'node:fs'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import { startPostgres } from '@dam/platform/postgres/start'
import type { Environment } from '../environments/environment.ts'

/** Runs `work` with the database of an environment: the external one, the built-in one that runs, or the built-in one started for the moment. */
export async function withEnvironmentDatabase<T>(
  environment: Environment,
  work: (connectionString: string) => Promise<T>,
): Promise<T> {
  if (environment.databaseUrl !== null) return work(environment.databaseUrl)
  const running = describeRunningPostgres(environment.dataDir)
  if (running?.ready) return work(running.connectionString)
  mkdirSync(environment.dataDir, { recursive: true, mode: 0o700 })
  await using postgres = await startPostgres({
    dataDir: environment.dataDir,
    log: { info: () => undefined, warn: () => undefined },
  })
  return await work(postgres.connectionString)
}
