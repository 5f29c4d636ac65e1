import { Logger, runMigrations } from 'graphile-worker'
import { sql, type Querier } from './database.ts'

export type JobOptions = {
  /** Lower runs first: 0 what a person waits for, 50 background work. */
  priority?: number
  maxAttempts?: number
  /** Jobs of one queue run one after another. */
  queue?: string
  /** A waiting job with this key is replaced instead of joined by another. */
  key?: string
  runAt?: Date
}

/** Adds a job; inside a transaction it exists only if the transaction commits. Table and functions are graphile-worker's. */
export async function addJob(querier: Querier, task: string, payload: object, options: JobOptions = {}): Promise<void> {
  await querier.run(sql`
    select graphile_worker.add_job(
      ${task}, payload := ${JSON.stringify(payload)}::json, queue_name := ${options.queue ?? null},
      run_at := ${options.runAt ?? null}::timestamptz, max_attempts := ${options.maxAttempts ?? 3},
      job_key := ${options.key ?? null}, priority := ${options.priority ?? 0})`)
}

/** Creates or updates graphile-worker's own tables; safe to run at every start and from several processes at once. */
export async function migrateJobs(connectionString: string): Promise<void> {
  await runMigrations({ connectionString, logger: quiet, preset: { worker: { schema: 'graphile_worker' } } })
}

const quiet = new Logger(() => () => undefined)
