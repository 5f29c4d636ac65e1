import type { DamEvent } from '@dam/contract'
import type { Database } from '@dam/platform/database'
import { lastEventSeq, numberEvents, readEvents } from './sequencer.ts'

export type Hub = {
  /** Calls `send` with each batch of events from now on, in order. */
  subscribe(send: (events: DamEvent[]) => void): () => void
  /** Highest number that was handed out. */
  last(): number
  subscribers(): number
  stop(): Promise<void>
}

/** Changes within this time travel together. */
const gatherMs = 40

/** Turns the database's wake-ups into numbered events for everybody who listens in this process. */
export async function openHub(database: Database, onError: (error: unknown) => void): Promise<Hub> {
  const listeners = new Set<(events: DamEvent[]) => void>()
  let last = 0
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let again = false
  let stopped = false

  const pump = async (): Promise<void> => {
    do {
      again = false
      await numberEvents(database)
      for (;;) {
        const events = await readEvents(database, last, 500)
        if (events.length === 0) break
        last = (events.at(-1) as DamEvent).seq
        for (const send of listeners) send(events)
      }
    } while (again && !stopped)
  }
  const wake = (): void => {
    if (stopped) return
    if (running) {
      again = true
      return
    }
    timer ??= setTimeout(() => {
      timer = undefined
      running = pump()
        .catch((error: unknown) => {
          onError(error)
          setTimeout(wake, 1_000).unref()
        })
        .finally(() => {
          running = undefined
        })
    }, gatherMs)
  }

  await numberEvents(database)
  last = await lastEventSeq(database)
  const unlisten = await database.listen('dam_event', wake)
  return {
    subscribe: (send) => {
      listeners.add(send)
      return () => listeners.delete(send)
    },
    last: () => last,
    subscribers: () => listeners.size,
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await unlisten()
      await running
    },
  }
}
