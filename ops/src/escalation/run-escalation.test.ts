import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { announceIncidents } from '../incidents/announce-incidents.ts'
import {
  acknowledgeIncident,
  findIncident,
  listIncidentEvents,
  openIncident,
  resolveIncident,
} from '../incidents/incident-store.ts'
import type { Severity } from '../notify/message.ts'
import { listOutbox } from '../notify/outbox-store.ts'
import {
  addOverride,
  cancelOverride,
  listOverrides,
  readSchedule,
  recordPast,
  swapPeople,
} from '../oncall/oncall-store.ts'
import { onCall } from '../oncall/schedule.ts'
import type { Policy } from '../policy/policy.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { scratchStore } from '../testing/scratch-store.ts'
import { findOverdue } from './audit-escalation.ts'
import { runEscalation } from './run-escalation.ts'

const person = (id: string) => ({
  id,
  name: id,
  phone: '',
  email: `${id}@dam.local`,
  slack: '',
  pagerduty: '',
  level: 1,
})
const shipped = readPolicy().policy
const policy: Policy = {
  ...shipped,
  people: ['anna', 'ben', 'lead', 'manager', 'cto'].map(person),
  oncall: { ...shipped.oncall, rotation: ['anna', 'ben'] },
  escalation: {
    ...shipped.escalation,
    levels: shipped.escalation.levels.map((level, index) => ({
      ...level,
      to: index === 0 ? ('oncall' as const) : [['lead', 'manager', 'cto'][index - 1] ?? ''],
    })),
  },
}

let store: ReturnType<typeof scratchStore>
// A Wednesday at noon: anna is on call, ben second.
const start = new Date('2025-01-08T12:00:00Z')
const minutes = (count: number): Date => new Date(start.getTime() + count * 60_000)
beforeEach(() => {
  store = scratchStore()
})
afterEach(() => store[Symbol.dispose]())

const open = (severity: Severity): number =>
  openIncident(store, {
    environment: 'production',
    severity,
    title: 'Error rate above 5 %',
    cause: 'errors',
    dedupKey: `production/${severity}`,
    openedBy: 'dam: ops',
    now: start,
  }).incident.id
const run = (now: Date, rules = policy) => runEscalation(store, { policy: rules, consoleUrl: 'http://ops', now })
const callsOf = (id: number): string[] =>
  listIncidentEvents(store, id)
    .filter(({ kind }) => kind === 'called')
    .map(({ at, detail }) => {
      const { level, people } = detail as { level: number; people: string[] }
      return `${(Date.parse(at) - start.getTime()) / 60_000} L${level} ${people.join('+')}`
    })
const runUntil = (from: number, until: number, rules = policy): void => {
  for (let minute = from; minute <= until; minute++) run(minutes(minute), rules)
}

describe('nobody acknowledges', () => {
  test.each([
    ['P0', ['0 L1 anna', '0 L2 lead', '5 L1 ben', '60 L3 manager', '120 L4 cto']],
    ['P1', ['0 L1 anna', '5 L1 ben', '15 L2 lead', '60 L3 manager', '120 L4 cto']],
  ] as const)('%s climbs to the last level', (severity, expected) => {
    const id = open(severity)
    runUntil(0, 121)
    expect(callsOf(id)).toEqual(expected)
    runUntil(122, 400)
    expect(callsOf(id).length).toBeGreaterThan(expected.length)
  })

  test('P3 at night waits for working hours, or for half of its time', () => {
    const id = openIncident(store, {
      environment: 'production',
      severity: 'P3',
      title: 'Small',
      cause: '',
      dedupKey: 'small',
      openedBy: 'dam: ops',
      now: minutes(8 * 60),
    }).incident.id
    runUntil(8 * 60, 22 * 60)
    expect(callsOf(id)[0]).toBe(`${20 * 60} L1 anna`)
  })
})

test('an acknowledgement stops the climb, runs out, and the climb begins again', () => {
  const id = open('P0')
  run(start)
  acknowledgeIncident(store, id, { who: 'anna', now: minutes(3) })
  runUntil(3, 32)
  expect(callsOf(id)).toHaveLength(2)
  run(minutes(33))
  expect(callsOf(id).slice(2)).toEqual(['33 L1 anna', '33 L2 lead'])
  expect(findIncident(store, id)?.state).toBe('open')
  resolveIncident(store, id, { who: 'anna', message: 'fixed', now: minutes(34) })
  runUntil(34, 200)
  expect(callsOf(id)).toHaveLength(4)
})

