import type { Store } from '../store.ts'
import { mergeSamples, type Sample } from './sample.ts'

export const stepMs = 10_000
const fineForMs = 3 * 3_600_000
const minutesForMs = 35 * 86_400_000

/** Keeps what was seen in one step of ten seconds; a second look at the same step is merged into the first. */
export function addSample(store: Store, environment: string, at: Date, sample: Sample): void {
  const step = Math.floor(at.getTime() / stepMs) * stepMs
  store.transaction(() => {
    const earlier = store.row<{ data: string }>(
      'select data from sample where environment = ? and resolution = ? and at = ?',
      environment,
      stepMs,
      step,
    )
    const data = JSON.stringify(earlier ? mergeSamples([JSON.parse(earlier.data) as Sample, sample]) : sample)
    store.run(
      `insert into sample (environment, resolution, at, data) values (?, ?, ?, ?)
       on conflict (environment, resolution, at) do update set data = excluded.data`,
      environment,
      stepMs,
      step,
      data,
    )
  })
}

/** Steps that began within the window before `now`, oldest first: ten seconds where they are kept, else minutes. */
export function readSamples(store: Store, environment: string, now: Date, windowMs: number): Sample[] {
  return readSteps(store, environment, now.getTime() - windowMs, now.getTime()).map(({ sample }) => sample)
}

export type Step = { at: number; durationMs: number; sample: Sample }

export function readSteps(store: Store, environment: string, from: number, until: number): Step[] {
  const oldestFine =
    store.row<{ at: number | null }>(
      'select min(at) as at from sample where environment = ? and resolution = ?',
      environment,
      stepMs,
    )?.at ?? Number.POSITIVE_INFINITY
  const rows = store.rows<{ at: number; resolution: number; data: string }>(
    `select at, resolution, data from sample where environment = ? and at >= ? and at < ?
       and (resolution = ? or at < ?) order by at`,
    environment,
    from,
    until,
    stepMs,
    Number.isFinite(oldestFine) ? oldestFine - 59_999 : Number.MAX_SAFE_INTEGER,
  )
  return rows.map(({ at, resolution, data }) => ({ at, durationMs: resolution, sample: JSON.parse(data) as Sample }))
}

/** Folds steps older than three hours into minutes and forgets minutes older than 35 days. Call every few minutes. */
export function foldSamples(store: Store, now: Date): void {
  store.transaction(() => {
    const edge = Math.floor((now.getTime() - fineForMs) / 60_000) * 60_000
    const old = store.rows<{ environment: string; at: number; data: string }>(
      'select environment, at, data from sample where resolution = ? and at < ? order by at',
      stepMs,
      edge,
    )
    const minutes = Map.groupBy(old, ({ environment, at }) => `${Math.floor(at / 60_000) * 60_000} ${environment}`)
    for (const [key, rows] of minutes) {
      const [minute, environment] = [key.slice(0, key.indexOf(' ')), key.slice(key.indexOf(' ') + 1)]
      store.run(
        `insert into sample (environment, resolution, at, data) values (?, 60000, ?, ?) on conflict do nothing`,
        environment,
        Number(minute),
        JSON.stringify(mergeSamples(rows.map(({ data }) => JSON.parse(data) as Sample))),
      )
    }
    store.run('delete from sample where resolution = ? and at < ?', stepMs, edge)
    store.run('delete from sample where at < ?', now.getTime() - minutesForMs)
  })
}
