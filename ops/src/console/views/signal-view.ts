import type { KeyMetric, SignalMark, SignalSeries, SignalsView } from '@dam/contract/ops-types'
import type { Policy, SignalName } from '../../policy/policy.ts'
import type { Bucket, BucketReader } from '../../signals/read-buckets.ts'
import { signals } from '../../signals/vocabulary.ts'
import type { Store } from '../../store.ts'

type Range = SignalsView['range']
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** How long a range is and how finely it is shown: about 400 points at most. */
const ranges: Record<Range, { lengthMs: number; bucketMs: number }> = {
  '1h': { lengthMs: hourMs, bucketMs: 10_000 },
  '6h': { lengthMs: 6 * hourMs, bucketMs: minuteMs },
  '24h': { lengthMs: dayMs, bucketMs: 5 * minuteMs },
  '7d': { lengthMs: 7 * dayMs, bucketMs: 30 * minuteMs },
  '35d': { lengthMs: 35 * dayMs, bucketMs: 150 * minuteMs },
}

/** In the order in which one looks at them. */
const shown: readonly SignalName[] = [
  'error-rate',
  'response-time-p95',
  'request-rate',
  'error-burn',
  'active-users',
  'cpu',
  'memory',
  'disk',
  'network',
  'pool-waiting',
  'queue-age',
  'upload-success',
  'search-success',
  'satisfaction',
]

export type SignalSource = {
  store: Store
  policy: Policy
  buckets: BucketReader
  /** Windows of maintenance that touch a stretch. */
  windows: (environment: string, from: Date, until: Date) => { name: string; from: string; until: string | null }[]
}

/** Signals of an environment over a range, with what deployments and maintenance did meanwhile. */
export async function readSignals(
  source: SignalSource,
  environment: string,
  range: Range,
  now: Date,
): Promise<SignalsView> {
  const { lengthMs, bucketMs } = ranges[range]
  const until = now.getTime()
  const from = Math.floor((until - lengthMs) / bucketMs) * bucketMs
  const buckets = await source.buckets({ environment, from, until, bucketMs })
  return {
    environment,
    range,
    from: new Date(from).toISOString(),
    until: now.toISOString(),
    bucketMs,
    times: buckets.map(({ at }) => at / 1_000),
    series: shown.map((name) => seriesOf(source.policy, name, buckets, bucketMs, until)),
    marks: marksOf(source, environment, new Date(from), now),
  }
}

function seriesOf(
  policy: Policy,
  name: SignalName,
  buckets: readonly Bucket[],
  bucketMs: number,
  until: number,
): SignalSeries {
  const { title, group, unit } = signals[name]
  return {
    signal: name,
    title,
    group,
    unit,
    values: valuesOf(name, buckets, bucketMs, until),
    limits: policy.alerts
      .filter((rule) => rule.signal === name)
      .map((rule) => ({ rule: rule.name, severity: rule.severity, is: rule.is, value: rule.threshold.value })),
    target: targetOf(policy, name),
  }
}

const significant = (value: number): number => Number(value.toPrecision(4))

/** The newest bucket is still being filled: what is counted a second is counted over what has passed of it. */
function valuesOf(name: SignalName, buckets: readonly Bucket[], bucketMs: number, until: number): (number | null)[] {
  return buckets.map(({ at, sample }) => {
    if (!sample) return null
    const reading = signals[name].read([sample], Math.max(10_000, Math.min(bucketMs, until - at)))
    return reading === null ? null : significant(reading.value)
  })
}

function targetOf(policy: Policy, name: SignalName): SignalSeries['target'] {
  const target = policy.targets[name]
  if (!target) return null
  if (target.below) return { is: 'below', value: target.below.value }
  return target.above ? { is: 'above', value: target.above.value } : null
}

function marksOf(source: SignalSource, environment: string, from: Date, until: Date): SignalMark[] {
  const deployments = source.store.rows<{ id: number; kind: string; at: string; state: string; tag: string }>(
    `select d.id, d.kind, e.at, e.state, r.tag from deployment_event e
       join deployment d on d.id = e.deployment_id join release r on r.digest = d.digest
     where d.environment = ? and e.at >= ? and e.at < ? and e.status = 'done' and e.state in ('cut-over', 'rolled-back')
     order by e.at limit 200`,
    environment,
    from.toISOString(),
    until.toISOString(),
  )
  const seen = new Set<string>()
  const marks = deployments.flatMap(({ id, kind, at, state, tag }): SignalMark[] => {
    if (seen.has(`${id} ${state}`)) return []
    seen.add(`${id} ${state}`)
    const isRollback = state === 'rolled-back' || kind === 'rollback'
    return [{ at, until: null, kind: isRollback ? 'rollback' : 'cut-over', label: tag, deploymentId: id }]
  })
  const windows = source.windows(environment, from, until).map((window): SignalMark => ({
    at: window.from,
    until: window.until,
    kind: 'maintenance',
    label: window.name,
    deploymentId: null,
  }))
  return [...marks, ...windows].toSorted((a, b) => (a.at < b.at ? -1 : 1))
}

const trendSteps = 24
const trendMs = 15 * minuteMs

/** Each target of the policy with its value over the target's window, and the last six hours. */
export async function readKeyMetrics(source: SignalSource, environment: string, now: Date): Promise<KeyMetric[]> {
  const { policy, buckets } = source
  const until = now.getTime()
  const recent = await buckets({ environment, from: until - trendSteps * trendMs, until, bucketMs: trendMs })
  const metrics: KeyMetric[] = []
  for (const [name, target] of Object.entries(policy.targets) as [SignalName, Policy['targets'][SignalName]][]) {
    const bound = target && targetOf(policy, name)
    if (!target || !bound) continue
    const { title, unit, read } = signals[name]
    // Long windows are read in settled half hours, short ones in the steps they have.
    const bucketMs = target.window > 6 * hourMs ? 30 * minuteMs : target.window > 30 * minuteMs ? minuteMs : 10_000
    const seen = await buckets({ environment, from: until - target.window, until, bucketMs })
    const reading = read(
      seen.flatMap(({ sample }) => (sample ? [sample] : [])),
      target.window,
    )
    metrics.push({
      signal: name,
      title,
      unit,
      windowMs: target.window,
      value: reading ? significant(reading.value) : null,
      samples: reading ? Math.round(reading.samples) : 0,
      target: bound,
      isMet: reading ? (bound.is === 'below' ? reading.value < bound.value : reading.value > bound.value) : null,
      trend: valuesOf(name, recent.slice(-trendSteps), trendMs, until),
    })
  }
  return metrics
}
