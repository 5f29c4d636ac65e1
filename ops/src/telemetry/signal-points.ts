import type { Policy, SignalName } from '../policy/policy.ts'
import type { Timeline } from '../signals/timeline.ts'
import { signals } from '../signals/vocabulary.ts'

/** One value of a signal over one window of the policy. */
export type SignalPoint = { signal: SignalName; environment: string; windowMs: number; value: number }

/** Longer windows are asked when somebody looks. */
export const longestSentMs = 6 * 3_600_000

/** What every alert and target watches, as the embedded engine reads it now; what nobody knows is left out. */
export function readPoints(policy: Policy, environment: string, timeline: Timeline, now: Date): SignalPoint[] {
  const wanted = new Map<string, { signal: SignalName; windowMs: number }>()
  const want = (signal: SignalName, windowMs: number): void => {
    if (windowMs <= longestSentMs) wanted.set(`${signal} ${windowMs}`, { signal, windowMs })
  }
  for (const rule of policy.alerts) want(rule.signal, rule.window)
  for (const [signal, { window }] of Object.entries(policy.targets) as [SignalName, { window: number }][])
    want(signal, window)
  return [...wanted.values()].flatMap(({ signal, windowMs }) => {
    const reading = signals[signal].read(timeline.window(now, windowMs), windowMs)
    return reading === null ? [] : [{ signal, environment, windowMs, value: reading.value }]
  })
}
