import type { BakeEvidence, SecondCounts, SideEvidence } from '@dam/ops/src/judge/bake-evidence.ts'
import {
  type BakePolicy,
  defaultBakePolicy,
  nextLookAfterMs,
  nextLookOverBoundMs,
} from '@dam/ops/src/judge/bake-policy.ts'
import { judge } from '@dam/ops/src/judge/judge.ts'
import type { Random } from '../random.ts'

const bakeSeconds = defaultBakePolicy.bakeMs / 1000
const historySeconds = 3_600
/** Share of the requests that stay on the old release as the live control. */
export const controlShare = 0.1

export type Clusters = 'none' | 'bursts' | 'retrying client' | 'broken asset'

/** What both releases do to requests at a moment; `fresh` adds what only the new one does. */
export type World = {
  perSecond: number
  base: number
  clusters: Clusters
  fresh: { bad: number; slow: number }
}

/** Whole hiccups of the environment: on average 2 s, every third request fails. */
const burst = { seconds: 2, rate: 0.33 }
/** Failures of a client that asks again and again, and of a page that asks for one broken asset. */
const [retriesEach, asksEach] = [30, 50]

type Bake = { fresh: SecondCounts[]; control: SecondCounts[]; before: () => SecondCounts[] }

/** One bake; the hour before it is simulated when somebody asks. As the front tells them: repeats of one failure are not counted. */
export function simulate(world: World, random: Random): Bake {
  const [control, fresh]: [SecondCounts[], SecondCounts[]] = [[], []]
  const traffic = simulateTraffic(world, random)
  for (let second = 0; second < bakeSeconds; second++) {
    const { total, rate, events } = traffic()
    const toControl = binomial(total, controlShare, random)
    const onControl = binomial(events, controlShare, random)
    add(fresh, second, total - toControl, events - onControl, rate, world.fresh, random)
    add(control, second, toControl, onControl, rate, { bad: 0, slow: 0 }, random)
  }
  const before = (): SecondCounts[] => {
    const seconds: SecondCounts[] = []
    const earlier = simulateTraffic(world, random)
    for (let second = -historySeconds; second < 0; second++) {
      const { total, rate, events } = earlier()
      add(seconds, second, total, events, rate, { bad: 0, slow: 0 }, random)
    }
    return seconds
  }
  return { fresh, control, before }
}

/**
 * Second by second: requests, the rate at which any of them fails, and failures of clusters. Clusters bring the whole base rate, so that
 * the same rate comes in clumps or by itself.
 */
function simulateTraffic(world: World, random: Random): () => { total: number; rate: number; events: number } {
  const { clusters, perSecond, base } = world
  const isOneClient = clusters === 'retrying client' || clusters === 'broken asset'
  const failures = clusters === 'retrying client' ? retriesEach : asksEach
  const burstStarts = base / burst.rate / burst.seconds
  let inBurst = false
  return () => {
    if (clusters === 'bursts') inBurst = random.next() < (inBurst ? 1 - 1 / burst.seconds : burstStarts)
    return {
      total: poisson(perSecond, random),
      rate: clusters === 'none' ? base : inBurst ? burst.rate : 0,
      // The first failure of a cluster; the front tells the others apart as repeats.
      events: isOneClient && random.next() < (base * perSecond) / failures ? 1 : 0,
    }
  }
}

function add(
  seconds: SecondCounts[],
  second: number,
  total: number,
  events: number,
  rate: number,
  more: { bad: number; slow: number },
  random: Random,
): void {
  if (total + events === 0) return
  const bad = binomial(total, rate + (1 - rate) * more.bad, random)
  seconds.push({ second, total: total + events, bad: bad + events, slow: binomial(total - bad, more.slow, random) })
}

const side = (seconds: SecondCounts[]): SideEvidence => ({ seconds, readiness: [], web: null, worker: null })

/** Seconds from the cut-over until "bad", as the deployer looks; null when it never is. */
export function secondsToBad(
  bake: Bake,
  options: { until?: number; policy?: BakePolicy; nextLookMs?: (sinceCutOverMs: number) => number } = {},
): number | null {
  const { until = bakeSeconds, policy = defaultBakePolicy, nextLookMs = nextLookAfterMs } = options
  // The full judgement is needed only where the sum, against the least that is tolerated, gets that far.
  const suspects = suspectSeconds(bake.fresh, policy)
  if (suspects.size === 0) return null
  const before = bake.before()
  let isOverBound = false
  for (let at = 0; at < until;) {
    at += (isOverBound ? nextLookOverBoundMs : nextLookMs(at * 1000)) / 1000
    isOverBound = false
    if (!suspects.has(at - 1)) continue
    const seen = (seconds: SecondCounts[]): SecondCounts[] => seconds.filter(({ second }) => second < at)
    const evidence: BakeEvidence = {
      cutOverAt: 0,
      now: at * 1000,
      endsAt: bakeSeconds * 1000,
      before,
      control: side(seen(bake.control)),
      fresh: side(seen(bake.fresh)),
      topUp: [],
      newErrors: [],
      databaseAnswers: true,
      databaseOutages: [],
    }
    const { judgement, trace } = judge(evidence, policy)
    if (judgement.verdict === 'bad') return at
    isOverBound =
      judgement.verdict === 'inconclusive' && Math.max(trace.errors.sum.now, trace.slowness.sum.now) >= trace.badAt
  }
  return null
}

/** Seconds at whose end the sum without any allowance for the old release is at the bound. */
function suspectSeconds(counts: readonly SecondCounts[], policy: BakePolicy): Set<number> {
  const { toleratedRate: p0, badRate: p1, badAt, floor } = policy
  const [up, down] = [Math.log(p1 / p0), Math.log((1 - p1) / (1 - p0))]
  const found = new Set<number>()
  let [bad, slow, next] = [0, 0, 0]
  for (let second = 0; second < bakeSeconds; second++) {
    if (counts[next]?.second === second) {
      const { total, bad: failed, slow: late } = counts[next++] as SecondCounts
      bad = Math.max(floor, bad + failed * up + (total - failed) * down)
      slow = Math.max(floor, slow + late * up + (total - late) * down)
    }
    if (bad >= badAt || slow >= badAt) found.add(second)
  }
  return found
}

/** Rounded normal where the mean is large. */
function poisson(mean: number, random: Random): number {
  if (mean > 15) {
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal))
  }
  const limit = Math.exp(-mean)
  let [count, product] = [0, random.next()]
  while (product > limit) {
    count++
    product *= random.next()
  }
  return count
}

/** Exact, and quick where successes are rare: skips from one success to the next. */
function binomial(n: number, p: number, random: Random): number {
  if (p <= 0 || n === 0) return 0
  if (p >= 1) return n
  const step = Math.log(1 - p)
  let [count, at] = [0, 0]
  for (;;) {
    at += Math.floor(Math.log(1 - random.next()) / step) + 1
    if (at > n) return count
    count++
  }
}
