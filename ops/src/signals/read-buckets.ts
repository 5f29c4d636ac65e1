import { setImmediate as breathe } from 'node:timers/promises'
import type { Store } from '../store.ts'
import { mergeSamples, type Sample } from './sample.ts'
import { readSteps } from './sample-store.ts'

export type Bucket = { at: number; /** Null: nobody looked. */ sample: Sample | null }

/** Reads what was seen in buckets of equal length, from the first that holds `from` to the one that holds `until`. */
export type BucketReader = (range: {
  environment: string
  from: number
  until: number
  bucketMs: number
}) => Promise<Bucket[]>

const unitMs = 30 * 60_000
/** What is older than this is folded into minutes and does not change any more. */
const settledMs = 4 * 3_600_000
/** 35 days of half hours for a few environments. */
const mostUnits = 8_000

/**
 * Half hours that are over for good are merged once and remembered, so that a month costs its parsing once. Between them the process
 * breathes: it also watches.
 */
export function openBucketReader(store: Store): BucketReader {
  const units = new Map<string, Sample | null>()
  const unit = (environment: string, at: number, now: number): Sample | null => {
    const key = `${environment} ${at}`
    const known = units.get(key)
    if (known !== undefined) return known
    const steps = readSteps(store, environment, at, at + unitMs)
    const sample = steps.length === 0 ? null : mergeSamples(steps.map((step) => step.sample))
    if (now - (at + unitMs) > settledMs) {
      if (units.size >= mostUnits) units.clear()
      units.set(key, sample)
    }
    return sample
  }
  return async ({ environment, from, until, bucketMs }) => {
    const buckets: Bucket[] = []
    const first = Math.floor(from / bucketMs) * bucketMs
    if (bucketMs % unitMs === 0) {
      for (let at = first; at < until; at += bucketMs) {
        const parts: Sample[] = []
        for (let part = at; part < Math.min(at + bucketMs, until); part += unitMs) {
          const sample = unit(environment, part, until)
          if (sample) parts.push(sample)
        }
        buckets.push({ at, sample: parts.length === 0 ? null : mergeSamples(parts) })
        if (buckets.length % 12 === 0) await breathe()
      }
      return buckets
    }
    const steps = Map.groupBy(
      readSteps(store, environment, first, until),
      ({ at }) => Math.floor(at / bucketMs) * bucketMs,
    )
    for (let at = first; at < until; at += bucketMs) {
      const found = steps.get(at)
      buckets.push({ at, sample: found ? mergeSamples(found.map(({ sample }) => sample)) : null })
    }
    return buckets
  }
}
