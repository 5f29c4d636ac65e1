import type { SignalUnit } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import { formatBytes, formatDuration, formatNumber, formatWait } from '../../lib/format.ts'

const short = (value: number): string => formatNumber(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 1 ? 2 : 3)

/** A value of a signal as people read it. */
export function formatSignal(unit: SignalUnit, value: number | null): string {
  if (value === null) return t`not known`
  switch (unit) {
    case 'share':
      return `${short(value * 100)} %`
    case 'seconds':
      return value < 90 ? formatDuration(value * 1_000) : formatWait(value)
    case 'flag':
      return value >= 1 ? t`yes` : t`no`
    case 'factor':
      return `${short(value)} ×`
    case 'per-second':
      return t`${short(value)} a second`
    case 'bytes-per-second':
      return t`${formatBytes(value)} a second`
    case 'count':
      return short(value)
  }
}

/** The same beside an axis, where the title has said per what. */
export const formatTick = (unit: SignalUnit, value: number): string =>
  unit === 'per-second' ? short(value) : unit === 'bytes-per-second' ? formatBytes(value) : formatSignal(unit, value)

/** Names of signals in the reader's language; one that is not listed keeps the name the server gives. */
export const signalTitle = (signal: string, title: string): string =>
  ({
    'system-up': t`System answers`,
    'error-rate': t`Error rate`,
    'error-burn': t`Burn rate of the error budget`,
    'response-time-p95': t`Response time p95`,
    availability: t`Availability`,
    'request-rate': t`Request rate`,
    'active-users': t`Active users`,
    cpu: t`CPU usage`,
    memory: t`Memory usage`,
    disk: t`Disk usage`,
    network: t`Network traffic`,
    'database-up': t`Database answers`,
    'storage-up': t`Storage is there`,
    'cache-up': t`Cache answers`,
    'pool-waiting': t`Requests waiting for a database connection`,
    'queue-age': t`Age of the oldest waiting job`,
    restarts: t`Unexpected restarts`,
    'upload-success': t`Upload success`,
    'search-success': t`Search success`,
    satisfaction: t`User satisfaction`,
    'backup-age': t`Age of the newest backup`,
    'drill-age': t`Age of the last restore drill`,
  })[signal] ?? title

export const boundWords = (is: 'above' | 'below', value: string): string =>
  is === 'above' ? t`above ${value}` : t`below ${value}`
