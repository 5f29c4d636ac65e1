import type { AlertRule } from '../policy/policy.ts'
import type { Reading } from '../signals/vocabulary.ts'

/** As Prometheus has it, and one more: `keep-firing` is over but not yet believed. */
export type AlertPhase = 'inactive' | 'pending' | 'firing' | 'keep-firing'

export type AlertState = {
  phase: AlertPhase
  /** When this phase began. */
  since: string
  /** When it began to fire; null while it does not. */
  firingSince: string | null
  value: number | null
  /** Last look; a gap longer than an hour starts afresh. */
  lookedAt: string
}

export const restingState = (now: Date): AlertState => ({
  phase: 'inactive',
  since: now.toISOString(),
  firingSince: null,
  value: null,
  lookedAt: now.toISOString(),
})

const longestGapMs = 3_600_000

/** `long` is the rule's window, `short` its second one where it has one. */
export type Readings = { long: Reading | null; short: Reading | null }

type Condition = 'beyond' | 'clear' | 'between' | 'unknown'

/** What the readings say of the rule, hysteresis and the least number of samples included. */
export function conditionOf(rule: AlertRule, readings: Readings): Condition {
  const all = rule.shortWindow === undefined ? [readings.long] : [readings.long, readings.short]
  if (all.some((reading) => reading === null)) return 'unknown'
  const known = all.filter((reading) => reading !== null)
  if ((readings.long?.samples ?? 0) < rule.minSamples) return 'clear'
  const isBeyond = (value: number): boolean =>
    rule.is === 'above' ? value > rule.threshold.value : value < rule.threshold.value
  const isClear = (value: number): boolean =>
    rule.is === 'above' ? value <= rule.clear.value : value >= rule.clear.value
  if (known.every(({ value }) => isBeyond(value))) return 'beyond'
  return known.some(({ value }) => isClear(value)) ? 'clear' : 'between'
}

/**
 * The next state of one alert. inactive → pending (beyond the threshold) → firing (after `for`) → keep-firing (back beyond `clear`) →
 * inactive (after `keepFiringFor` without a break). Between threshold and clear a firing alert goes on, any other is not beyond. Silence
 * counts as the rule says; `keep` takes what was last seen for what still is. Pure; a gap in the looks shorter than an hour changes nothing.
 */
export function nextState(rule: AlertRule, before: AlertState, readings: Readings, now: Date): AlertState {
  const at = now.toISOString()
  const gapMs = now.getTime() - Date.parse(before.lookedAt)
  const state = gapMs > longestGapMs && before.phase !== 'firing' ? restingState(now) : before
  const condition = conditionOf(rule, readings)
  const value = readings.long?.value ?? null
  const stay: AlertState = { ...state, value, lookedAt: at }
  const move = (phase: AlertPhase, firingSince: string | null): AlertState => ({
    phase,
    since: at,
    firingSince,
    value,
    lookedAt: at,
  })
  const elapsedMs = now.getTime() - Date.parse(state.since)
  const seen = condition === 'unknown' ? { ok: 'clear', firing: 'beyond', keep: 'keep' }[rule.noData] : condition
  switch (state.phase) {
    case 'inactive':
      if (seen !== 'beyond') return stay
      return rule.for === 0 ? move('firing', at) : move('pending', null)
    case 'pending':
      if (seen !== 'beyond' && seen !== 'keep') return move('inactive', null)
      return elapsedMs >= rule.for ? move('firing', at) : stay
    case 'firing':
      if (seen !== 'clear') return stay
      return rule.keepFiringFor === 0 ? move('inactive', null) : move('keep-firing', state.firingSince)
    case 'keep-firing':
      if (seen !== 'clear') return move('firing', state.firingSince)
      return elapsedMs >= rule.keepFiringFor ? move('inactive', null) : stay
  }
}

export const isFiring = (state: AlertState): boolean => state.phase === 'firing' || state.phase === 'keep-firing'
