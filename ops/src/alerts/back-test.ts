import type { AlertRule, Policy } from '../policy/policy.ts'
import type { Step } from '../signals/sample-store.ts'
import { signals } from '../signals/vocabulary.ts'
import { type AlertState, isFiring, nextState, restingState } from './alert-rule.ts'

export type Firing = { rule: string; severity: AlertRule['severity']; from: string; until: string | null }

/**
 * What the rules of a policy would have done over recorded steps: every stretch in which one fires. Silences and windows are left out:
 * the question is what the rules say. Looks once for each step, so `for` and `window` are as fine as what was kept.
 */
export function backTest(policy: Policy, steps: readonly Step[]): Firing[] {
  const first = steps[0]
  if (!first) return []
  return policy.alerts.flatMap((rule) => firingsOf(rule, steps, first.at))
}

function firingsOf(rule: AlertRule, steps: readonly Step[], begin: number): Firing[] {
  const firings: Firing[] = []
  const signal = signals[rule.signal]
  let state: AlertState = restingState(new Date(begin))
  let [longFrom, shortFrom] = [0, 0]
  for (const [index, step] of steps.entries()) {
    const at = step.at + step.durationMs
    const [last, long, short] = [index + 1, rule.window, rule.shortWindow]
    while (longFrom < last && (steps[longFrom]?.at ?? 0) < at - long) longFrom++
    while (short !== undefined && shortFrom < last && (steps[shortFrom]?.at ?? 0) < at - short) shortFrom++
    const samples = (from: number) => steps.slice(from, last).map(({ sample }) => sample)
    const now = new Date(at)
    const before = state
    state = nextState(
      rule,
      before,
      {
        long: signal.read(samples(longFrom), long),
        short: short === undefined ? null : signal.read(samples(shortFrom), short),
      },
      now,
    )
    if (isFiring(state) && !isFiring(before))
      firings.push({ rule: rule.name, severity: rule.severity, from: now.toISOString(), until: null })
    const open = firings.at(-1)
    if (!isFiring(state) && isFiring(before) && open) open.until = now.toISOString()
  }
  return firings
}
