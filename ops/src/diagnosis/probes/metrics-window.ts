import { setTimeout as sleep } from 'node:timers/promises'
import { increases, parsePrometheusText, type Series, sumOf } from '../../signals/prometheus-text.ts'
import { quantileOf } from '../../signals/sample.ts'
import { NotThere } from '../probe.ts'

export type RouteTimes = { method: string; route: string; requests: number; errors: number; p95Seconds: number | null }
export type MetricsWindow = {
  seconds: number
  /** Between the two looks, busiest first. */
  recent: RouteTimes[]
  /** Since the process started, slowest first. */
  sinceStart: RouteTimes[]
  pool: { inUse: number; idle: number; waiting: number; max: number }
  /** Time of a statement with its wait for a connection, seconds: now and since the start. */
  statementSeconds: { recent: number | null; sinceStart: number | null }
  queue: { waiting: number; running: number; failed: number; oldestSeconds: number }
  cache: { name: string; hits: number; misses: number }[]
  web: {
    residentBytes: number
    heapBytes: number
    heapBytesBefore: number
    residentBytesBefore: number
    uptimeSeconds: number
    loopLagSeconds: number
  }
  satisfaction: number | null
}

/** Two looks at /metrics, `gapMs` apart. */
export async function readMetricsWindow(
  address: string,
  headers: Record<string, string>,
  gapMs: number,
): Promise<MetricsWindow> {
  const look = async (): Promise<Series[]> => {
    const response = await fetch(`${address}/metrics`, { headers, signal: AbortSignal.timeout(2_500) })
    if (response.status !== 200) throw new NotThere(`/metrics answers ${response.status}`)
    return parsePrometheusText(await response.text())
  }
  const before = await look()
  const startedAt = performance.now()
  await sleep(gapMs)
  const now = await look()
  return metricsWindow(before, now, (performance.now() - startedAt) / 1_000)
}

export function metricsWindow(before: readonly Series[], now: readonly Series[], seconds: number): MetricsWindow {
  const grown = increases(before, now)
  const value = (
    name: string,
    where?: (labels: Record<string, string>) => boolean,
    series: readonly Series[] = now,
  ): number => sumOf(series, name, where) ?? 0
  const state =
    (wanted: string) =>
    ({ state }: Record<string, string>): boolean =>
      state === wanted
  const mean = (series: readonly Series[]): number | null => {
    const count = value('dam_database_query_duration_seconds_count', undefined, series)
    return count === 0 ? null : value('dam_database_query_duration_seconds_sum', undefined, series) / count
  }
  const isWeb = ({ process }: Record<string, string>): boolean => process === 'web'
  return {
    seconds,
    recent: routesOf(grown).toSorted((a, b) => b.requests - a.requests),
    sinceStart: routesOf(now).toSorted((a, b) => (b.p95Seconds ?? 0) - (a.p95Seconds ?? 0)),
    pool: {
      inUse: value('dam_database_pool_connections', state('in_use')),
      idle: value('dam_database_pool_connections', state('idle')),
      waiting: value('dam_database_pool_connections', state('waiting')),
      max: value('dam_database_pool_connections', state('max')),
    },
    statementSeconds: { recent: mean(grown), sinceStart: mean(now) },
    queue: {
      waiting: value('dam_queue_jobs', state('waiting')),
      running: value('dam_queue_jobs', state('running')),
      failed: value('dam_queue_jobs', state('failed')),
      oldestSeconds: value('dam_queue_oldest_seconds'),
    },
    cache: ['shared', 'renditions', 'summaries'].map((name) => ({
      name,
      hits: value('dam_cache_reads_total', ({ cache, result }) => cache === name && result === 'hit'),
      misses: value('dam_cache_reads_total', ({ cache, result }) => cache === name && result === 'miss'),
    })),
    web: {
      residentBytes: value('dam_process_resident_memory_bytes', isWeb),
      residentBytesBefore: value('dam_process_resident_memory_bytes', isWeb, before),
      heapBytes: value('dam_process_heap_used_bytes'),
      heapBytesBefore: value('dam_process_heap_used_bytes', undefined, before),
      uptimeSeconds: value('dam_process_uptime_seconds'),
      loopLagSeconds: value('dam_event_loop_lag_seconds', ({ quantile }) => quantile === '0.99'),
    },
    satisfaction: sumOf(now, 'dam_satisfaction_ratio'),
  }
}

const ownRoutes = new Set(['/health', '/api/health', '/livez', '/readyz', '/metrics'])

/** Requests of people by route, with their p95. */
function routesOf(series: readonly Series[]): RouteTimes[] {
  const groups = new Map<
    string,
    { method: string; route: string; requests: number; errors: number; cumulative: Map<string, number> }
  >()
  const groupOf = ({ method = '', route = '' }: Record<string, string>) => {
    const key = `${method} ${route}`
    const group = groups.get(key) ?? { method, route, requests: 0, errors: 0, cumulative: new Map<string, number>() }
    groups.set(key, group)
    return group
  }
  for (const { name, labels, value } of series) {
    if (ownRoutes.has(labels['route'] ?? '') || value === 0) continue
    if (name === 'dam_http_requests_total') {
      const group = groupOf(labels)
      group.requests += value
      if (labels['status']?.startsWith('5')) group.errors += value
    } else if (name === 'dam_http_request_duration_seconds_bucket')
      groupOf(labels).cumulative.set(labels['le'] ?? '+Inf', value)
  }
  return [...groups.values()]
    .filter(({ requests }) => requests > 0)
    .map(({ cumulative, ...rest }) => ({ ...rest, p95Seconds: quantileOf(byBucket(cumulative), 0.95) }))
}

/** Prometheus' buckets are cumulative; quantiles are of single ones. */
function byBucket(cumulative: ReadonlyMap<string, number>): Record<string, number> {
  const bound = (text: string): number => (text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text))
  let below = 0
  const single: Record<string, number> = {}
  for (const [le, count] of [...cumulative].toSorted(([a], [b]) => bound(a) - bound(b))) {
    if (count > below) single[le] = count - below
    below = Math.max(below, count)
  }
  return single
}
