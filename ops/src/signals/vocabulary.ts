import type { SignalName } from '../policy/policy.ts'
import { type GaugeName, mergeSamples, quantileOf, type Sample } from './sample.ts'

/** A value in the unit of its signal and how many observations stand behind it (requests, uploads, looks). */
export type Reading = { value: number; samples: number }

export type Signal = {
  title: string
  group: 'application' | 'infrastructure' | 'business'
  unit: 'share' | 'seconds' | 'count' | 'per-second' | 'bytes-per-second' | 'flag' | 'factor'
  /** From the steps of a window, oldest first; null when nobody could know. */
  read(steps: readonly Sample[], windowMs: number): Reading | null
  /** The same question to Prometheus over what DAM's processes export; `window` such as `5m`. */
  promql(window: string): string
}

const errorObjective = 0.001

const ratio = (kind: 'requests' | 'uploads' | 'searches', of: 'bad' | 'good') => (steps: readonly Sample[]) => {
  let total = 0
  let bad = 0
  for (const step of steps) {
    total += step[kind].total
    bad += step[kind].bad
  }
  if (total === 0) return null
  return { value: of === 'bad' ? bad / total : 1 - bad / total, samples: total }
}
const gauge = (name: GaugeName) => (steps: readonly Sample[]) => {
  const known = steps.map((step) => step.gauges[name]).filter((value) => value !== undefined)
  if (known.length === 0) return null
  return { value: known.reduce((sum, value) => sum + value, 0) / known.length, samples: known.length }
}
/** The newest look counts: an age is no mean. */
const latest = (name: GaugeName) => (steps: readonly Sample[]) => {
  const value = steps.findLast((step) => step.gauges[name] !== undefined)?.gauges[name]
  return value === undefined ? null : { value, samples: 1 }
}
/** Up when it was up at any look of the window: one lost probe is no outage. */
const up = (name: keyof Sample['up']) => (steps: readonly Sample[]) => {
  const looks = steps.map((step) => step.up[name]).filter((value) => value !== undefined)
  return looks.length === 0 ? null : { value: Math.max(...looks), samples: looks.length }
}

const failedRequests = (window: string): string => `sum(increase(dam_http_requests_total{status=~"5.."}[${window}]))`
const allRequests = (window: string): string => `sum(increase(dam_http_requests_total[${window}]))`
const orZero = (expression: string): string => `(${expression} or vector(0))`

