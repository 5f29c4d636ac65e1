import type { SecondCounts } from './bake-evidence.ts'
import type { BakePolicy } from './bake-policy.ts'

export type Outcome = 'bad' | 'slow'

/** What the judge compares with. `goodRate` is p0 and `badRate` p1 of the test; evidence is divided by `inflation`. */
export type Baseline = { goodRate: number; badRate: number; inflation: number; requests: number; failures: number }

/**
 * p0 and p1 from the old release, before the bake and, when it is seen to fail more, during it: the upper 95 % limit of its rate.
 * Failures that came in clumps before the bake make `inflation` > 1: where hiccups are usual, as many failures say less about the release.
 */
export function baselineOf(
  outcome: Outcome,
  before: readonly SecondCounts[],
  control: readonly SecondCounts[],
  policy: BakePolicy,
): Baseline {
  const usual = withoutOutages(before)
  const earlier = tally(usual, outcome)
  const during = tally(control, outcome)
  const inflation = Math.max(1, dispersion(usual, outcome))
  const limits = [upperLimit(earlier.failures / inflation, earlier.requests / inflation)]
  // Few requests without failures have a high limit, too: that the old release is as bad must be seen, not only be possible.
  if (
    during.requests >= policy.pairedFrom &&
    during.failures / during.requests > Math.max(policy.toleratedRate, ...limits)
  ) {
    limits.push(upperLimit(during.failures / inflation, during.requests / inflation))
  }
  const goodRate = Math.min(0.39, Math.max(policy.toleratedRate, ...limits))
  return {
    goodRate,
    badRate: Math.min(0.99, Math.max(policy.badRate, policy.badFactor * goodRate)),
    inflation,
    requests: earlier.requests + during.requests,
    failures: earlier.failures + during.failures,
  }
}

/** So many seconds in a row with requests, of which this share at least failed or were slow, are an outage. */
const outage = { seconds: 5, share: 0.8, aroundSeconds: 2 }

/** Seconds in which the old release did next to nothing right, and those around them, say nothing about what is usual: they would excuse anything. */
function withoutOutages(seconds: readonly SecondCounts[]): readonly SecondCounts[] {
  const outages: { from: number; to: number }[] = []
  let run: number[] = []
  const end = (): void => {
    const [from, to] = [run[0], run.at(-1)]
    if (from !== undefined && to !== undefined && run.length >= outage.seconds) outages.push({ from, to })
    run = []
  }
  for (const { second, total, bad, slow } of seconds) {
    if (total === 0) continue
    if (Math.max(bad, slow) >= outage.share * total) run.push(second)
    else end()
  }
  end()
  if (outages.length === 0) return seconds
  return seconds.filter(
    ({ second }) =>
      !outages.some(({ from, to }) => second >= from - outage.aroundSeconds && second <= to + outage.aroundSeconds),
  )
}

export function tally(seconds: readonly SecondCounts[], outcome: Outcome): { requests: number; failures: number } {
  let [requests, failures] = [0, 0]
  for (const counts of seconds) {
    requests += counts.total
    failures += counts[outcome]
  }
  return { requests, failures }
}

/** What is believed before anything was seen: half a failure in a hundred requests. */
const prior = { failures: 0.5, requests: 100 }

/** Upper 95 % limit of a rate (quantile of a gamma distribution after Wilson and Hilferty). */
function upperLimit(failures: number, requests: number): number {
  const shape = failures + prior.failures
  const quantile = shape * (1 - 1 / (9 * shape) + 1.645 / (3 * Math.sqrt(shape))) ** 3
  return quantile / (requests + prior.requests)
}

const clumpSeconds = 10

/** Pearson's dispersion of failures over stretches of ten seconds: 1 when they come by themselves, more when they come in clumps. */
function dispersion(seconds: readonly SecondCounts[], outcome: Outcome): number {
  const { requests, failures } = tally(seconds, outcome)
  if (failures < 2) return 1
  const rate = failures / requests
  const stretches = new Map<number, { requests: number; failures: number }>()
  for (const counts of seconds) {
    const key = Math.floor(counts.second / clumpSeconds)
    const stretch = stretches.get(key) ?? { requests: 0, failures: 0 }
    stretch.requests += counts.total
    stretch.failures += counts[outcome]
    stretches.set(key, stretch)
  }
  const filled = [...stretches.values()].filter((stretch) => stretch.requests > 0)
  if (filled.length < 12 || rate >= 1) return 1
  const statistic = filled.reduce(
    (sum, stretch) => sum + (stretch.failures - stretch.requests * rate) ** 2 / (stretch.requests * rate * (1 - rate)),
    0,
  )
  return statistic / (filled.length - 1)
}