test('a level without anybody hands over to the next at once and says so', () => {
  const messages = (id: number) => listIncidentEvents(store, id).map(({ message }) => message)
  const id = open('P1')
  run(start, { ...policy, oncall: { ...policy.oncall, rotation: [] } })
  expect(callsOf(id)).toEqual(['0 L1 ', '0 L2 lead'])
  expect(messages(id).some((message) => message.includes('nobody is there for level 1'))).toBe(true)
  const other = open('P0')
  run(start, shipped)
  expect(callsOf(other)).toEqual(['0 L1 '])
  expect(messages(other).filter((message) => message.includes('nobody is there for level'))).toHaveLength(4)
})

test('every news of an incident is announced once, however often and by whomever', () => {
  const id = open('P0')
  const announce = () => announceIncidents(store, { policy, consoleUrl: 'http://ops', now: start })
  expect(announce()).toBe(1)
  expect(announce()).toBe(0)
  acknowledgeIncident(store, id, { who: 'anna', now: start })
  resolveIncident(store, id, { who: 'anna', message: 'fixed', now: start })
  expect(announce()).toBe(2)
  const pager = listOutbox(store, { limit: 100 }).filter(({ channel }) => channel === 'pagerduty')
  expect(pager.map(({ message }) => message.event).reverse()).toEqual([
    'incident-opened',
    'incident-acknowledged',
    'incident-resolved',
  ])
})

test('the auditor finds what is late and is silent when all is well', () => {
  open('P0')
  expect(findOverdue(store, minutes(2)).map(({ what }) => what)).toEqual(['incident 1 has no escalation'])
  run(start)
  expect(findOverdue(store, minutes(0.5))).toEqual([])
  expect(findOverdue(store, minutes(8)).map(({ what }) => what)).toContain('the escalation of incident 1 is late')
})

test('the rounds may come whenever they like: each call is made once and never before its time', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 4, maxLength: 30 }), (gaps) => {
      using own = scratchStore()
      const { incident } = openIncident(own, {
        environment: 'production',
        severity: 'P1',
        title: 't',
        cause: '',
        dedupKey: 'k',
        openedBy: 'x',
        now: start,
      })
      let minute = 0
      for (const gap of gaps) {
        runEscalation(own, { policy, consoleUrl: 'http://ops', now: minutes(minute) })
        if (minute + gap > 130) break
        minute += gap
      }
      const calls = listIncidentEvents(own, incident.id).filter(({ kind }) => kind === 'called')
      const keys = calls.map(({ detail }) => JSON.stringify(detail))
      expect(new Set(keys).size).toBe(keys.length)
      const due = { 1: 0, 2: 15, 3: 60, 4: 120 } as Record<number, number>
      for (const { at, detail } of calls)
        expect(Date.parse(at)).toBeGreaterThanOrEqual(minutes(due[(detail as { level: number }).level] ?? 0).getTime())
    }),
    { numRuns: 25 },
  )
})

describe('exceptions to the schedule', () => {
  test('two people swap, and a cancelled exception ends now', () => {
    swapPeople(store, { one: 'anna', other: 'ben', from: start, until: minutes(60), by: 'anna', now: start })
    const who = (now: Date) => onCall(readSchedule(store, policy, now), now)
    expect(who(minutes(1))).toMatchObject({ primary: 'ben', secondary: 'anna' })
    expect(who(minutes(60))).toMatchObject({ primary: 'anna', secondary: 'ben' })
    for (const { id } of listOverrides(store, start)) cancelOverride(store, id, minutes(10))
    expect(who(minutes(10))).toMatchObject({ primary: 'anna' })
    expect(who(minutes(5))).toMatchObject({ primary: 'ben' })
  })

  test('one that is over cannot be entered', () => {
    const entry = { kind: 'replace', person: 'ben', other: 'anna', note: '', by: 'x' } as const
    expect(() => addOverride(store, { ...entry, from: minutes(-60), until: minutes(-1), now: start })).toThrow(
      'over already',
    )
    expect(() => addOverride(store, { ...entry, from: minutes(2), until: minutes(1), now: start })).toThrow('end after')
  })

  test('a change of policy does not rewrite who was on call', () => {
    recordPast(store, policy, start)
    recordPast(store, policy, minutes(60))
    const changed = { ...policy, oncall: { ...policy.oncall, rotation: ['ben', 'anna'] } }
    expect(onCall(readSchedule(store, changed, minutes(61)), minutes(30)).primary).toBe('anna')
    expect(onCall(readSchedule(store, changed, minutes(61)), minutes(61)).primary).toBe('ben')
  })
})
