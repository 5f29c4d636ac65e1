import pg from 'pg'
import type { OutcomeBucket } from '../front/front-api.ts'
import { latencyBoundsMs } from '../front/front-api.ts'
import type { Finding } from './checklist.ts'
import type { JourneyResult } from './journey.ts'

/** Both bodies of the runbook, exactly: their status, and no dependency away. */
export async function findHealth(baseUrl: string): Promise<Finding> {
  const wrong: string[] = []
  for (const [path, expected] of [
    ['/health', { status: 'healthy' }],
    ['/api/health', { status: 'healthy', database: 'connected', cache: 'connected' }],
  ] as const) {
    try {
      const response = await fetch(baseUrl + path, { signal: AbortSignal.timeout(5_000) })
      const body = (await response.json()) as Record<string, unknown>
      const isSo = Object.entries(expected).every(([key, value]) => body[key] === value)
      if (response.status !== 200 || !isSo || typeof body['version'] !== 'string') {
        wrong.push(`${path}: ${response.status} ${JSON.stringify(body).slice(0, 200)}`)
      }
    } catch (error) {
      wrong.push(`${path}: ${error instanceof Error ? error.message : String(error)}`)
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

export type Targets = { p95Ms: number; errorRate: number; leastRequests: number }
export const runbookTargets: Targets = { p95Ms: 500, errorRate: 0.001, leastRequests: 20 }

/** p95 of pages and API of the newest hour against its target; journeys count, because staging often has nobody else. */
export function findPerformance(buckets: readonly OutcomeBucket[], targets = runbookTargets): Finding {
  const counted = buckets.filter(({ routeClass }) => routeClass === 'page' || routeClass === 'api')
  const histogram = [...latencyBoundsMs, Infinity].map((_, index) => sum(counted, ({ latency }) => latency[index] ?? 0))
  const total = histogram.reduce((all, count) => all + count, 0)
  if (total < targets.leastRequests) return tooFew(total, targets)
  let [seen, index] = [0, 0]
  for (; index < histogram.length; index++) {
    seen += histogram[index] ?? 0
    if (seen >= total * 0.95) break
  }
  const bound = latencyBoundsMs[index] ?? Infinity
  const evidence = `p95 is at most ${bound} ms over ${total} requests, target ${targets.p95Ms} ms`
  return { state: bound <= targets.p95Ms ? 'pass' : 'fail', evidence }
}

/** Error rate against the runbook's target, people's requests only. */
export function findErrorRate(buckets: readonly OutcomeBucket[], targets = runbookTargets): Finding {
  const counted = buckets.filter(({ isSynthetic }) => !isSynthetic)
  const total = sum(counted, (bucket) => bucket.total)
  if (total < targets.leastRequests) return tooFew(total, targets)
  const bad = sum(counted, (bucket) => bucket.bad)
  const evidence = `${bad} of ${total} requests failed, target below ${targets.errorRate * 100} %`
  return { state: bad / total < targets.errorRate ? 'pass' : 'fail', evidence }
}

/** Errors since `since` of kinds that were not in the log before. */
export async function findNewErrors(connectionString: string, since: Date): Promise<Finding> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, statement_timeout: 10_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ message: string; events: string }>(
      `select max(message) as message, count(*) as events from error_log mine
       where "timestamp" >= $1 and not exists (
         select from error_log earlier where earlier."timestamp" < $1
           and coalesce(earlier.fingerprint, earlier.code || earlier.message) = coalesce(mine.fingerprint, mine.code || mine.message))
       group by coalesce(fingerprint, code || message) order by count(*) desc limit 5`,
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
      evidence: `error_log cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    }
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Mean of the in-app ratings of the last week; undefined (ask a person) while there are fewer than five. */
export async function findFeedback(connectionString: string, now: Date): Promise<Finding | undefined> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, statement_timeout: 10_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ mean: string | null; n: string }>(
      'select avg(rating) as mean, count(*) as n from satisfaction_rating where at > $1',
      [new Date(now.getTime() - 7 * 86_400_000)],
    )
    const [mean, n] = [Number(rows[0]?.mean ?? 0), Number(rows[0]?.n ?? 0)]
    if (n < 5) return undefined
    return {
      state: mean >= 3.5 ? 'pass' : 'fail',
      evidence: `people rate it ${mean.toFixed(1)} of 5 (${n} ratings in 7 days)`,
    }
  } catch {
    return undefined
  } finally {
    await client.end().catch(() => undefined)
  }
}

const sum = <T>(items: readonly T[], value: (item: T) => number): number =>
  items.reduce((all, item) => all + value(item), 0)
const tooFew = (total: number, targets: Targets): Finding => ({
  state: 'unknown',
  evidence: `${total} requests in the last hour say nothing; at least ${targets.leastRequests} are needed`,
})
