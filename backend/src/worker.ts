import { EventEmitter } from 'node:events'
import { Logger, run, type TaskList, type WorkerEvents } from 'graphile-worker'
import { runInContext } from '@dam/platform/context'
import type { Database } from '@dam/platform/database'
import type { Log } from '@dam/platform/log'
import { holdLease, type Lease } from './operations/worker-lease.ts'

export type Worker = {
  /** Ends when running jobs are done; those that do not end in time are tried again by the next worker. */
  stop(): Promise<void>
  /** Resolves when the worker stops by itself, which is a fault. */
  ended: Promise<void>
}

/** Runs background jobs until stopped. */
export async function startWorker(deps: {
  database: Database
  tasks: TaskList
  concurrency: number
  log: Log
}): Promise<Worker> {
  const { database, log } = deps
  const events = new EventEmitter() as WorkerEvents
  const leases: Promise<Lease>[] = []
  events.on('pool:create', ({ workerPool }) => {
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
        gracefulShutdownAbortTimeout: 10_000,
      },
    },
  })
  await Promise.all(leases)
  return {
    stop: async () => {
      await runner.stop()
      for (const lease of leases) await (await lease).stop().catch(() => undefined)
    },
    ended: runner.promise,
  }
}
