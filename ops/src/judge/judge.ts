import type { BakeEvidence, SecondCounts, SideEvidence } from './bake-evidence.ts'
import { type BakePolicy, defaultBakePolicy } from './bake-policy.ts'
import { type Baseline, baselineOf, type Outcome, tally } from './baseline.ts'
import { criticalError } from './critical-errors.ts'
import { unhealthiness } from './health-trigger.ts'
import type { Judgement } from './judgement.ts'
import { chanceOfDifference } from './paired.ts'
import { type WaldSum, waldSum } from './wald-sum.ts'

/** How a judgement came about, to be plotted and frozen as evidence. */
export type BakeTrace = {
  at: number
  cutOverAt: number
  badAt: number
  floor: number
  errors: { baseline: Baseline; sum: WaldSum }
  slowness: { baseline: Baseline; sum: WaldSum }
  control: { requests: number; bad: number; slow: number } | null
  newErrors: BakeEvidence['newErrors']
}

export type Judged = { judgement: Judgement; trace: BakeTrace }

/**
 * Judges the bake of a release at a look: a pure function of what was seen so far. `bad` means that this release is to blame;
 * `environment` is said for as long as the old release is as bad; `good` is said only from `endsAt` on.
 */
export function judge(all: BakeEvidence, policy: BakePolicy = defaultBakePolicy): Judged {
  const evidence = withoutOutages(all)
  const control = evidence.control?.seconds ?? []
  const fresh = evidence.topUp.length === 0 ? evidence.fresh.seconds : merged(evidence.fresh.seconds, evidence.topUp)
  const measure = (outcome: Outcome) => {
    const baseline = baselineOf(outcome, evidence.before, control, policy)
    const alone = baselineOf(outcome, evidence.before, [], policy)
    return {
      outcome,
      baseline,
      sum: waldSum(outcome, fresh, baseline, policy),
      alone: waldSum(outcome, fresh, alone, policy),
    }
  }
  const [errors, slowness] = [measure('bad'), measure('slow')]
  const judgement =
    judgeCriticalErrors(evidence, policy) ??
    judgeHealth(evidence, policy) ??
    judgeSum('error-rate', errors, evidence, fresh, policy) ??
    judgeSum('response-time', slowness, evidence, fresh, policy) ??
    judgeEnd(evidence, [errors.sum, slowness.sum], policy)
  const side = {
    requests: tally(control, 'bad').requests,
    bad: tally(control, 'bad').failures,
    slow: tally(control, 'slow').failures,
  }
  return {
    judgement,
    trace: {
      at: evidence.now,
      cutOverAt: evidence.cutOverAt,
      badAt: policy.badAt,
      floor: policy.floor,
      errors: { baseline: errors.baseline, sum: errors.sum },
      slowness: { baseline: slowness.baseline, sum: slowness.sum },
      control: evidence.control ? side : null,
      newErrors: evidence.newErrors,
    },
  }
}

function judgeCriticalErrors({ newErrors }: BakeEvidence, policy: BakePolicy): Judgement | null {
  const error = criticalError(newErrors, policy)
  if (!error) return null
  const count = `${error.events} ${error.events === 1 ? 'time' : 'times'}, ${error.users} ${error.users === 1 ? 'user' : 'users'}`
  return {
    verdict: 'bad',
    because: 'critical-error',
    detail: `${error.message} (${error.fingerprint}; ${count}), never seen before this release`,
  }
}

function judgeHealth({ fresh, control, now, databaseAnswers }: BakeEvidence, policy: BakePolicy): Judgement | null {
  const reason = unhealthiness(fresh, now, policy)
  if (!reason) return null
  const oldReason = control && unhealthiness(control, now, policy)
  if (oldReason) return { verdict: 'environment', because: `new release: ${reason}; old release: ${oldReason}` }
  if (databaseAnswers === false)
    return { verdict: 'environment', because: `${reason}, and the database does not answer` }
  return { verdict: 'bad', because: 'health-check', detail: reason }
}

type Measured = {
  outcome: Outcome
  baseline: Baseline
  /** Against the old release before and during the bake. */
  sum: WaldSum
  /** Against the old release before the bake only: what would have been bad yesterday. */
  alone: WaldSum
}

