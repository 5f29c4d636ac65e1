import path from 'node:path'
import type { Environment } from '../environments/environment.ts'
import { latencyBoundsMs, type Outcomes } from '../front/front-api.ts'
import { createFrontClient } from '../front/front-client.ts'
import { openHostFigures } from './host-figures.ts'
import { increases, parsePrometheusText, type Series, sumOf } from './prometheus-text.ts'
import { emptySample, type Sample } from './sample.ts'

export type CollectorDeps = {
  environment: Environment
  /** Marks our probes, so that the front counts them apart; null without a front. */
  syntheticSecret: string | null
  /** Crashes of slot processes since the environment was made; null where nobody counts them. */
  crashes: () => number | null
  ages: (now: Date) => { backupSeconds: number | null; drillSeconds: number | null }
}

const probeTimeoutMs = 3_000

/** Looks at an environment from outside, at its metrics, at its front and at the machine. Never throws: what does not answer is the news. */
export function openCollector(deps: CollectorDeps): (now: Date) => Promise<Sample> {
  const { environment } = deps
  const base = addressOf(environment)
  const figuresOf = openHostFigures(environment.dataDir)
  const front = environment.runDir === null ? null : createFrontClient(path.join(environment.runDir, 'front.sock'))
  const headers = deps.syntheticSecret === null ? {} : { 'x-dam-synthetic': deps.syntheticSecret }
  let lastMetrics: Series[] | null = null
  let lastUptime: number | null = null
  let lastCrashes: number | null = null
  let outcomes: { seq: number; counted: Map<string, OutcomeCounts> } | null = null

  const get = async (pathname: string): Promise<{ status: number; body: string } | null> => {
    try {
      const response = await fetch(`${base}${pathname}`, {
        headers,
        redirect: 'manual',
        signal: AbortSignal.timeout(probeTimeoutMs),
      })
      return { status: response.status, body: await response.text() }
    } catch {
      return null
    }
  }

  return async (now) => {
    const sample = emptySample()
    const [health, apiHealth, metrics, host, seen] = await Promise.all([
      get('/health'),
      get('/api/health'),
      get('/metrics'),
      figuresOf(now).catch(() => null),
      front?.outcomes(outcomes?.seq ?? 0, Math.floor(now.getTime() / 1_000) - 120).catch(() => null) ?? null,
    ])
    sample.up.system = health?.status === 200 ? 1 : 0
    Object.assign(sample.up, dependenciesOf(apiHealth))
    if (host) {
      sample.gauges.memory = host.memory
      sample.gauges.disk = host.disk
      if (host.cpu !== null) sample.gauges.cpu = host.cpu
      if (host.network !== null) sample.gauges.network = host.network
    }
    const { backupSeconds, drillSeconds } = deps.ages(now)
    if (backupSeconds !== null) sample.gauges.backupAge = backupSeconds
    if (drillSeconds !== null) sample.gauges.drillAge = drillSeconds

    if (metrics?.status === 200) {
      const series = parsePrometheusText(metrics.body)
      addGauges(sample, series)
      const grown = lastMetrics === null ? [] : increases(lastMetrics, series)
      addCounts(sample, grown, front === null)
      const uptime = sumOf(series, 'dam_process_uptime_seconds')
      if (front === null && uptime !== null && lastUptime !== null && uptime < lastUptime) sample.restarts++
      lastUptime = uptime ?? lastUptime
      lastMetrics = series
    }
    const crashes = deps.crashes()
    if (crashes !== null && lastCrashes !== null) sample.restarts += Math.max(0, crashes - lastCrashes)
    lastCrashes = crashes ?? lastCrashes
    if (seen) outcomes = addOutcomes(sample, seen, outcomes)
    return sample
  }
}

