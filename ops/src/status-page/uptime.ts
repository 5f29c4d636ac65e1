import { setImmediate as breathe } from 'node:timers/promises'
import { readSteps } from '../signals/sample-store.ts'
import type { Store } from '../store.ts'

export type UptimeDay = {
  /** UTC, `2026-03-01`. */
  day: string
  /** Share of the looked-at time in which the system answered; null: nobody looked. */
  up: number | null
  downSeconds: number
}

const dayMs = 86_400_000
export const uptimeDays = 90

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/**
 * Adds up what samples say of a UTC day. Samples are kept for 35 days, the sums for as long as the page shows; called every hour for
 * today and yesterday, and for days that were missed while the process did not run.
 */
export async function addUpUptime(store: Store, environment: string, now: Date): Promise<void> {
  const today = Math.floor(now.getTime() / dayMs) * dayMs
  for (let age = 34; age >= 0; age--) {
    const from = today - age * dayMs
    const isKnown = store.row('select 1 from uptime_day where environment = ? and day = ?', environment, dayOf(from))
    if (isKnown && age > 1) continue
    await breathe()
    let seenMs = 0
    let downMs = 0
    for (const { durationMs, sample } of readSteps(store, environment, from, from + dayMs)) {
      const up = sample.up.system
      if (up === undefined) continue
      seenMs += durationMs
      if (up < 1) downMs += durationMs
    }
    if (seenMs === 0) continue
    store.run(
      `insert into uptime_day (environment, day, seen_seconds, down_seconds) values (?, ?, ?, ?)
       on conflict (environment, day) do update set seen_seconds = excluded.seen_seconds, down_seconds = excluded.down_seconds`,
      environment,
      dayOf(from),
      Math.round(seenMs / 1_000),
      Math.round(downMs / 1_000),
    )
  }
  store.run('delete from uptime_day where day < ?', dayOf(today - 400 * dayMs))
}

/** The last 90 days, oldest first, and the share over all of them that was looked at. */
export function readUptime(store: Store, environment: string, now: Date): { days: UptimeDay[]; up: number | null } {
  const today = Math.floor(now.getTime() / dayMs) * dayMs
  const rows = new Map(
    store
      .rows<{ day: string; seen: number; down: number }>(
        'select day, seen_seconds as seen, down_seconds as down from uptime_day where environment = ? and day >= ?',
        environment,
        dayOf(today - (uptimeDays - 1) * dayMs),
      )
      .map((row) => [row.day, row]),
  )
  const days = Array.from({ length: uptimeDays }, (_, index): UptimeDay => {
    const day = dayOf(today - (uptimeDays - 1 - index) * dayMs)
    const row = rows.get(day)
    return { day, up: row ? 1 - row.down / row.seen : null, downSeconds: row?.down ?? 0 }
  })
  const seen = [...rows.values()].reduce((sum, row) => sum + row.seen, 0)
  const down = [...rows.values()].reduce((sum, row) => sum + row.down, 0)
  return { days, up: seen === 0 ? null : 1 - down / seen }
}
