import type { AlertRule, SignalName } from '../policy/policy.ts'

/** One raw series: its selector, and what it grows by (counters) or is (gauges) in each step. */
export type RawSeries = { series: string; counter?: number; gauge?: number }

const requestsInStep = 1_000

/** What DAM would export in each step of ten seconds while a signal has about this value. Only what the signal is made of. */
export function seriesOf(signal: SignalName, value: number, environment: string): RawSeries[] {
  const label = (name: string, labels = ''): string => `${name}{environment="${environment}"${labels && `,${labels}`}}`
  const requests = (failed: number): RawSeries[] => [
    {
      series: label('dam_http_requests_total', 'route="/api/v4/dam/assets/",status="200"'),
      counter: requestsInStep - failed,
    },
    { series: label('dam_http_requests_total', 'route="/api/v4/dam/assets/",status="500"'), counter: failed },
  ]
  const of = (name: string, labels = ''): RawSeries[] => [{ series: label(name, labels), gauge: value }]
  const pair = (name: string, good: string, bad: string, success: number): RawSeries[] => [
    { series: label(name, `outcome="${good}"`), counter: 100 * success },
    { series: label(name, `outcome="${bad}"`), counter: 100 - 100 * success },
  ]
  switch (signal) {
    case 'error-rate':
      return requests(requestsInStep * value)
    case 'error-burn':
      return requests(requestsInStep * value * 0.001)
    case 'availability':
      return requests(requestsInStep * (1 - value))
    case 'request-rate':
      return [
        { series: label('dam_http_requests_total', 'route="/api/v4/dam/assets/",status="200"'), counter: value * 10 },
      ]
    case 'response-time-p95': {
      // All in one bucket around the value.
      const bounds = [0.1, 0.25, 0.5, 1, 2, 5, 10, 30]
      return [
        ...[...bounds, Number.POSITIVE_INFINITY].map((bound) => ({
          series: label(
            'dam_http_request_duration_seconds_bucket',
            `route="/api/v4/dam/assets/",le="${Number.isFinite(bound) ? bound : '+Inf'}"`,
          ),
          counter: bound > value ? requestsInStep : 0,
        })),
        {
          series: label('dam_http_request_duration_seconds_count', 'route="/api/v4/dam/assets/"'),
          counter: requestsInStep,
        },
      ]
    }
    case 'system-up':
      return of('up', 'job="dam"')
    case 'database-up':
      return of('dam_dependency_up', 'dependency="database"')
    case 'storage-up':
      return of('dam_dependency_up', 'dependency="storage"')
    case 'cache-up':
      return of('dam_dependency_up', 'dependency="cache"')
    case 'active-users':
      return of('dam_active_users')
    case 'cpu':
      return of('dam_host_cpu_ratio')
    case 'memory':
      return [
        { series: label('dam_host_memory_bytes', 'state="available"'), gauge: 1_000 * (1 - value) },
        { series: label('dam_host_memory_bytes', 'state="total"'), gauge: 1_000 },
      ]
    case 'disk':
      return [
        { series: label('dam_disk_bytes', 'state="used"'), gauge: 1_000 * value },
        { series: label('dam_disk_bytes', 'state="free"'), gauge: 1_000 * (1 - value) },
      ]
    case 'network':
      return [{ series: label('dam_host_network_bytes_total'), counter: value * 10 }]
    case 'pool-waiting':
      return of('dam_database_pool_connections', 'state="waiting"')
    case 'queue-age':
      return of('dam_queue_oldest_seconds')
    case 'restarts':
      return [{ series: label('dam_process_restarts_total', 'slot="production-1",process="web"'), counter: value }]
    case 'upload-success':
      return pair('dam_uploads_total', 'stored', 'failed', value)
    case 'search-success':
      return pair('dam_searches_total', 'found', 'empty', value)
    case 'satisfaction':
      return [...of('dam_satisfaction_ratio'), { series: label('dam_satisfaction_people'), gauge: 1_000 }]
    case 'backup-age':
      return of('dam_backup_age_seconds')
    case 'drill-age':
      return of('dam_restore_drill_age_seconds')
  }
}

/** A value that is clearly bad or clearly good to a rule, within what its signal can be. */
export function plainValue(rule: AlertRule, isBad: boolean): number {
  const bound = isBad ? rule.threshold.value : rule.clear.value
  const isFlag = rule.signal.endsWith('-up')
  if (isFlag) return (rule.is === 'below') === isBad ? 0 : 1
  const goesUp = (rule.is === 'above') === isBad
  const isShare = rule.threshold.unit === 'share'
  if (goesUp) return isShare ? (bound + 1) / 2 : bound * 4
  return rule.signal === 'restarts' ? 0 : bound / 4
}
