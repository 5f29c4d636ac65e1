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
  /**
   * The same question to Prometheus over what DAM's processes export, for one environment; `window` such as `5m`. Empty where `read` is null.
   * Every series of an application carries the label `environment`, which the scrape configuration adds.
   */
  promql(window: string, environment: string): string
  /** The number behind the value, where `read` counts more than looks. */
  samplesPromql?: (window: string, environment: string) => string
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

/** A selector of one environment's series. */
const of = (metric: string, environment: string, matchers = ''): string =>
  `${metric}{environment="${environment}"${matchers && `,${matchers}`}}`
/** As the collector has it: probes are no users. */
const byPeople = 'route!~"/(api/)?health|/livez|/readyz|/metrics"'
const grown = (metric: string, window: string, environment: string, matchers = ''): string =>
  `sum(increase(${of(metric, environment, matchers)}[${window}]))`
const allRequests = (window: string, environment: string): string =>
  grown('dam_http_requests_total', window, environment, byPeople)
const failedShare = (window: string, environment: string): string =>
  share(
    grown('dam_http_requests_total', window, environment, `${byPeople},status=~"5.."`),
    allRequests(window, environment),
  )
const allUploads = (window: string, environment: string): string =>
  grown('dam_uploads_total', window, environment, 'outcome=~"stored|duplicate|failed"')
const allSearches = (window: string, environment: string): string => grown('dam_searches_total', window, environment)
/** Nothing at all is no data, not zero; a part that was never counted is zero. */
const share = (part: string, whole: string): string => `(${part} or vector(0)) / (${whole} > 0)`
const mean = (metric: string, window: string, environment: string, matchers = ''): string =>
  `avg(avg_over_time(${of(metric, environment, matchers)}[${window}]))`
const dependencyUp = (dependency: string, window: string, environment: string): string =>
  `max(max_over_time(${of('dam_dependency_up', environment, `dependency="${dependency}"`)}[${window}]))`

