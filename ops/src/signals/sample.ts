/** What was seen of an environment within one step of time. Counts are of the step, not since the start of a process. */
export type Sample = {
  /** Requests of people; probes and journeys of ours are not among them. `bad`: 5xx or no answer. */
  requests: { total: number; bad: number }
  /** Requests by how long they took: upper bound in seconds (`+Inf` the last) → number. Not cumulative; where there is one bound, there are all. */
  durations: Record<string, number>
  uploads: { total: number; bad: number }
  searches: { total: number; bad: number }
  /** Times a process ended by itself. */
  restarts: number
  /** 1 or 0; absent where nobody could look. */
  up: Partial<Record<'system' | 'database' | 'storage' | 'cache', number>>
  /** Means over the step. Shares are 0 to 1, ages and times seconds, network bytes a second. */
  gauges: Partial<Record<GaugeName, number>>
}

export type GaugeName =
  | 'cpu'
  | 'memory'
  | 'disk'
  | 'network'
  | 'activeUsers'
  | 'poolWaiting'
  | 'queueAge'
  | 'satisfaction'
  | 'ratings'
  | 'backupAge'
  | 'drillAge'

export const emptySample = (): Sample => ({
  requests: { total: 0, bad: 0 },
  durations: {},
  uploads: { total: 0, bad: 0 },
  searches: { total: 0, bad: 0 },
  restarts: 0,
  up: {},
  gauges: {},
})

/** Several steps as one: counts add up, an outage anywhere counts, gauges are means of those who know. */
export function mergeSamples(samples: readonly Sample[]): Sample {
  const merged = emptySample()
  const known = new Map<GaugeName, number>()
  for (const sample of samples) {
    for (const kind of ['requests', 'uploads', 'searches'] as const) {
      merged[kind].total += sample[kind].total
      merged[kind].bad += sample[kind].bad
    }
    for (const [bound, count] of Object.entries(sample.durations))
      merged.durations[bound] = (merged.durations[bound] ?? 0) + count
    merged.restarts += sample.restarts
    for (const [name, value] of Object.entries(sample.up) as [keyof Sample['up'], number][])
      merged.up[name] = Math.min(merged.up[name] ?? 1, value)
    for (const [name, value] of Object.entries(sample.gauges) as [GaugeName, number][]) {
      merged.gauges[name] = (merged.gauges[name] ?? 0) + value
      known.set(name, (known.get(name) ?? 0) + 1)
    }
  }
  for (const [name, count] of known) merged.gauges[name] = (merged.gauges[name] ?? 0) / count
  return merged
}

/** A quantile as Prometheus' histogram_quantile has it: linear inside its bucket; the highest finite bound beyond. Null without requests. */
export function quantileOf(durations: Record<string, number>, quantile: number): number | null {
  const buckets = Object.entries(durations)
    .map(([bound, count]) => ({ bound: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), count }))
    .toSorted((a, b) => a.bound - b.bound)
  const total = buckets.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return null
  const rank = quantile * total
  let seen = 0
  let lower = 0
  for (const { bound, count } of buckets) {
    if (seen + count >= rank && count > 0)
      return Number.isFinite(bound) ? lower + ((bound - lower) * (rank - seen)) / count : lower
    seen += count
    if (Number.isFinite(bound)) lower = bound
  }
  return lower
}
