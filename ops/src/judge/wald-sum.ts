import type { SecondCounts } from './bake-evidence.ts'
import type { BakePolicy } from './bake-policy.ts'
import type { Baseline, Outcome } from './baseline.ts'

/** The log-likelihood ratio "bad release" : "as the old one" over time. */
export type WaldSum = {
  /** One point a second that had requests. */
  points: { second: number; sum: number }[]
  now: number
  /** The floor was touched: good so far. */
  wasGood: boolean
  /** Where the present rise began: evidence against the release is what came from here on. */
  risesFrom: number
  requests: number
  failures: number
  perFailure: number
  perSuccess: number
}

/**
 * Adds up what the seconds say: each failure speaks for "bad", each success a little against it. Starts at 0 and never falls below the
 * floor, so that a release that turns bad late is noticed as soon as one that was bad from the start.
 */
export function waldSum(
  outcome: Outcome,
  seconds: readonly SecondCounts[],
  baseline: Baseline,
  policy: BakePolicy,
): WaldSum {
  const { goodRate, badRate, inflation } = baseline
  const perFailure = Math.log(badRate / goodRate) / inflation
  const perSuccess = Math.log((1 - badRate) / (1 - goodRate)) / inflation
  const points: WaldSum['points'] = []
  let [sum, lowest, requests, failures] = [0, 0, 0, 0]
  let risesFrom = seconds[0]?.second ?? 0
  let wasGood = false
  for (const counts of seconds) {
    if (counts.total === 0) continue
    const step = counts[outcome] * perFailure + (counts.total - counts[outcome]) * perSuccess
    sum = Math.max(policy.floor, sum + Math.min(step, policy.mostPerSecond))
    if (sum <= policy.floor) wasGood = true
    if (sum <= lowest || sum <= policy.floor) {
      lowest = sum
      risesFrom = counts.second + 1
    }
    requests += counts.total
    failures += counts[outcome]
    points.push({ second: counts.second, sum })
  }
  return { points, now: sum, wasGood, risesFrom, requests, failures, perFailure, perSuccess }
}
