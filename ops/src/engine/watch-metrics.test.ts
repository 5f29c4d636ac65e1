import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { evaluateAlerts, longestWindow } from '../alerts/evaluate-alerts.ts'
import { operationMetrics } from '../console/metrics.ts'
import { heartbeatFile } from '../dead-man/heartbeat-file.ts'
import type { Environment } from '../environments/environment.ts'
import { isInstalled, output } from '../exports/testing/prometheus-programs.ts'
import { enqueue } from '../notify/outbox-store.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { addSample } from '../signals/sample-store.ts'
import { emptySample } from '../signals/sample.ts'
import { openTimeline } from '../signals/timeline.ts'
import { scratchStore } from '../testing/scratch-store.ts'
import { watchMetrics } from './watch-metrics.ts'

const environments = (): Environment[] => [
  {
    name: 'production',
    isLocal: false,
    publicUrl: 'http://localhost',
    host: 'localhost',
    port: 8080,
    dataDir: '/nowhere',
    databaseUrl: null,
    runDir: null,
    settings: {},
  },
]

/** The metrics of an ops process whose production has been down for a while. */
function render(): string {
  using store = scratchStore()
  const { policy } = readPolicy()
  const timeline = openTimeline(store, 'production', longestWindow(policy))
  const start = Date.parse('2026-01-01T00:00:00Z')
  for (let second = 0; second <= 120; second += 10) {
    const now = new Date(start + second * 1_000)
    addSample(store, 'production', now, { ...emptySample(), up: { system: 0 } })
    evaluateAlerts(store, { policy, environment: 'production', timeline, now: new Date(now.getTime() + 1) })
  }
  const now = new Date(start + 130_000)
  const message = {
    event: 'incident-opened',
    subject: 'incident:1',
    severity: 'P0',
    title: 'Down',
    text: '',
    facts: [],
    links: [],
    environment: 'production',
    isResolution: false,
    at: now.toISOString(),
  } as const
  enqueue(store, { ...message, facts: [], links: [] }, { channels: ['pagerduty'], key: 'a', now: new Date(start) })
  writeFileSync(heartbeatFile(store.folder), JSON.stringify({ at: new Date(start + 125_000).toISOString() }))
  const probes = { of: () => null, [Symbol.dispose]: () => undefined }
  return (
    operationMetrics({ store, environments, probes })(now) +
    watchMetrics({ store, environments, folder: store.folder })(now)
  )
}

test('the ops process tells of alerts, incidents, unsent messages and its heartbeat', () => {
  const metrics = render()
  expect(metrics).toContain('dam_alert_firing{environment="production",rule="system-down"} 1\n')
  expect(metrics).toContain('dam_incidents_open{environment="production",severity="P0"} 1\n')
  expect(metrics).toContain('dam_outbox_messages{state="waiting"} 1\n')
  expect(metrics).toContain('dam_outbox_oldest_seconds 130\n')
  expect(metrics).toContain('dam_ops_heartbeat_age_seconds 5\n')
})

describe.skipIf(!isInstalled('promtool'))('promtool', () => {
  test('has nothing to say about the metrics of operations', async () => {
    expect(await output('promtool', ['check', 'metrics'], render())).toBe('')
  })
})
