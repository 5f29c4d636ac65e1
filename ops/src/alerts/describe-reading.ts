import type { AlertRule } from '../policy/policy.ts'
import { formatDuration } from '../policy/units.ts'
import { signals } from '../signals/vocabulary.ts'

/** A value of a signal as people read it: `6.1 %`, `2.4 s`, `yes`. */
export function formatValue(signal: AlertRule['signal'], value: number | null): string {
  if (value === null) return 'no data'
  switch (signals[signal].unit) {
    case 'share':
      return `${Number((value * 100).toPrecision(3))} %`
    case 'seconds':
      return formatDuration(Math.round(value * 1_000))
    case 'flag':
      return value >= 1 ? 'yes' : 'no'
    case 'factor':
      return `${Number(value.toPrecision(3))} times`
    case 'per-second':
      return `${Number(value.toPrecision(3))} per second`
    case 'bytes-per-second':
      return `${Number((value / 1_000_000).toPrecision(3))} MB/s`
    case 'count':
      return String(Math.round(value * 10) / 10)
  }
}

/** `Error rate 6.1 %, limit above 5 %`; of a flag, which has no limit, `System answers: no`. */
export const describeReading = (rule: AlertRule, value: number | null): string =>
  signals[rule.signal].unit === 'flag'
    ? `${signals[rule.signal].title}: ${formatValue(rule.signal, value)}`
    : `${signals[rule.signal].title} ${formatValue(rule.signal, value)}, limit ${describeLimit(rule)}`

/** `Error rate above 5 %`, `System answers: no`. */
export const describeCondition = (rule: AlertRule): string =>
  `${signals[rule.signal].title}${signals[rule.signal].unit === 'flag' ? ':' : ''} ${describeLimit(rule)}`

/** `above 5 %`, `no`. */
export const describeLimit = (rule: AlertRule): string =>
  signals[rule.signal].unit === 'flag' ? 'no' : `${rule.is} ${formatValue(rule.signal, rule.threshold.value)}`
