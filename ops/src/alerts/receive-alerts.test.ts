import { alertmanagerWebhook } from '@dam/contract/ops-schemas'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findIncident, listIncidents, resolveIncident } from '../incidents/incident-store.ts'
import { scratchStore } from '../testing/scratch-store.ts'
import { receiveAlerts, severityOf } from './receive-alerts.ts'

let store: ReturnType<typeof scratchStore>
beforeEach(() => void (store = scratchStore()))
afterEach(() => store[Symbol.dispose]())

const now = new Date('2026-01-01T00:05:00Z')
const alert = (over: Record<string, unknown> = {}) => ({
  status: 'firing',
  labels: { alertname: 'HighErrors', environment: 'production', severity: 'critical' },
  annotations: { summary: 'Many errors' },
  startsAt: '2026-01-01T00:00:00.123Z',
  endsAt: '0001-01-01T00:00:00Z',
  generatorURL: 'http://prometheus/graph',
  fingerprint: 'a1',
  ...over,
})
const deliver = (alerts: unknown[], at = now) =>
  receiveAlerts(
    store,
    alertmanagerWebhook.parse({
      version: '4',
      groupKey: '{}:{alertname="HighErrors"}',
      status: 'firing',
      receiver: 'dam',
      alerts,
    }),
    { environments: ['production', 'staging'], by: 'prometheus', now: at },
  )

test('a firing alert opens an incident once, however often it is delivered', () => {
  expect(deliver([alert()])).toMatchObject({ opened: [1], unchanged: 0 })
  expect(deliver([alert()])).toMatchObject({ opened: [], joined: [], unchanged: 1 })
  expect(listIncidents(store, { state: 'all', limit: 9 })).toMatchObject([
    { severity: 'P0', title: 'Many errors', environment: 'production', state: 'open' },
  ])
})

test('an incident ends when the last of its alerts is resolved', () => {
  deliver([alert(), alert({ fingerprint: 'b2', labels: { alertname: 'Slow', severity: 'warning' } })])
  expect(listIncidents(store, { state: 'all', limit: 9 })).toHaveLength(1)
  expect(deliver([alert({ status: 'resolved' })]).resolved).toEqual([])
  expect(deliver([alert({ status: 'resolved', fingerprint: 'b2' })]).resolved).toEqual([1])
  expect(deliver([alert({ status: 'resolved', fingerprint: 'b2' })])).toMatchObject({ resolved: [], unchanged: 1 })
  expect(findIncident(store, 1)?.state).toBe('resolved')
})

test('what a person resolved stays resolved until the alert starts anew', () => {
  deliver([alert()])
  resolveIncident(store, 1, { who: 'anna', message: 'done', now })
  expect(deliver([alert()]).unchanged).toBe(1)
  expect(deliver([alert({ startsAt: '2026-01-01T01:00:00Z' })], new Date('2026-01-01T01:01:00Z')).opened).toEqual([2])
})

test('a late resolution of an earlier occurrence does not end the present one', () => {
  deliver([alert({ startsAt: '2026-01-01T00:04:00Z' })])
  expect(deliver([alert({ status: 'resolved' })])).toMatchObject({ resolved: [], unchanged: 1 })
  expect(findIncident(store, 1)?.state).toBe('open')
})

test('severities of others are read by their urgency', () => {
  expect(['P1', 'page', 'warning', 'info', undefined, 'whatever'].map(severityOf)).toEqual([
    'P1',
    'P0',
    'P2',
    'P3',
    'P2',
    'P2',
  ])
})

test('an alert without a name or fingerprint is refused by its field', () => {
  const parsed = alertmanagerWebhook.safeParse({
    version: '4',
    groupKey: 'g',
    status: 'firing',
    receiver: 'dam',
    alerts: [alert({ labels: {}, fingerprint: 'no' })],
  })
  expect(parsed.error?.issues.map(({ path }) => path.join('.'))).toEqual(['alerts.0.labels', 'alerts.0.fingerprint'])
})
