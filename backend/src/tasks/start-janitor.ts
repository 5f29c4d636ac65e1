import { sweepBlobs, sweepIncoming, usualLimits, type JanitorDeps } from './janitor.ts'

const watchEveryMs = 15_000
const sweepEveryMs = 60 * 60_000
const compareEveryMs = 24 * 60 * 60_000
const firstCompareAfterMs = 5 * 60_000

/** Sweeps at once and every hour, compares rows and originals every day, and says so when the disk of originals goes away or comes back. */
export function startJanitor(deps: JanitorDeps): AsyncDisposable {
  let running: Promise<void> = Promise.resolve()
  let stopped = false
  const run = (name: string, work: () => Promise<unknown>): void => {
    running = running.then(async () => {
      if (stopped) return
      try {
        await work()
      } catch (error) {
        deps.log.error(`the janitor could not ${name}`, { error })
      }
    })
  }
  const sweep = (): void => run('sweep incoming files', () => sweepIncoming(deps, usualLimits))
  const compare = (): void => run('compare originals with the database', () => sweepBlobs(deps, usualLimits))

  let wasMounted = true
  const watch = async (): Promise<void> => {
    const isMounted = await deps.blobs.isMounted()
    if (wasMounted && !isMounted)
      deps.log.error('the folder of originals is gone; uploads and downloads answer 503 until it is back', {
        folder: deps.blobs.folders.blobs,
        code: 'storage-unavailable',
      })
    if (!wasMounted && isMounted) deps.log.info('the folder of originals is back')
    wasMounted = isMounted
  }

  sweep()
  const timers = [
    setInterval(sweep, sweepEveryMs),
    setInterval(compare, compareEveryMs),
    setTimeout(compare, firstCompareAfterMs),
    setInterval(() => void watch(), watchEveryMs),
  ]
  for (const timer of timers) timer.unref()
  return {
    [Symbol.asyncDispose]: async () => {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
      await running
    },
  }
}
