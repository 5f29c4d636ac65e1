import { z } from 'zod'
import type { SecondCounts } from '../judge/bake-evidence.ts'

export type PrometheusQuestion = {
  url: string
  /** Further labels that all series must have, such as a namespace. Already checked. */
  labels: Readonly<Record<string, string>>
  /** Unix seconds. */
  from: number
  until: number
  stepSeconds: number
  slowerThanMs: number
  signal?: AbortSignal
}

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), values: z.array(z.tuple([z.number(), z.string()])) }),
    ),
  }),
})
type Matrix = z.output<typeof answerSchema>['data']['result']

/** Requests of machines, which say nothing about a release. */
const notJudged = 'route!~"/livez|/readyz|/metrics|/health|/api/health"'
const rendering = '/api/v4/dam/assets/[^/]+/(download|renditions)/.*'
const uploading = '/api/v4/uploads/.*|/api/v4/dam/assets/(upload/|:id/)?'
const streaming = '/api/v4/events/stream/'
/** How long rendering may take, as the front has it. */
const slowRenderMs = 5_000

/**
 * Judged requests by release, from DAM's own counters in Prometheus. A process says its release in `dam_build_info`; counters of the same
 * `job` and `instance` are its own. Uploads and event streams take as long as the client does and are never slow. Throws when Prometheus
 * does not answer.
 */
export async function countsFromPrometheus(question: PrometheusQuestion): Promise<Map<string, SecondCounts[]>> {
  const labels = Object.entries(question.labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  const series = (name: string, ...matchers: string[]): string => `${name}{${[...labels, ...matchers].join(',')}}`
  const byRelease = (sum: string, ...by: string[]): string =>
    `sum by (${['job', 'instance', 'release', ...by].join(',')}) ((${sum}) * on (job, instance) group_left (release) ${series('dam_build_info')})`
  const durations = 'dam_http_request_duration_seconds_bucket'
  const others = [
    series(durations, notJudged, `route!~"${rendering}|${streaming}"`, 'method!~"POST|PUT|PATCH"'),
    series(durations, notJudged, `route!~"${uploading}"`, 'method=~"POST|PUT|PATCH"'),
  ].join(' or ')
  const [all, failed, usual, rendered] = await Promise.all([
    ask(question, byRelease(series('dam_http_requests_total', notJudged, 'status!~"4.."'))),
    ask(question, byRelease(series('dam_http_requests_total', notJudged, 'status=~"5.."'))),
    ask(question, byRelease(others, 'le')),
    ask(question, byRelease(series(durations, `route=~"${rendering}"`), 'le')),
  ])
  const parts = {
    total: increasesOf(all),
    bad: increasesOf(failed, all),
    slow: [
      ...increasesOf(slowerThan(usual, question.slowerThanMs), all),
      ...increasesOf(slowerThan(rendered, slowRenderMs), all),
    ],
  }
  const counts = new Map<string, Map<number, SecondCounts>>()
  for (const kind of ['total', 'bad', 'slow'] as const) {
    for (const { release, second, increase } of parts[kind]) {
      const ofRelease = counts.get(release) ?? new Map<number, SecondCounts>()
      counts.set(release, ofRelease)
      const at = ofRelease.get(second) ?? { second, total: 0, bad: 0, slow: 0 }
      at[kind] += increase
      ofRelease.set(second, at)
    }
  }
  return new Map([...counts].map(([release, ofRelease]) => [release, settled([...ofRelease.values()])]))
}

/** A duration is counted a moment before its request; no part may be more than the whole. */
const settled = (counts: SecondCounts[]): SecondCounts[] =>
  counts
    .map((at) => ({ ...at, bad: Math.min(at.bad, at.total), slow: Math.min(at.slow, at.total) }))
    .filter(({ total }) => total > 0)
    .toSorted((a, b) => a.second - b.second)

async function ask({ url, from, until, stepSeconds, signal }: PrometheusQuestion, query: string): Promise<Matrix> {
  const response = await fetch(`${url}/api/v1/query_range`, {
    method: 'POST',
    body: new URLSearchParams({ query, start: String(from), end: String(until), step: String(stepSeconds) }),
    signal: AbortSignal.any([AbortSignal.timeout(8_000), ...(signal ? [signal] : [])]),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`Prometheus answered ${response.status}: ${text.slice(0, 200)}`)
  return answerSchema.parse(JSON.parse(text)).data.result
}

type Increase = { release: string; second: number; increase: number }

const processOf = (metric: Record<string, string>): string =>
  `${metric['job'] ?? ''} ${metric['instance'] ?? ''} ${metric['release'] ?? ''}`

/**
 * What counters grew by at each step. A counter that is lower than before began again. The first value of a process is where counting
 * begins; with `alive`, a series that comes later than its process counts from zero, because its label was not seen before.
 */
function increasesOf(matrix: Matrix, alive?: Matrix): Increase[] {
  const born = new Map(alive?.map(({ metric, values }) => [processOf(metric), values[0]?.[0]]))
  return matrix.flatMap(({ metric, values }) => {
    const release = metric['release'] ?? ''
    const bornAt = born.get(processOf(metric))
    let last: number | undefined = bornAt !== undefined && bornAt < (values[0]?.[0] ?? 0) ? 0 : undefined
    return values.flatMap(([second, text]) => {
      const value = Number(text)
      const increase = last === undefined ? 0 : value >= last ? value - last : value
      last = value
      return increase > 0 ? [{ release, second, increase: Math.round(increase) }] : []
    })
  })
}

/** Requests above the least bound of the histogram that is not below `thresholdMs`. */
function slowerThan(buckets: Matrix, thresholdMs: number): Matrix {
  const bounds = [...new Set(buckets.map(({ metric }) => metric['le'] ?? ''))].filter(
    (le) => Number(le) * 1000 >= thresholdMs,
  )
  const bound = bounds.toSorted((a, b) => Number(a) - Number(b))[0]
  if (bound === undefined) return []
  const within = new Map(
    buckets
      .filter(({ metric }) => metric['le'] === bound)
      .map(({ metric, values }) => [processOf(metric), new Map(values)]),
  )
  return buckets
    .filter(({ metric }) => metric['le'] === '+Inf')
    .map(({ metric, values }) => ({
      metric,
      values: values.map(([second, text]): [number, string] => [
        second,
        String(Number(text) - Number(within.get(processOf(metric))?.get(second) ?? 0)),
      ]),
    }))
}
