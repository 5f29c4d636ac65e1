import { setTimeout as sleep } from 'node:timers/promises'
import { readHeartbeat } from './heartbeat-file.ts'
import { claimOutage, endOutage, noteTold, type Outage, readOutage } from './outage-file.ts'

export type HeartbeatWatch = {
  /** Of the operations' store. */
  folder: string
  /** Pages without the engine and its outbox; resolves to the destinations that took it. */
  tell: (outage: Outage & { isOver: boolean }) => Promise<string[]>
  /** Called when the heartbeat stops, once an outage, by every watcher, while it pages: to end a process that hangs. */
  onSilent?: () => void | Promise<void>
  say: (message: string) => void
  lateMs?: number
  pollMs?: number
}

/** Less than the minute within which somebody must know, more than three beats. */
const lateAfterMs = 55_000

/**
 * The dead-man's switch: watches that the engine's heartbeat changes, and pages directly when it does not. Several processes may watch
 * one folder; one of them tells, once an outage, and one tells of the end. Measured by a clock that nobody sets: what counts is that the
 * file changes, not what time it says. A watcher that was stopped itself begins to count anew.
 */
export function watchHeartbeat(watch: HeartbeatWatch): AsyncDisposable {
  const { folder, say } = watch
  const lateMs = watch.lateMs ?? lateAfterMs
  const pollMs = watch.pollMs ?? 1_000
  const stop = new AbortController()
  let seen = readHeartbeat(folder)
  let changedAt = performance.now()
  let lookedAt = changedAt
  let isSilent = false
  let tryAgainAt = 0

  const tell = async (outage: Outage, isOver: boolean): Promise<string[]> => {
    try {
      return await watch.tell({ ...outage, isOver })
    } catch (error) {
      say(`paging about the engine failed: ${error instanceof Error ? error.message : String(error)}`)
      return []
    }
  }

  const beat = async (): Promise<void> => {
    if (isSilent) say('the engine of operations beats again')
    isSilent = false
    const over = readOutage(folder) === null ? null : endOutage(folder)
    if (over === null) return
    if (over.told.length > 0) await tell(over, true)
  }

  const silence = async (now: number): Promise<void> => {
    const since = new Date(Date.now() - (now - changedAt)).toISOString()
    if (!isSilent) {
      isSilent = true
      say(
        `no heartbeat of the engine of operations for ${Math.round((now - changedAt) / 1_000)} s: it is dead, hangs, or owes calls; paging without it`,
      )
      await Promise.all([watch.onSilent?.(), page(now, since)])
    } else await page(now, since)
  }

  const page = async (now: number, since: string): Promise<void> => {
    if (now < tryAgainAt || !claimOutage(folder, { since, told: [] })) return
    const told = await tell({ since, told: [] }, false)
    say(told.length > 0 ? `paged through ${told.join(', ')}` : 'no destination took the page; trying again in a minute')
    tryAgainAt = now + 60_000
    // It may have come back while we told.
    if (told.length > 0) noteTold(folder, { since, told })
  }

  const look = async (): Promise<void> => {
    const now = performance.now()
    if (now - lookedAt > Math.max(10_000, 5 * pollMs)) changedAt = now
    const heartbeat = readHeartbeat(folder)
    if (heartbeat !== seen) {
      seen = heartbeat
      changedAt = now
      await beat()
    } else if (now - changedAt > lateMs) await silence(now)
    lookedAt = performance.now()
  }

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await look()
      } catch (error) {
        say(`watching the engine failed: ${error instanceof Error ? error.message : String(error)}`)
      }
      await sleep(pollMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await running
    },
  }
}
