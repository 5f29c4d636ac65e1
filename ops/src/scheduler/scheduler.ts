import { hostname } from 'node:os'
import type { Log } from '@dam/platform/log'
import type { Store } from '../store.ts'
import { claimJob, finishJob, planJob } from './job-store.ts'

export type Job = {
  /** Such as `backup production`; what its row is called. */
  name: string
  /** The first moment after `after` at which it is due. One that was missed while nothing ran is done once, at the next start. */
  next: (after: Date) => Date
  /** Longest run; when a runner dies, another may take the job over this much later. */
  boundMs: number
  run: (input: { now: Date; signal: AbortSignal; log: Log }) => Promise<void>
}

const lookEveryMs = 1_000

/** Runs jobs when they are due, one runner of a job at a time across processes. What a job throws is its outcome and is logged. */
export function startScheduler(options: {
  store: Store
  jobs: readonly Job[]
  log: Log
  now: () => Date
}): AsyncDisposable {
  const { store, log } = options
  const runner = `${hostname()}/${process.pid}`
  const stopping = new AbortController()
  const underWay = new Map<string, Promise<void>>()
  for (const job of options.jobs) planJob(store, job.name, job.next(options.now()))

  const look = (): void => {
    for (const job of options.jobs) {
      if (underWay.has(job.name)) continue
      const now = options.now()
      if (!claimJob(store, { name: job.name, runner, now, boundMs: job.boundMs })) continue
      const running = runJob(job, now).finally(() => underWay.delete(job.name))
      underWay.set(job.name, running)
    }
  }
  const runJob = async (job: Job, now: Date): Promise<void> => {
    let outcome = 'ok'
    try {
      await job.run({ now, signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(job.boundMs)]), log })
    } catch (error) {
      outcome = error instanceof Error ? error.message : String(error)
      log.error(`scheduled job ${job.name} failed`, { error })
    }
    const endedAt = options.now()
    finishJob(store, { name: job.name, runner, dueAt: job.next(endedAt), outcome, now: endedAt })
  }
  const timer = setInterval(() => {
    try {
      look()
    } catch (error) {
      log.error('the scheduler cannot read its store', { error })
    }
  }, lookEveryMs)
  timer.unref()
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer)
      stopping.abort()
      await Promise.allSettled(underWay.values())
    },
  }
}

/** Due again this long after it ended. */
export const every =
  (ms: number) =>
  (after: Date): Date =>
    new Date(after.getTime() + ms)