/** Every signal DAM has. Closed: an alert can watch nothing else, so that each has its two implementations. */
export const signals: Record<SignalName, Signal> = {
  'system-up': {
    title: 'System answers',
    group: 'application',
    unit: 'flag',
    read: up('system'),
    promql: (window, environment) => `max(max_over_time(${of('up', environment, 'job="dam"')}[${window}]))`,
  },
  'error-rate': {
    title: 'Error rate',
    group: 'application',
    unit: 'share',
    read: ratio('requests', 'bad'),
    promql: failedShare,
    samplesPromql: allRequests,
  },
  'error-burn': {
    title: 'Burn rate of the error budget',
    group: 'application',
    unit: 'factor',
    read: (steps) => {
      const reading = ratio('requests', 'bad')(steps)
      return reading && { ...reading, value: reading.value / errorObjective }
    },
    promql: (window, environment) => `${failedShare(window, environment)} / ${errorObjective}`,
    samplesPromql: allRequests,
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
    promql: (window, environment) =>
      `histogram_quantile(0.95, sum by (le) (increase(${of('dam_http_request_duration_seconds_bucket', environment, byPeople)}[${window}]))) >= 0`,
    samplesPromql: (window, environment) =>
      grown('dam_http_request_duration_seconds_count', window, environment, byPeople),
  },
  availability: {
    title: 'Availability',
    group: 'application',
    unit: 'share',
    read: ratio('requests', 'good'),
    promql: (window, environment) => `1 - ${failedShare(window, environment)}`,
    samplesPromql: allRequests,
  },
  'request-rate': {
    title: 'Request rate',
    group: 'application',
    unit: 'per-second',
    read: (steps, windowMs) => {
      const total = steps.reduce((sum, step) => sum + step.requests.total, 0)
      return steps.length === 0 ? null : { value: total / (windowMs / 1_000), samples: total }
    },
    promql: (window, environment) => `sum(rate(${of('dam_http_requests_total', environment, byPeople)}[${window}]))`,
  },
  'active-users': {
    title: 'Active users',
    group: 'application',
    unit: 'count',
    read: latest('activeUsers'),
    promql: (_, environment) => `sum(${of('dam_active_users', environment)})`,
  },
  cpu: {
    title: 'CPU usage',
    group: 'infrastructure',
    unit: 'share',
    read: gauge('cpu'),
    promql: (window, environment) => mean('dam_host_cpu_ratio', window, environment),
  },
  memory: {
    title: 'Memory usage',
    group: 'infrastructure',
    unit: 'share',
    read: gauge('memory'),
    promql: (window, environment) =>
      `1 - ${mean('dam_host_memory_bytes', window, environment, 'state="available"')} / ${mean('dam_host_memory_bytes', window, environment, 'state="total"')}`,
  },
  disk: {
    title: 'Disk usage',
    group: 'infrastructure',
    unit: 'share',
    read: gauge('disk'),
    promql: (window, environment) => {
      const used = mean('dam_disk_bytes', window, environment, 'state="used"')
      return `${used} / (${used} + ${mean('dam_disk_bytes', window, environment, 'state="free"')})`
    },
  },
  network: {
    title: 'Network traffic',
    group: 'infrastructure',
    unit: 'bytes-per-second',
    read: gauge('network'),
    promql: (window, environment) => `sum(rate(${of('dam_host_network_bytes_total', environment)}[${window}]))`,
  },
  'database-up': {
    title: 'Database answers',
    group: 'infrastructure',
    unit: 'flag',
    read: up('database'),
    promql: (window, environment) => dependencyUp('database', window, environment),
  },
  'storage-up': {
    title: 'Storage is there',
    group: 'infrastructure',
    unit: 'flag',
    read: up('storage'),
    promql: (window, environment) => dependencyUp('storage', window, environment),
  },
  'cache-up': {
    title: 'Cache answers',
    group: 'infrastructure',
    unit: 'flag',
    read: up('cache'),
    promql: (window, environment) => dependencyUp('cache', window, environment),
  },
  'pool-waiting': {
    title: 'Requests waiting for a database connection',
    group: 'infrastructure',
    unit: 'count',
    read: gauge('poolWaiting'),
    promql: (window, environment) =>
      `sum(avg_over_time(${of('dam_database_pool_connections', environment, 'state="waiting"')}[${window}]))`,
  },
  'queue-age': {
    title: 'Age of the oldest waiting job',
    group: 'infrastructure',
    unit: 'seconds',
    read: latest('queueAge'),
    promql: (_, environment) => `max(${of('dam_queue_oldest_seconds', environment)})`,
  },
  restarts: {
    title: 'Unexpected restarts',
    group: 'infrastructure',
    unit: 'count',
    read: (steps) => ({ value: steps.reduce((sum, step) => sum + step.restarts, 0), samples: steps.length }),
    promql: (window, environment) => `${grown('dam_process_restarts_total', window, environment)} or vector(0)`,
  },
  'upload-success': {
    title: 'Upload success',
    group: 'business',
    unit: 'share',
    read: ratio('uploads', 'good'),
    promql: (window, environment) =>
      `1 - ${share(grown('dam_uploads_total', window, environment, 'outcome="failed"'), allUploads(window, environment))}`,
    samplesPromql: allUploads,
  },
  'search-success': {
    title: 'Search success',
    group: 'business',
    unit: 'share',
    read: ratio('searches', 'good'),
    promql: (window, environment) =>
      share(grown('dam_searches_total', window, environment, 'outcome="found"'), allSearches(window, environment)),
    samplesPromql: allSearches,
  },
  satisfaction: {
    title: 'User satisfaction',
    group: 'business',
    unit: 'share',
    read: (steps) => {
      const reading = latest('satisfaction')(steps)
      return reading && { ...reading, samples: latest('ratings')(steps)?.value ?? 0 }
    },
    // NaN while nobody rated.
    promql: (_, environment) => `max(${of('dam_satisfaction_ratio', environment)} >= 0)`,
    samplesPromql: (_, environment) => `max(${of('dam_satisfaction_people', environment)})`,
  },
  'backup-age': {
    title: 'Age of the newest backup',
    group: 'infrastructure',
    unit: 'seconds',
    read: latest('backupAge'),
    promql: (_, environment) => `max(${of('dam_backup_age_seconds', environment)})`,
  },
  'drill-age': {
    title: 'Age of the last restore drill',
    group: 'infrastructure',
    unit: 'seconds',
    read: latest('drillAge'),
    promql: (_, environment) => `max(${of('dam_restore_drill_age_seconds', environment)})`,
  },
}
