import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { sql, type Database } from '@dam/platform/database'

const renewEveryMs = 5_000
const expiresAfterSeconds = 20

export type Lease = { stop(): Promise<void> }

/**
 * Keeps the row that says this worker lives, and frees the jobs of workers that do not: at once when their process on this machine is
 * gone, else when they have not renewed for 20 seconds. graphile-worker alone would wait four hours.
 */
export async function holdLease(
  database: Database,
  workerId: string,
  onError: (error: unknown) => void,
): Promise<Lease> {
  const renew = async (): Promise<void> => {
    const used = process.cpuUsage()
    const stats = JSON.stringify({ rssBytes: process.memoryUsage.rss(), cpuSeconds: (used.user + used.system) / 1e6 })
    await database.run(sql`
      insert into worker_lease (worker_id, host, pid, stats) values (${workerId}, ${hostname()}, ${process.pid}, ${stats}::jsonb)
      on conflict (worker_id) do update set renewed_at = now(), stats = excluded.stats`)
    await freeJobsOfTheDead(database)
  }
  await renew()
  const timer = setInterval(() => {
    renew().catch(onError)
  }, renewEveryMs)
  return {
    stop: async () => {
      clearInterval(timer)
      await database.run(sql`delete from worker_lease where worker_id = ${workerId}`)
    },
  }
}

async function freeJobsOfTheDead(database: Database): Promise<void> {
  const neighbours = await database.rows<{ workerId: string; pid: number }>(sql`
    select worker_id as "workerId", pid from worker_lease where host = ${hostname()} and pid <> ${process.pid}`)
  const gone = neighbours
    .filter(({ pid }) => !existsSync(`/proc/${pid}`) && existsSync('/proc/self'))
    .map(({ workerId }) => workerId)
  await database.run(sql`
    delete from worker_lease where worker_id = any(${gone}) or renewed_at < now() - make_interval(secs => ${expiresAfterSeconds})`)
  await database.run(sql`
    select graphile_worker.force_unlock_workers(array(
      select distinct locked_by from graphile_worker._private_jobs
      where locked_by is not null and not exists (select 1 from worker_lease where worker_id = locked_by)
        and (locked_by = any(${gone}) or locked_at < now() - make_interval(secs => ${expiresAfterSeconds}))))`)
}
