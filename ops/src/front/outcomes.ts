import { latencyBoundsMs, type BadRequest, type OutcomeBucket, type Outcomes, type RouteClass } from './front-api.ts'

/** One request that ended. */
export type Outcome = {
  /** Unix milliseconds when it ended. */
  endedAt: number
  slot: string
  tag: string
  routeClass: RouteClass
  isSynthetic: boolean
  kind: 'good' | 'bad' | 'clientError' | 'throttled' | 'aborted' | 'refused'
  isSlow: boolean
  /** The session's or token's last answer on the same path was bad, or slow, too. */
  isRepeatedBad: boolean
  isRepeatedSlow: boolean
  /** Null when no answer began. */
  latencyMs: number | null
  badRequest: BadRequest | null
}

const keptSeconds = 3_600
const keptBadRequests = 500

export type OutcomeCounts = {
  add(outcome: Outcome): void
  /** What changed after that number; `fromSecond` leaves out older buckets. */
  since(seq: number, fromSecond?: number): Outcomes
  /** Everything, to be restored in the process that takes over; in portions that are quick to send. */
  handover(): OutcomeHandover[]
  restore(handover: OutcomeHandover): void
}

type FullBucket = Required<OutcomeBucket>
type Kept<T> = { seq: number; value: T }
export type OutcomeHandover = { buckets: Kept<FullBucket>[]; badRequests: Kept<BadRequest>[] }

const portion = 1_000

/** Counts by second; an hour is kept. */
export function createOutcomeCounts(firstSeq: number): OutcomeCounts {
  // Insertion order is order of time, but for what a replaced process reports late.
  const buckets = new Map<string, Kept<FullBucket>>()
  let badRequests: Kept<BadRequest>[] = []
  // A number that no earlier process has reached, so that a reader that outlives a crash of ours misses nothing.
  let seq = firstSeq
  let newestSecond = 0

  const forget = (): void => {
    for (const [key, { value }] of buckets) {
      if (value.second >= newestSecond - keptSeconds) break
      buckets.delete(key)
    }
  }
  const bucketOf = (of: BucketOf): FullBucket => {
    const key = keyOf(of)
    let kept = buckets.get(key)
    if (!kept) {
      if (of.second > newestSecond) {
        newestSecond = of.second
        forget()
      }
      kept = { seq, value: { ...of, ...zeros, latency: Array<number>(latencyBoundsMs.length + 1).fill(0) } }
      buckets.set(key, kept)
    }
    kept.seq = ++seq
    return kept.value
  }
  const keepBad = (value: BadRequest): void => {
    badRequests.push({ seq: ++seq, value })
    if (badRequests.length > keptBadRequests * 2) badRequests = badRequests.slice(-keptBadRequests)
  }

  return {
    add: (outcome) => {
      const { endedAt, slot, tag, routeClass, isSynthetic, kind, isSlow, latencyMs, badRequest } = outcome
      const bucket = bucketOf({ second: Math.floor(endedAt / 1000), slot, tag, routeClass, isSynthetic })
      bucket.total++
      if (kind !== 'good') bucket[kind]++
      if (isSlow) bucket.slow++
      if (outcome.isRepeatedBad) bucket.repeatedBad++
      if (outcome.isRepeatedSlow) bucket.repeatedSlow++
      if (latencyMs !== null) {
        const place = latencyBoundsMs.findIndex((bound) => latencyMs <= bound)
        const index = place === -1 ? latencyBoundsMs.length : place
        bucket.latency[index] = (bucket.latency[index] ?? 0) + 1
      }
      if (badRequest) keepBad(badRequest)
    },
    since: (after, fromSecond = 0) => ({
      seq,
      buckets: [...buckets.values()]
        .filter((kept) => kept.seq > after && kept.value.second >= fromSecond)
        .map(({ value }) => value),
      badRequests: badRequests
        .slice(-keptBadRequests)
        .filter((kept) => kept.seq > after)
        .map(({ value }) => value),
    }),
    handover: () => {
      const all = [...buckets.values()]
      const portions: OutcomeHandover[] = [{ buckets: [], badRequests: badRequests.slice(-keptBadRequests) }]
      for (let from = 0; from < all.length; from += portion)
        portions.push({ buckets: all.slice(from, from + portion), badRequests: [] })
      return portions
    },
    restore: (handover) => {
      for (const kept of handover.buckets) {
        buckets.set(keyOf(kept.value), kept)
        newestSecond = Math.max(newestSecond, kept.value.second)
      }
      badRequests.push(...handover.badRequests)
    },
  }
}

const keyOf = ({ second, slot, tag, routeClass, isSynthetic }: BucketOf): string =>
  `${second} ${slot} ${tag} ${routeClass} ${isSynthetic}`

type BucketOf = Pick<OutcomeBucket, 'second' | 'slot' | 'tag' | 'routeClass' | 'isSynthetic'>

const zeros = {
  total: 0,
  bad: 0,
  slow: 0,
  clientError: 0,
  throttled: 0,
  aborted: 0,
  refused: 0,
  repeatedBad: 0,
  repeatedSlow: 0,
}