function judgeSum(
  trigger: 'error-rate' | 'response-time',
  { outcome, baseline, sum, alone }: Measured,
  evidence: BakeEvidence,
  fresh: readonly SecondCounts[],
  policy: BakePolicy,
): Judgement | null {
  if (alone.now < policy.badAt) return null
  const since = (seconds: readonly SecondCounts[]) =>
    tally(
      seconds.filter(({ second }) => second >= alone.risesFrom),
      outcome,
    )
  const [seen, old] = [since(fresh), since(evidence.control?.seconds ?? [])]
  const words = outcome === 'bad' ? 'failed' : 'were slow'
  const detail = `${seen.failures} of ${seen.requests} requests ${words} since ${timeOf(alone.risesFrom)}; the old release: ${old.failures} of ${old.requests} in the same time, tolerated ${percent(baseline.goodRate)}`
  if (evidence.databaseAnswers === false) {
    return { verdict: 'environment', because: `${detail}; the database does not answer` }
  }
  const controlLooksBad = old.failures * alone.perFailure + (old.requests - old.failures) * alone.perSuccess > 0
  if (controlLooksBad && chanceOfDifference(seen, old) > policy.pairedChance) {
    return { verdict: 'environment', because: `${detail}: both are bad` }
  }
  if (sum.now < policy.badAt) return null
  const share = seen.failures / seen.requests
  const patienceSeconds = Math.max(
    0,
    ...policy.patience.filter(({ shareBelow }) => share < shareBelow).map(({ seconds }) => seconds),
  )
  if (evidence.now / 1000 - alone.risesFrom < patienceSeconds) {
    return {
      verdict: 'inconclusive',
      because: `${detail}; over in ${patienceSeconds} s if it is a hiccup`,
      moreNeeded: 0,
    }
  }
  return { verdict: 'bad', because: trigger, detail }
}

function judgeEnd({ now, endsAt }: BakeEvidence, sums: readonly WaldSum[], policy: BakePolicy): Judgement {
  const undecided = sums.find((sum) => !sum.wasGood || sum.now >= policy.badAt / 2)
  // What a clean stream still needs to touch the floor.
  const moreNeeded = Math.max(
    0,
    ...sums.map((sum) =>
      sum.wasGood && sum.now < policy.badAt / 2 ? 0 : Math.ceil((sum.now - policy.floor) / -sum.perSuccess),
    ),
  )
  if (now >= endsAt && !undecided) {
    return { verdict: 'good', because: `${sums[0]?.requests ?? 0} requests, no worse than the old release` }
  }
  if ((sums[0]?.requests ?? 0) === 0)
    return { verdict: 'inconclusive', because: 'no requests yet: silence says nothing', moreNeeded }
  if (undecided) return { verdict: 'inconclusive', because: `about ${moreNeeded} more requests needed`, moreNeeded }
  return { verdict: 'inconclusive', because: 'good so far, the bake is not over', moreNeeded: 0 }
}

/** What the database's absence did is left out once it is back; until then it is the environment that is bad, and that is to be seen. */
function withoutOutages(evidence: BakeEvidence): BakeEvidence {
  const { databaseOutages: outages, databaseAnswers } = evidence
  if (outages.length === 0 || databaseAnswers === false) return evidence
  const isOut = (from: number, until: number): boolean =>
    outages.some((outage) => from <= outage.until && until >= outage.from)
  const cleared = (seconds: readonly SecondCounts[]): SecondCounts[] =>
    seconds.filter(({ second }) => !isOut(second * 1000, second * 1000 + 999))
  const clearedSide = (side: SideEvidence): SideEvidence => ({
    ...side,
    seconds: cleared(side.seconds),
    readiness: side.readiness.filter(({ at }) => !isOut(at, at)),
  })
  return {
    ...evidence,
    control: evidence.control && clearedSide(evidence.control),
    fresh: clearedSide(evidence.fresh),
    topUp: cleared(evidence.topUp),
  }
}

/** Two streams of seconds as one. */
function merged(one: readonly SecondCounts[], other: readonly SecondCounts[]): SecondCounts[] {
  const bySecond = new Map<number, SecondCounts>()
  for (const { second, total, bad, slow } of [...one, ...other]) {
    const counts = bySecond.get(second) ?? { second, total: 0, bad: 0, slow: 0 }
    bySecond.set(second, { second, total: counts.total + total, bad: counts.bad + bad, slow: counts.slow + slow })
  }
  return [...bySecond.values()].toSorted((a, b) => a.second - b.second)
}

const timeOf = (second: number): string => new Date(second * 1000).toISOString().slice(11, 19)
const percent = (rate: number): string => `${(rate * 100).toFixed(1)} %`
