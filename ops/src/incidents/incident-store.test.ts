import { expect, test } from 'vitest'
import { scratchStore } from '../testing/scratch-store.ts'
import {
  acknowledgeIncident,
  findIncident,
  listIncidentEvents,
  listIncidents,
  openIncident,
  resolveIncident,
} from './incident-store.ts'

const now = new Date('2026-01-01T00:00:00Z')
const news = {
  environment: 'production',
  severity: 'P1',
  title: 'Error rate 3 %',
  cause: 'error-rate',
  dedupKey: 'production/error-rate',
  openedBy: 'dam: ops',
  now,
} as const

test('the same cause joins its open incident, whose severity rises and never falls', () => {
  using store = scratchStore()
  const { incident, isNew } = openIncident(store, news)
  expect(isNew).toBe(true)
  expect(openIncident(store, { ...news, severity: 'P0', title: 'Error rate 9 %' })).toMatchObject({
    isNew: false,
    incident: { id: incident.id, severity: 'P0', title: 'Error rate 3 %' },
  })
  expect(openIncident(store, { ...news, severity: 'P2' }).incident.severity).toBe('P0')
  expect(listIncidentEvents(store, incident.id).map(({ kind }) => kind)).toEqual([
    'opened',
    'again',
    'severity',
    'again',
  ])
})

test('a resolved incident stays, and the same cause opens a new one', () => {
  using store = scratchStore()
  const first = openIncident(store, news).incident
  expect(acknowledgeIncident(store, first.id, { who: 'anna', now })).toBe(true)
  expect(acknowledgeIncident(store, first.id, { who: 'ben', now })).toBe(false)
  expect(resolveIncident(store, first.id, { who: 'anna', message: 'rolled back', now })).toBe(true)
  expect(resolveIncident(store, first.id, { who: 'anna', message: 'again', now })).toBe(false)
  expect(findIncident(store, first.id)).toMatchObject({ state: 'resolved', acknowledgedBy: 'anna' })
  const second = openIncident(store, news)
  expect(second.isNew).toBe(true)
  expect(listIncidents(store, { state: 'unresolved', limit: 10 }).map(({ id }) => id)).toEqual([second.incident.id])
})
