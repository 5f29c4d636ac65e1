import type { OutcomeBucket } from '../front/front-api.ts'
import type { SecondCounts } from './bake-evidence.ts'

/** Requests of one slot that say something about its release, by second. Our own traffic is a stream of its own: `isSynthetic` chooses. */
export function judgedSeconds(
  buckets: readonly OutcomeBucket[],
  options: { slot: string; isSynthetic?: boolean; from?: number; until?: number },
): SecondCounts[] {
  const { slot, isSynthetic = false, from = 0, until = Infinity } = options
  const bySecond = new Map<number, SecondCounts>()
  for (const bucket of buckets) {
    const isOurs = bucket.slot === slot && bucket.isSynthetic === isSynthetic
    if (!isOurs || bucket.second < from || bucket.second >= until) continue
    const counts = bySecond.get(bucket.second) ?? { second: bucket.second, total: 0, bad: 0, slow: 0 }
    const [again, slowAgain] = [bucket.repeatedBad ?? 0, bucket.repeatedSlow ?? 0]
    const total = bucket.total - bucket.clientError - bucket.throttled - bucket.aborted - again - slowAgain
    counts.total += Math.max(0, total)
    counts.bad += bucket.bad - again
    counts.slow += bucket.slow - slowAgain
    bySecond.set(bucket.second, counts)
  }
  return [...bySecond.values()].toSorted((a, b) => a.second - b.second)
}
