import { sql, type Database, type Querier } from '@dam/platform/database'

export type QueueState = { waiting: number; running: number; failed: number; oldestSeconds: number }

/** Reads graphile-worker's tables: what waits and is due, what runs, what gave up. */
export async function queueState(db: Querier): Promise<QueueState> {
  const row = await db.row<QueueState>(sql`
    select count(*) filter (where locked_at is null and attempts < max_attempts) as waiting,
      count(*) filter (where locked_at is not null) as running,
      count(*) filter (where locked_at is null and attempts >= max_attempts) as failed,
      coalesce(extract(epoch from now() - min(run_at) filter (where locked_at is null and attempts < max_attempts and run_at <= now())), 0)::float8 as "oldestSeconds"
    from graphile_worker._private_jobs`)
  return row ?? { waiting: 0, running: 0, failed: 0, oldestSeconds: 0 }
}

export type WorkerState = {
  id: string
  host: string
  pid: number
  startedAt: Date
  renewedAt: Date
  rssBytes: number
  cpuSeconds: number
}

export const liveWorkers = (db: Querier): Promise<WorkerState[]> =>
  db.rows<WorkerState>(sql`
    select 'worker-' || pid as id, host, pid, started_at as "startedAt", renewed_at as "renewedAt",
      coalesce((stats ->> 'rssBytes')::float8, 0) as "rssBytes", coalesce((stats ->> 'cpuSeconds')::float8, 0) as "cpuSeconds"
    from worker_lease where renewed_at > now() - interval '30 seconds' order by started_at`)

/** Frees the jobs of these pools at once and takes the attempt back. Returns how many. Only for a process that is about to end. */
export const handBackJobs = (database: Database, poolIds: readonly string[]): Promise<number> =>
  database.transaction(async (tx) => {
    const jobs = await tx.run(sql`
      update graphile_worker._private_jobs set attempts = greatest(attempts - 1, 0) where locked_by = any(${poolIds})`)
    await tx.run(sql`select graphile_worker.force_unlock_workers(${poolIds}::text[])`)
    await tx.run(sql`select pg_notify('jobs:insert', ${JSON.stringify({ count: jobs })})`)
    return jobs
  })
