import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findIncident, listIncidentEvents, listIncidents } from '../incidents/incident-store.ts'
import type { Policy } from '../policy/policy.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { addSample, foldSamples, readSamples } from '../signals/sample-store.ts'
import { emptySample, quantileOf, type Sample } from '../signals/sample.ts'
import { signals } from '../signals/vocabulary.ts'
import { openTimeline, type Timeline } from '../signals/timeline.ts'
import { scratchStore } from '../testing/scratch-store.ts'
import { addSilence, endSilence, listAlertChanges } from './alert-store.ts'
import { evaluateAlerts, longestWindow } from './evaluate-alerts.ts'

const { policy } = readPolicy()
/** The runbook's own rules; burn rates look hours back. */
const fixed: Policy = { ...policy, alerts: policy.alerts.filter(({ name }) => name.startsWith('error-rate')) }
const start = Date.parse('2026-01-01T00:00:00Z')
let store: ReturnType<typeof scratchStore>
let second: number
let timeline: Timeline
beforeEach(() => {
  store = scratchStore()
  second = 0
  timeline = openTimeline(store, 'production', longestWindow(policy))
})
afterEach(() => store[Symbol.dispose]())

const now = (): Date => new Date(start + second * 1_000)
const well: Sample = {
  ...emptySample(),
  requests: { total: 100, bad: 0 },
  durations: { '0.1': 100 },
  up: { system: 1, database: 1, storage: 1, cache: 1 },
  gauges: { cpu: 0.2, memory: 0.4, disk: 0.3 },
}
const errors = (bad: number): Partial<Sample> => ({ requests: { total: 100, bad } })

/** Lets time pass in steps of ten seconds, each with a sample and a look. */
function pass(seconds: number, over: Partial<Sample> | null, rules: Policy = policy): number[] {
  const opened: number[] = []
  for (let end = second + seconds; second < end;) {
    if (over !== null) addSample(store, 'production', now(), { ...well, ...over })
    second += 10
    opened.push(
      ...evaluateAlerts(store, { policy: rules, environment: 'production', timeline, now: now() }).opened.map(
        ({ incidentId }) => incidentId,
      ),
    )
  }
  return opened
}
const open = () => listIncidents(store, { state: 'unresolved', limit: 20 })

describe('the error rate', () => {
  test('6 % is one P0 incident, and it ends when the rate is back', () => {
    pass(600, {})
    expect(pass(300, errors(40), fixed).length).toBe(1)
    expect(open()).toMatchObject([{ severity: 'P0', dedupKey: 'production/errors', state: 'open' }])
    pass(2_400, {}, fixed)
    expect(open()).toEqual([])
    expect(findIncident(store, 1)?.state).toBe('resolved')
  })

  test('a rate between threshold and clear neither opens nor ends anything', () => {
    pass(600, {})
    pass(600, errors(4), fixed)
    expect(open().filter(({ severity }) => severity === 'P0')).toEqual([])
  })

  test('the severity of one cause rises and does not fall', () => {
    pass(600, {})
    pass(700, errors(2))
    expect(open()).toMatchObject([{ severity: 'P1' }])
    pass(300, errors(30))
    expect(open()).toMatchObject([{ severity: 'P0', dedupKey: 'production/errors' }])
    expect(listIncidentEvents(store, 1).some(({ message }) => message === 'P1 → P0')).toBe(true)
  })

  test('nobody is woken by few requests', () => {
    pass(900, { requests: { total: 0, bad: 0 } })
    pass(20, { requests: { total: 5, bad: 5 } })
    pass(300, { requests: { total: 0, bad: 0 } })
    expect(open()).toEqual([])
  })

  test('the same trouble within 15 minutes is the same incident', () => {
    const only: Policy = { ...policy, alerts: policy.alerts.filter(({ name }) => name === 'error-rate-critical') }
    pass(600, {}, only)
    pass(300, errors(40), only)
    pass(700, {}, only)
    expect(open()).toEqual([])
    pass(300, errors(40), only)
    expect(open().map(({ id }) => id)).toEqual([1])
  })
})

test('a system that is down explains what follows from it', () => {
  pass(600, {})
  pass(200, { up: { system: 0 }, requests: { total: 100, bad: 100 } })
  expect(open().map(({ dedupKey }) => dedupKey)).toEqual(['production/system-up'])
  expect(
    listIncidentEvents(store, 1)
      .map(({ message }) => message)
      .join(),
  ).toContain('Error rate above 5 %')
})

test('silence of the probes is an outage only where the rule says so', () => {
  pass(600, {})
  pass(200, null)
  expect(open().map(({ dedupKey }) => dedupKey)).toEqual(['production/system-up'])
})

describe('a silence', () => {
  test('keeps an alert quiet, and its end decides again at once', () => {
    pass(600, {})
    const id = addSilence(store, {
      environment: 'production',
      rule: '*',
      from: now(),
      until: new Date(now().getTime() + 3_600_000),
      reason: 'load test',
      by: 'anna',
      now: now(),
    })
    pass(300, errors(40))
    expect(open()).toEqual([])
    endSilence(store, id, now())
    pass(10, errors(40))
    expect(open()).toHaveLength(1)
  })

  test('does not keep the end of what was announced from being told', () => {
    pass(600, {}, fixed)
    pass(300, errors(40), fixed)
    addSilence(store, {
      environment: '*',
      rule: '*',
      from: now(),
      until: new Date(now().getTime() + 86_400_000),
      reason: 'enough',
      by: 'anna',
      now: now(),
    })
    pass(2_400, {}, fixed)
    expect(findIncident(store, 1)?.state).toBe('resolved')
  })

  test('needs a reason and an end', () => {
    const silence = { environment: '*', rule: '*', by: 'anna', now: now(), from: now() }
    expect(() => addSilence(store, { ...silence, until: new Date(now().getTime() + 1_000), reason: '' })).toThrow(
      'reason',
    )
    expect(() => addSilence(store, { ...silence, until: now(), reason: 'because' })).toThrow('end')
  })
})

test('the state of alerts survives a restart of the engine', () => {
  pass(600, {})
  pass(40, errors(40))
  const phases = listAlertChanges(store, { limit: 50 }).filter(({ rule }) => rule === 'error-rate-critical')
  expect(phases.map(({ phase }) => phase)).toEqual(['pending'])
  timeline = openTimeline(store, 'production', longestWindow(policy))
  pass(60, errors(40))
  expect(open()).toHaveLength(1)
})

describe('samples', () => {
  test('three hours are kept in steps of ten seconds, then in minutes that say the same', () => {
    for (let step = 0; step < 6 * 60 * 4; step++)
      addSample(store, 'production', new Date(start + step * 10_000), { ...well, ...errors(step % 2) })
    const end = new Date(start + 4 * 3_600_000)
    const read = () => signals['error-rate'].read(readSamples(store, 'production', end, 4 * 3_600_000), 4 * 3_600_000)
    const before = read()
    foldSamples(store, end)
    expect(read()).toEqual(before)
    expect(store.row('select count(*) as n from sample')).toEqual({ n: 60 + 6 * 60 * 3 })
    foldSamples(store, new Date(start + 36 * 86_400_000))
    expect(store.row('select count(*) as n from sample')).toEqual({ n: 0 })
  })

  test('a quantile is linear inside its bucket and never beyond the highest bound', () => {
    expect(quantileOf({ '0.1': 90, '0.5': 10 }, 0.95)).toBeCloseTo(0.3)
    expect(quantileOf({ '0.1': 1, '+Inf': 99 }, 0.95)).toBe(0.1)
    expect(quantileOf({}, 0.95)).toBeNull()
  })
})
