import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@dam/platform/log'
import type { Worker } from './worker.ts'

const lookEveryMs = 1_000

/**
 * A worker that takes no jobs while `isPaused` says so: it is stopped, its running jobs end or are handed back, and a new one is started
 * afterwards. Paused from the beginning, it starts when that is over.
 */
export async function pauseWhile(
  isPaused: () => boolean,
  start: () => Promise<Worker>,
  log: Pick<Log, 'info'>,
): Promise<Worker> {
  const stopping = new AbortController()
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  let worker: Worker | null = null
  const begin = async (): Promise<void> => {
    const started = await start()
    worker = started
    // One that was stopped by us is not the one that works any more.
    started.ended.then(
      () => worker === started && resolve(),
      (error: unknown) => worker === started && reject(error as Error),
    )
  }
  if (!isPaused()) await begin()
  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      if (isPaused() && worker) {
        const paused: Worker = worker
        worker = null
        log.info('background jobs pause for maintenance')
        await paused.stop()
      } else if (!isPaused() && !worker) {
        await begin()
        log.info('background jobs go on')
      }
      await sleep(lookEveryMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }
  const watching = watch().catch((error: unknown) => reject(error as Error))
  return {
    ended,
    stop: async () => {
      stopping.abort()
      await watching
      const last = worker
      worker = null
      await last?.stop()
    },
  }
}
