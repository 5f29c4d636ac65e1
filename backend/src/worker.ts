import { EventEmitter } from 'node:events'
import { Logger, run, type TaskList, type WorkerEvents } from 'graphile-worker'
import { runInContext } from '@dam/platform/context'
import type { Database } from '@dam/platform/database'
import type { Log } from '@dam/platform/log'
import { handBackJobs } from './operations/queue-store.ts'
import { holdLease, type Lease } from './operations/worker-lease.ts'

export type Worker = {
  /** Ends when running jobs are done; those that do not end in time are handed to another worker, as if they had not been begun. */
  stop(): Promise<void>
  /** Resolves when the worker stops by itself, which is a fault. */
  ended: Promise<void>
}

/** Leaves ten of the thirty seconds that a process has to stop. */
const usualHandBackAfterMs = 20_000

async function endsWithin(mostMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), mostMs)
  })
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
  }
}

/** Runs background jobs until stopped. Jobs of tasks that are not among `tasks` are left to workers of other releases. */
export async function startWorker(deps: {
  database: Database
  tasks: TaskList
  concurrency: number
  log: Log
  /** How long `stop` waits for running jobs. */
  handBackAfterMs?: number
}): Promise<Worker> {
  const { database, log } = deps
  const events = new EventEmitter() as WorkerEvents
  const leases: Promise<Lease>[] = []
  const poolIds: string[] = []
  events.on('pool:create', ({ workerPool }) => {
    poolIds.push(workerPool.id)
    leases.push(holdLease(database, workerPool.id, (error) => log.warn('worker lease not renewed', { error })))
  })
  const tasks: TaskList = Object.fromEntries(
    Object.entries(deps.tasks).map(([name, task]) => [
      name,
      (payload, helpers) => {
        const assetId =
          payload && typeof payload === 'object' && 'assetId' in payload ? Number(payload.assetId) : undefined
        return runInContext({ job_id: helpers.job.id, ...(assetId ? { asset_id: assetId } : {}) }, () =>
          task?.(payload, helpers),
        )
      },
    ]),
  )
  const runner = await run({
    pgPool: database.pool,
    taskList: tasks,
    concurrency: deps.concurrency,
    noHandleSignals: true,
    pollInterval: 2_000,
    events,
    logger: new Logger((scope) => (level, message, meta) => {
      if (level === 'error')
        log.error(message, {
          code: 'job-failed',
          task: scope.taskIdentifier,
          error: meta?.['error'] ?? meta?.['failures'],
        })
      else if (level === 'warning') log.warn(message, { task: scope.taskIdentifier })
    }),
    preset: {
      worker: {
        schema: 'graphile_worker',
        localQueue: { size: deps.concurrency * 2 },
        // Later than we wait: its way of giving up a job costs the job an attempt.
        gracefulShutdownAbortTimeout: 2 * usualHandBackAfterMs,
      },
    },
  })
  await Promise.all(leases)
  return {
    stop: async () => {
      const stopped = runner.stop()
      if (!(await endsWithin(deps.handBackAfterMs ?? usualHandBackAfterMs, stopped))) {
        stopped.catch((error: unknown) => log.warn('the job runner did not stop in order', { error }))
        const handedBack = await handBackJobs(database, poolIds)
        log.info('jobs that did not end in time go to another worker', { jobs: handedBack })
      }
      for (const lease of leases) await (await lease).stop().catch(() => undefined)
    },
    ended: runner.promise,
  }
}
