import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { announceIncidents } from '../incidents/announce-incidents.ts'
import {
  acknowledgeIncident,
  findIncident,
  listIncidentEvents,
  openIncident,
  reopenIncident,
  resolveIncident,
  setSeverity,
  withdrawAcknowledgement,
} from '../incidents/incident-store.ts'
import type { Severity } from '../notify/message.ts'
import { listOutbox } from '../notify/outbox-store.ts'
import {
  addOverride,
  cancelOverride,
  listExceptions,
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
import { snoozeIncident } from './escalation-store.ts'
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
  expect(findOverdue(store, minutes(2)).map(({ what }) => what)).toEqual([
    'incident 1 has no escalation',
    'event 1 of an incident is not announced',
  ])
  run(start)
  announceIncidents(store, { policy, consoleUrl: 'http://ops', now: start })
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

describe('a climb that must not sleep', () => {
  test('what was acknowledged, resolved and is back calls again, also when no round came between', () => {
    const id = open('P0')
    run(start)
    acknowledgeIncident(store, id, { who: 'anna', now: minutes(1) })
    run(minutes(1))
    resolveIncident(store, id, { who: 'anna', message: 'fixed', now: minutes(2) })
    const news = {
      environment: 'production',
      severity: 'P0',
      title: 't',
      cause: '',
      dedupKey: 'production/P0',
      openedBy: 'x',
    } as const
    expect(reopenIncident(store, { ...news, now: minutes(2) }, 900_000)?.id).toBe(id)
    run(minutes(2))
    expect(callsOf(id).slice(2)).toEqual(['2 L1 anna', '2 L2 lead'])
  })

  test('a severity that rises calls at once, also in the middle of the night', () => {
    const id = openIncident(store, {
      environment: 'production',
      severity: 'P2',
      title: 'Small',
      cause: '',
      dedupKey: 'grows',
      openedBy: 'dam: ops',
      now: minutes(8 * 60),
    }).incident.id
    run(minutes(8 * 60))
    expect(callsOf(id)).toEqual([])
    // Later than levels 3 and 4 would be due: their time counts from the rise.
    const rise = 8 * 60 + 119
    setSeverity(store, id, { severity: 'P0', who: 'anna', now: minutes(rise) })
    run(minutes(rise))
    expect(callsOf(id)).toEqual([`${rise} L1 anna`, `${rise} L2 lead`])
  })

  test('an acknowledgement of something smaller does not hold what it became', () => {
    const id = open('P2')
    acknowledgeIncident(store, id, { who: 'anna', now: start })
    run(start)
    setSeverity(store, id, { severity: 'P0', who: 'dam: ops', now: minutes(10) })
    run(minutes(10))
    expect(callsOf(id)).toEqual(['10 L1 anna', '10 L2 lead'])
    expect(findIncident(store, id)?.state).toBe('open')
  })

  test('a snoozed incident calls nobody, then from the first level on; a rise ends the snooze', () => {
    const id = open('P1')
    run(start)
    expect(snoozeIncident(store, id, { who: 'anna', until: minutes(200), now: minutes(1) })).toBe(true)
    runUntil(1, 216)
    expect(callsOf(id)).toEqual(['0 L1 anna', '200 L1 anna', '205 L1 ben', '215 L2 lead'])
    snoozeIncident(store, id, { who: 'anna', until: minutes(400), now: minutes(217) })
    runUntil(217, 389)
    setSeverity(store, id, { severity: 'P0', who: 'ben', now: minutes(390) })
    runUntil(390, 391)
    expect(callsOf(id).slice(4)).toEqual(['390 L1 anna', '390 L2 lead'])
    resolveIncident(store, id, { who: 'ben', message: 'over', now: minutes(392) })
    expect(snoozeIncident(store, id, { who: 'anna', until: minutes(500), now: minutes(393) })).toBe(false)
  })

  test('an acknowledgement given back calls again', () => {
    const id = open('P1')
    run(start)
    acknowledgeIncident(store, id, { who: 'anna', now: minutes(1) })
    run(minutes(1))
    expect(withdrawAcknowledgement(store, id, { who: 'anna', now: minutes(2) })).toBe(true)
    expect(withdrawAcknowledgement(store, id, { who: 'anna', now: minutes(2) })).toBe(false)
    run(minutes(2))
    expect(callsOf(id)).toEqual(['0 L1 anna', '2 L1 anna'])
  })

  test('a name the policy no longer knows hands over to the next level at once', () => {
    addOverride(store, {
      kind: 'replace',
      person: 'gone',
      other: 'anna',
      from: start,
      until: minutes(60),
      note: '',
      by: 'x',
      now: start,
    })
    const id = open('P1')
    run(start)
    expect(callsOf(id)).toEqual(['0 L1 ', '0 L1 ben', '0 L2 lead'])
  })

  test('a clock set back an hour delays no call', () => {
    const id = open('P1')
    for (let second = 0; second <= 60; second++) run(new Date(start.getTime() + second * 1_000))
    for (let minute = 1; minute <= 16; minute++) run(minutes(minute - 60))
    expect(callsOf(id)).toEqual(['0 L1 anna', '-55 L1 ben', '-45 L2 lead'])
  })

  test('who was called about something small is also told that it is over', () => {
    const id = open('P2')
    run(start)
    const tell = () => announceIncidents(store, { policy, consoleUrl: 'http://ops', now: start })
    tell()
    resolveIncident(store, id, { who: 'anna', message: 'fixed', now: minutes(1) })
    tell()
    const ends = listOutbox(store, { limit: 100 }).filter(({ message }) => message.isResolution)
    expect(ends.map(({ channel }) => channel)).toEqual(expect.arrayContaining(['pagerduty', 'email:anna@dam.local']))
  })

  test('thousands of repetitions do not keep the news waiting', () => {
    const noisy = {
      environment: 'production',
      severity: 'P3',
      title: 't',
      cause: '',
      dedupKey: 'noise',
      openedBy: 'x',
      now: start,
    } as const
    store.transaction(() => {
      for (let n = 0; n < 3_000; n++) openIncident(store, noisy)
    })
    const id = open('P0')
    announceIncidents(store, { policy, consoleUrl: 'http://ops', now: start })
    expect(listOutbox(store, { subject: `incident:${id}`, limit: 10 }).length).toBeGreaterThan(0)
    expect(announceIncidents(store, { policy, consoleUrl: 'http://ops', now: start })).toBe(0)
  })
})

describe('exceptions to the schedule', () => {
  test('two people swap, and a cancelled exception ends now', () => {
    swapPeople(store, { one: 'anna', other: 'ben', from: start, until: minutes(60), by: 'anna', now: start })
    const who = (now: Date) => onCall(readSchedule(store, policy, now), now)
    expect(who(minutes(1))).toMatchObject({ primary: 'ben', secondary: 'anna' })
    expect(who(minutes(60))).toMatchObject({ primary: 'anna', secondary: 'ben' })
    expect(listExceptions(store, start)).toMatchObject([{ person: 'ben', other: 'anna', note: 'anna and ben swap' }])
    for (const { id } of listExceptions(store, start)) cancelOverride(store, id, minutes(10))
    expect(listExceptions(store, minutes(10))).toEqual([])
    expect(who(minutes(10))).toMatchObject({ primary: 'anna' })
    expect(who(minutes(5))).toMatchObject({ primary: 'ben' })
  })

  test('a part of a swap that is cancelled takes the whole of it along', () => {
    swapPeople(store, { one: 'anna', other: 'ben', from: start, until: minutes(60), by: 'anna', now: start })
    const [, , last] = listOverrides(store, start)
    cancelOverride(store, last?.id ?? 0, minutes(10))
    expect(onCall(readSchedule(store, policy, minutes(11)), minutes(11))).toMatchObject({
      primary: 'anna',
      secondary: 'ben',
    })
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
