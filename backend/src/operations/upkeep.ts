import type { Log } from '@dam/platform/log'

export type Chore = { name: string; everyMinutes: number; run: () => Promise<unknown> }

/** Runs each chore soon after the start and then at its interval, one at a time; a failure is logged and tried again next time. */
export function startUpkeep(chores: readonly Chore[], log: Log): { stop(): Promise<void> } {
  let stopped = false
  let turn: Promise<void> = Promise.resolve()
  const timers = new Set<NodeJS.Timeout>()

  const schedule = (chore: Chore, delayMs: number): void => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      turn = turn.then(async () => {
        if (stopped) return
        try {
          await chore.run()
        } catch (error) {
          log.warn('a chore failed; it runs again at its next time', { chore: chore.name, error })
        }
        if (!stopped) schedule(chore, chore.everyMinutes * 60_000)
      })
    }, delayMs)
    timers.add(timer)
  }
  chores.forEach((chore, n) => schedule(chore, 2_000 + n * 500))
  return {
    stop: async () => {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
      await turn
    },
  }
}
