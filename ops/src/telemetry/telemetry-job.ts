import type { Environment } from '../environments/environment.ts'
import type { Policy } from '../policy/policy.ts'
import { every, type Job } from '../scheduler/scheduler.ts'
import { openTimeline, type Timeline } from '../signals/timeline.ts'
import type { Store } from '../store.ts'
import { sendDogStatsD } from './dogstatsd.ts'
import { sendOtlp } from './otlp.ts'
import { longestSentMs, readPoints } from './signal-points.ts'

const everyMs = 15_000

/** Sends the values of the signals while the settings name a receiver. What a receiver does not take is lost: the next is newer. */
export function telemetryJob(deps: {
  store: Store
  policy: () => Policy
  environments: () => readonly Environment[]
  version: string
  config: { otlpUrl?: string | undefined; dogStatsD?: { host: string; port: number } | undefined }
}): Job[] {
  const { store, version } = deps
  const { otlpUrl, dogStatsD } = deps.config
  if (otlpUrl === undefined && dogStatsD === undefined) return []
  const timelines = new Map<string, Timeline>()
  const timelineOf = (environment: string): Timeline => {
    const timeline = timelines.get(environment) ?? openTimeline(store, environment, longestSentMs)
    timelines.set(environment, timeline)
    return timeline
  }
  return [
    {
      name: 'telemetry',
      next: every(everyMs),
      boundMs: 30_000,
      run: async ({ now, signal }) => {
        const points = deps.environments().flatMap(({ name }) => readPoints(deps.policy(), name, timelineOf(name), now))
        if (points.length === 0) return
        if (dogStatsD !== undefined) await sendDogStatsD(dogStatsD, points, version)
        if (otlpUrl === undefined) return
        const delivery = await sendOtlp(otlpUrl, points, { version, now, signal })
        if (!delivery.ok) throw new Error(`${otlpUrl} does not take OTLP metrics: ${delivery.outcome}`)
      },
    },
  ]
}
