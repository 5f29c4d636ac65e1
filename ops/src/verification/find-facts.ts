import pg from 'pg'
import type { OutcomeBucket } from '../front/front-api.ts'
import { latencyBoundsMs } from '../front/front-api.ts'
import { type Series, sumOf } from '../signals/prometheus-text.ts'
import { quantileOf, type Sample } from '../signals/sample.ts'
import type { Finding } from './checklist.ts'
import type { JourneyResult } from './journey.ts'

/** Both bodies of the runbook, exactly: their fields and form, and no dependency away. `version`: which one must answer. */
export async function findHealth(
  baseUrl: string,
  options: { version?: string | undefined; headers?: Record<string, string> } = {},
): Promise<Finding> {
  const wrong: string[] = []
  for (const [path, expected] of [
    ['/health', { status: /^healthy$/, timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/ }],
    ['/api/health', { status: /^healthy$/, database: /^connected$/, cache: /^connected$/ }],
  ] as const) {
    try {
      const response = await fetch(baseUrl + path, {
        headers: options.headers ?? {},
        redirect: 'manual',
        signal: AbortSignal.timeout(5_000),
      })
      const body = (await response.json()) as Record<string, unknown>
      const { version } = body
      const isSo = Object.entries(expected).every(
        ([key, form]) => typeof body[key] === 'string' && form.test(body[key]),
      )
      const isVersion = typeof version === 'string' && (options.version === undefined || version === options.version)
      if (response.status !== 200 || !isSo || !isVersion) {
        const wanted = options.version === undefined ? '' : `, expected version ${options.version}`
        wrong.push(`${path}: ${response.status} ${JSON.stringify(body).slice(0, 200)}${wanted}`)
      }
    } catch (error) {
      wrong.push(`${path}: ${reasonOf(error)}`)
    }
  }
  return wrong.length === 0
    ? { state: 'pass', evidence: '/health and /api/health answer as the runbook says' }
    : { state: 'fail', evidence: wrong.join('; ') }
}

export function findSmoke(journey: JourneyResult): Finding {
  const failed = journey.steps.find(({ ok }) => !ok)
  return failed
    ? { state: 'fail', evidence: `${failed.name}: ${failed.message}` }
    : { state: 'pass', evidence: `${journey.steps.length} steps in ${(journey.tookMs / 1000).toFixed(1)} s` }
}

/** Fewer requests say nothing about a rate. */
const leastRequests = 20

/** Requests of pages and API by how long they took (bounds in seconds); journeys count, because staging often has nobody else. */
export function durationsOfOutcomes(buckets: readonly OutcomeBucket[]): Sample['durations'] {
  const counted = buckets.filter(({ routeClass }) => routeClass === 'page' || routeClass === 'api')
  return Object.fromEntries(
    [...latencyBoundsMs, Infinity].map((bound, index) => [
      bound === Infinity ? '+Inf' : String(bound / 1000),
      counted.reduce((sum, { latency }) => sum + (latency[index] ?? 0), 0),
    ]),
  )
}

/** p95 against its target. `from`: where the requests were counted. */
export function findPerformance(durations: Sample['durations'], targetMs: number, from: string): Finding {
  const total = Object.values(durations).reduce((sum, count) => sum + count, 0)
  const p95 = quantileOf(durations, 0.95)
  if (p95 === null || total < leastRequests)
    return { state: 'unknown', evidence: `${total} requests ${from} say nothing; at least ${leastRequests} are needed` }
  const p95Ms = Math.round(p95 * 1000)
  return {
    state: p95Ms < targetMs ? 'pass' : 'fail',
    evidence: `p95 is ${p95Ms} ms over ${total} requests ${from}, target below ${targetMs} ms`,
  }
}

/** Errors since `since` of kinds that were not in the log before. */
export async function findNewErrors(connectionString: string, since: Date): Promise<Finding> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, statement_timeout: 10_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ message: string; events: string }>(
      `with error as (
         -- As JSON: the release before this column may be the one that serves.
         select "timestamp" as at, message, coalesce(to_jsonb(e) ->> 'fingerprint', code || message) as kind from error_log e)
       select max(message) as message, count(*) as events from error mine
       where at >= $1 and not exists (select from error earlier where earlier.at < $1 and earlier.kind = mine.kind)
       group by kind order by count(*) desc limit 5`,
      [since],
    )
    const from = `since ${since.toISOString().slice(0, 16)}Z`
    return rows.length === 0
      ? { state: 'pass', evidence: `no new kind of error ${from}` }
      : {
          state: 'fail',
          evidence: `${from}: ${rows.map(({ message, events }) => `${message.slice(0, 120)} (${events})`).join('; ')}`,
        }
  } catch (error) {
    return {
      state: 'unknown',
      evidence: `error_log cannot be read: ${reasonOf(error)}`,
    }
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Fewer people are no opinion of the users. */
const leastPeople = 5

/** What people say in the product, from the metrics of the release; undefined (ask a person) while too few have. */
export function findFeedback(metrics: readonly Series[], targetRatio: number): Finding | undefined {
  const ratio = sumOf(metrics, 'dam_satisfaction_ratio')
  const people = sumOf(metrics, 'dam_satisfaction_people') ?? 0
  if (ratio === null || Number.isNaN(ratio) || people < leastPeople) return undefined
  const percent = (share: number): string => `${Math.round(share * 100)} %`
  return {
    state: ratio >= targetRatio ? 'pass' : 'fail',
    evidence: `${percent(ratio)} of ${people} people rate it 4 or 5 of 5, target ${percent(targetRatio)}`,
  }
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
