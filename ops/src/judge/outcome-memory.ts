import type { OutcomeBucket, Outcomes } from '../front/front-api.ts'

const keptSeconds = 2 * 3_600

/** Buckets as last told by the front: a bucket that comes again replaces what was known of it. */
export function createOutcomeMemory() {
  const buckets = new Map<string, OutcomeBucket>()
  let seq = 0
  return {
    /** What to ask the front for next. */
    get seq() {
      return seq
    },
    add(outcomes: Outcomes): void {
      // A front that was replaced counts from the start again, and tells everything it keeps.
      seq = outcomes.seq
      for (const bucket of outcomes.buckets) {
        buckets.set([bucket.second, bucket.slot, bucket.routeClass, bucket.isSynthetic].join(' '), bucket)
      }
      const newest = Math.max(0, ...outcomes.buckets.map(({ second }) => second))
      for (const [key, { second }] of buckets) if (second < newest - keptSeconds) buckets.delete(key)
    },
    all: (): OutcomeBucket[] => [...buckets.values()],
  }
}