/** Every signal DAM has. Closed: an alert can watch nothing else, so that each has its two implementations. */
export const signals: Record<SignalName, Signal> = {
  'system-up': {
    title: 'System answers',
    group: 'application',
    unit: 'flag',
    read: up('system'),
    promql: (window) => `max(max_over_time(up{job="dam"}[${window}]))`,
  },
  'error-rate': {
    title: 'Error rate',
    group: 'application',
    unit: 'share',
    read: ratio('requests', 'bad'),
    promql: (window) => `${orZero(failedRequests(window))} / ${allRequests(window)}`,
  },
  'error-burn': {
    title: 'Burn rate of the error budget',
    group: 'application',
    unit: 'factor',
    read: (steps) => {
      const reading = ratio('requests', 'bad')(steps)
      return reading && { ...reading, value: reading.value / errorObjective }
    },
    promql: (window) => `${orZero(failedRequests(window))} / ${allRequests(window)} / ${errorObjective}`,
  },
  'response-time-p95': {
    title: 'Response time p95',
    group: 'application',
    unit: 'seconds',
    read: (steps) => {
      const { durations } = mergeSamples(steps)
      const value = quantileOf(durations, 0.95)
      return value === null ? null : { value, samples: Object.values(durations).reduce((sum, count) => sum + count, 0) }
    },
    promql: (window) =>
      `histogram_quantile(0.95, sum by (le) (increase(dam_http_request_duration_seconds_bucket[${window}])))`,
  },
  availability: {
    title: 'Availability',
    group: 'application',
    unit: 'share',
    read: ratio('requests', 'good'),
    promql: (window) => `1 - ${orZero(failedRequests(window))} / ${allRequests(window)}`,
  },
  'request-rate': {
    title: 'Request rate',
    group: 'application',
    unit: 'per-second',
    read: (steps, windowMs) => {
      const total = steps.reduce((sum, step) => sum + step.requests.total, 0)
      return steps.length === 0 ? null : { value: total / (windowMs / 1_000), samples: total }
    },
    promql: (window) => `sum(rate(dam_http_requests_total[${window}]))`,
  },
  'active-users': {
    title: 'Active users',
    group: 'application',
    unit: 'count',
    read: latest('activeUsers'),
    promql: () => 'sum(dam_active_users)',
  },
  cpu: {
    title: 'CPU usage',
    group: 'infrastructure',
    unit: 'share',
    read: gauge('cpu'),
    promql: (window) => `avg(avg_over_time(dam_host_cpu_ratio[${window}]))`,
  },
  memory: {
    title: 'Memory usage',
    group: 'infrastructure',
    unit: 'share',
    read: gauge('memory'),
    promql: (window) =>
      `1 - avg(avg_over_time(dam_host_memory_bytes{state="available"}[${window}])) / avg(avg_over_time(dam_host_memory_bytes{state="total"}[${window}]))`,
  },
  disk: {
    title: 'Disk usage',
    group: 'infrastructure',
    unit: 'share',
    read: gauge('disk'),
    promql: (window) =>
      `1 - avg(avg_over_time(dam_disk_bytes{state="free"}[${window}])) / avg(avg_over_time(dam_disk_bytes{state="total"}[${window}]))`,
  },
  network: {
    title: 'Network traffic',
    group: 'infrastructure',
    unit: 'bytes-per-second',
    read: gauge('network'),
    promql: (window) => `sum(rate(dam_host_network_bytes_total[${window}]))`,
  },
  'database-up': {
    title: 'Database answers',
    group: 'infrastructure',
    unit: 'flag',
    read: up('database'),
    promql: (window) => `max(max_over_time(dam_dependency_up{dependency="database"}[${window}]))`,
  },
  'storage-up': {
    title: 'Storage is there',
    group: 'infrastructure',
    unit: 'flag',
    read: up('storage'),
    promql: (window) => `max(max_over_time(dam_dependency_up{dependency="storage"}[${window}]))`,
  },
  'cache-up': {
    title: 'Cache answers',
    group: 'infrastructure',
    unit: 'flag',
    read: up('cache'),
    promql: (window) => `max(max_over_time(dam_dependency_up{dependency="cache"}[${window}]))`,
  },
  'pool-waiting': {
    title: 'Requests waiting for a database connection',
    group: 'infrastructure',
    unit: 'count',
    read: gauge('poolWaiting'),
    promql: (window) => `sum(avg_over_time(dam_database_pool_connections{state="waiting"}[${window}]))`,
  },
  'queue-age': {
    title: 'Age of the oldest waiting job',
    group: 'infrastructure',
    unit: 'seconds',
    read: latest('queueAge'),
    promql: () => 'max(dam_queue_oldest_seconds)',
  },
  restarts: {
    title: 'Unexpected restarts',
    group: 'infrastructure',
    unit: 'count',
    read: (steps) => ({ value: steps.reduce((sum, step) => sum + step.restarts, 0), samples: steps.length }),
    promql: (window) => `sum(increase(dam_process_restarts_total[${window}])) or vector(0)`,
  },
  'upload-success': {
    title: 'Upload success',
    group: 'business',
    unit: 'share',
    read: ratio('uploads', 'good'),
    promql: (window) =>
      `1 - ${orZero(`sum(increase(dam_uploads_total{outcome="failed"}[${window}]))`)} / sum(increase(dam_uploads_total{outcome=~"stored|duplicate|failed"}[${window}]))`,
  },
  'search-success': {
    title: 'Search success',
    group: 'business',
    unit: 'share',
    read: ratio('searches', 'good'),
    promql: (window) =>
      `${orZero(`sum(increase(dam_searches_total{outcome="found"}[${window}]))`)} / sum(increase(dam_searches_total[${window}]))`,
  },
  satisfaction: {
    title: 'User satisfaction',
    group: 'business',
    unit: 'share',
    read: (steps) => {
      const reading = latest('satisfaction')(steps)
      return reading && { ...reading, samples: latest('ratings')(steps)?.value ?? 0 }
    },
    promql: () => 'max(dam_satisfaction_ratio)',
  },
  'backup-age': {
    title: 'Age of the newest backup',
    group: 'infrastructure',
    unit: 'seconds',
    read: latest('backupAge'),
    promql: () => 'max(dam_backup_age_seconds)',
  },
  'drill-age': {
    title: 'Age of the last restore drill',
    group: 'infrastructure',
    unit: 'seconds',
    read: latest('drillAge'),
    promql: () => 'max(dam_restore_drill_age_seconds)',
  },
}
