import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export type MemorySeen = {
  /** Proportional set size of the whole tree at each sample, bytes. */
  totals: number[]
  /** The same by role at the moment of the peak. */
  atPeak: Record<string, number>
}

/** Watches the memory of a process and everything below it until asked what was seen. */
export function watchMemory(rootPid: number, everyMs = 100): { stop(): Promise<MemorySeen> } {
  const child = fork(fileURLToPath(new URL('./memory-watch-main.ts', import.meta.url)), [
    String(rootPid),
    String(everyMs),
  ])
  return {
    stop: async () => {
      const answer = Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(([code]) =>
          Promise.reject(new Error(`The memory watch ended early (${String(code)}).`)),
        ),
      ])
      child.send('stop')
      const [seen] = (await answer) as [MemorySeen]
      if (seen.totals.length === 0) throw new Error('The memory watch saw nothing.')
      return seen
    },
  }
}
