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

/** `Error rate 6.1 %, limit above 5 %`. */
export const describeReading = (rule: AlertRule, value: number | null): string =>
  `${signals[rule.signal].title} ${formatValue(rule.signal, value)}, limit ${rule.is} ${formatValue(rule.signal, rule.threshold.value)}`