/** Where this machine reaches the environment, whatever its public name is. */
export function addressOf(environment: Pick<Environment, 'host' | 'port'>): string {
  const { host, port } = environment
  const target = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${target.includes(':') ? `[${target}]` : target}:${port}`
}

function dependenciesOf(answer: { body: string } | null): Sample['up'] {
  if (!answer) return {}
  try {
    const { database, cache, storage } = JSON.parse(answer.body) as Record<string, unknown>
    return {
      ...(typeof database === 'string' ? { database: database === 'connected' ? 1 : 0 } : {}),
      ...(typeof cache === 'string' ? { cache: cache === 'connected' ? 1 : 0 } : {}),
      ...(typeof storage === 'string' ? { storage: storage === 'available' ? 1 : 0 } : {}),
    }
  } catch {
    return {}
  }
}

export function addGauges(sample: Sample, series: readonly Series[]): void {
  const set = (name: keyof Sample['gauges'], value: number | null): void => {
    if (value !== null) sample.gauges[name] = value
  }
  set('activeUsers', sumOf(series, 'dam_active_users'))
  set(
    'poolWaiting',
    sumOf(series, 'dam_database_pool_connections', ({ state }) => state === 'waiting'),
  )
  set('queueAge', sumOf(series, 'dam_queue_oldest_seconds'))
  const ratings = sumOf(series, 'dam_satisfaction_people')
  set('ratings', ratings)
  if (ratings !== null && ratings > 0) set('satisfaction', sumOf(series, 'dam_satisfaction_ratio'))
}

/** Probes are no users. */
const isProbe = ({ route }: Record<string, string>): boolean =>
  ['/health', '/api/health', '/livez', '/readyz', '/metrics'].includes(route ?? '')

export function addCounts(sample: Sample, grown: readonly Series[], withRequests: boolean): void {
  const count = (name: string, where: (labels: Record<string, string>) => boolean): number =>
    sumOf(grown, name, where) ?? 0
  const outcome =
    (...names: string[]) =>
    (labels: Record<string, string>) =>
      names.includes(labels['outcome'] ?? '')
  const stored = count('dam_uploads_total', outcome('stored', 'duplicate'))
  const failed = count('dam_uploads_total', outcome('failed'))
  sample.uploads = { total: stored + failed, bad: failed }
  const found = count('dam_searches_total', outcome('found'))
  const missed = count('dam_searches_total', outcome('empty', 'failed'))
  sample.searches = { total: found + missed, bad: missed }
  if (!withRequests) return
  sample.requests = {
    total: count('dam_http_requests_total', (labels) => !isProbe(labels)),
    bad: count('dam_http_requests_total', (labels) => !isProbe(labels) && (labels['status'] ?? '').startsWith('5')),
  }
  sample.durations = durationsOf(grown)
}

/** Requests of people by how long they took, as `Sample` has it: what is below the next lower bound is taken off. */
export function durationsOf(series: readonly Series[]): Sample['durations'] {
  const cumulative = new Map<string, number>()
  for (const { name, labels, value } of series) {
    if (name !== 'dam_http_request_duration_seconds_bucket' || isProbe(labels)) continue
    const bound = labels['le'] ?? '+Inf'
    cumulative.set(bound, (cumulative.get(bound) ?? 0) + value)
  }
  const limit = (bound: string): number => (bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound))
  const durations: Sample['durations'] = {}
  let below = 0
  // Empty buckets are kept: a quantile lies between the bounds of its own.
  for (const [bound, value] of [...cumulative].toSorted(([a], [b]) => limit(a) - limit(b))) {
    durations[bound] = Math.max(0, value - below)
    below = Math.max(below, value)
  }
  return below === 0 ? {} : durations
}

type OutcomeCounts = { total: number; bad: number; latency: number[] }

/** Buckets of the current second still grow, so what was counted of a bucket is taken off when it comes again. */
function addOutcomes(
  sample: Sample,
  seen: Outcomes,
  before: { counted: Map<string, OutcomeCounts> } | null,
): { seq: number; counted: Map<string, OutcomeCounts> } {
  const counted = new Map(before?.counted)
  for (const bucket of seen.buckets) {
    if (bucket.isSynthetic) continue
    const key = `${bucket.second} ${bucket.slot} ${bucket.routeClass}`
    const now: OutcomeCounts = {
      // Answers of a maintenance window were announced and are no errors.
      total: bucket.total - bucket.aborted - (bucket.refused ?? 0),
      bad: bucket.bad,
      latency: bucket.latency,
    }
    // What was there before we began to look is not of this step.
    const earlier = before === null ? now : (counted.get(key) ?? { total: 0, bad: 0, latency: [] })
    sample.requests.total += Math.max(0, now.total - earlier.total)
    sample.requests.bad += Math.max(0, now.bad - earlier.bad)
    if (bucket.routeClass !== 'stream' && bucket.routeClass !== 'upload') {
      for (const [index, count] of now.latency.entries()) {
        const bound = latencyBoundsMs[index]
        const name = bound === undefined ? '+Inf' : String(bound / 1_000)
        const more = count - (earlier.latency[index] ?? 0)
        sample.durations[name] = (sample.durations[name] ?? 0) + Math.max(0, more)
      }
    }
    counted.set(key, now)
  }
  const newest = Math.max(0, ...[...counted.keys()].map((key) => Number(key.slice(0, key.indexOf(' ')))))
  for (const key of counted.keys()) if (Number(key.slice(0, key.indexOf(' '))) < newest - 180) counted.delete(key)
  return { seq: seen.seq, counted }
}
