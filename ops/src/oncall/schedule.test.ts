import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { readPolicy } from '../policy/read-policy.ts'
import { coverageGaps, instantOf, onCall, onCallBetween, type Override, periodAt, type Schedule } from './schedule.ts'

const base = readPolicy().policy.oncall
const scheduleOf = (over: Partial<Schedule['oncall']>, more: Partial<Schedule> = {}): Schedule => ({
  oncall: { ...base, rotation: ['anna', 'ben', 'cleo'], ...over },
  overrides: [],
  recorded: [],
  ...more,
})
const at = (text: string): Date => new Date(text)
const who = (schedule: Schedule, instant: string) => {
  const { primary, secondary, also, source } = onCall(schedule, at(instant))
  return [primary, secondary, ...also, source].join(' ')
}
const override = (over: Partial<Override>): Override => ({
  id: 1,
  kind: 'replace',
  person: 'dora',
  other: 'anna',
  from: '2025-01-07T00:00:00.000Z',
  until: '2025-01-08T00:00:00.000Z',
  ...over,
})

test('weeks follow each other also over a year of 53 weeks', () => {
  const two = scheduleOf({ rotation: ['anna', 'ben'], anchor: '2026-12-07T09:00' })
  const mondays = ['2026-12-14', '2026-12-21', '2026-12-28', '2027-01-04', '2027-01-11']
  expect(mondays.map((day) => onCall(two, at(`${day}T09:00:00Z`)).primary)).toEqual([
    'ben',
    'anna',
    'ben',
    'anna',
    'ben',
  ])
})

test('the secondary is the primary of the period before', () => {
  expect(who(scheduleOf({}), '2025-01-14T00:00:00Z')).toBe('ben anna rotation')
  expect(who(scheduleOf({ secondary: 'next-primary' }), '2025-01-14T00:00:00Z')).toBe('ben cleo rotation')
  expect(who(scheduleOf({ rotation: ['anna'] }), '2025-01-14T00:00:00Z')).toBe('anna  rotation')
})

describe('exceptions', () => {
  const during = '2025-01-07T12:00:00Z'
  test.each([
    ['replace', override({}), 'dora cleo override'],
    ['remove', override({ kind: 'remove', person: null }), 'cleo  override'],
    ['add', override({ kind: 'add', other: null }), 'anna cleo dora override'],
    ['temporary', override({ kind: 'temporary', other: 'ben' }), 'dora ben temporary'],
  ] as const)('%s', (_, exception, expected) => {
    expect(who(scheduleOf({}, { overrides: [exception] }), during)).toBe(expected)
    expect(who(scheduleOf({}, { overrides: [exception] }), exception.until)).toBe('anna cleo rotation')
  })

  test('the recorded past stands above everything', () => {
    const recorded = [
      { from: '2025-01-06T09:00:00.000Z', until: '2025-01-13T09:00:00.000Z', primary: 'eve', secondary: null },
    ]
    expect(who(scheduleOf({}, { recorded, overrides: [override({})] }), during)).toBe('eve  recorded')
  })

  test('an answer is good until the next exception begins', () => {
    expect(onCall(scheduleOf({}, { overrides: [override({})] }), at('2025-01-06T12:00:00Z')).until).toBe(
      '2025-01-07T00:00:00.000Z',
    )
  })
})

test('who joins at a date moves nothing before it', () => {
  const before = scheduleOf({})
  const after = scheduleOf({ changes: [{ from: '2025-02-03T09:00', rotation: ['anna', 'ben', 'cleo', 'dora'] }] })
  for (let day = 0; day < 28; day++) {
    const instant = new Date(Date.UTC(2025, 0, 6 + day, 9))
    expect(onCall(after, instant).primary).toBe(onCall(before, instant).primary)
  }
  expect(['02-03', '02-10', '02-17', '02-24'].map((day) => onCall(after, at(`2025-${day}T09:00:00Z`)).primary)).toEqual(
    ['anna', 'ben', 'cleo', 'dora'],
  )
})

test('a hand-off the clocks skip happens when they skip it, one they show twice at its first', () => {
  const local = (text: string) => instantOf(Temporal.PlainDateTime.from(text), 'Europe/Berlin')
  for (const skipped of ['2026-03-29T02:00', '2026-03-29T02:30', '2026-03-29T02:59'])
    expect(local(skipped)).toBe('2026-03-29T01:00:00.000Z')
  expect(local('2026-10-25T02:30')).toBe('2026-10-25T00:30:00.000Z')
  expect(instantOf(Temporal.PlainDateTime.from('2011-12-30T09:00'), 'Pacific/Apia')).toBe('2011-12-30T10:00:00.000Z')
})

/** Shows what the wall clock of a zone says; independent of Temporal. */
function wallClock(zone: string): (epochMs: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23',
  })
  return (epochMs) => format.format(epochMs).replace(', ', 'T')
}

/** Minute by minute: the first instant at which the clock shows `local` or, where it never does, something later. */
function bruteForce(zone: string, local: string): string {
  const clock = wallClock(zone)
  const start = Date.parse(`${local}Z`) - 26 * 3_600_000
  let firstLater: number | undefined
  for (let epochMs = start; epochMs < start + 54 * 3_600_000; epochMs += 60_000) {
    const shown = clock(epochMs)
    if (shown === local) return new Date(epochMs).toISOString()
    if (shown > local) firstLater ??= epochMs
    else firstLater = undefined
  }
  return new Date(firstLater ?? Number.NaN).toISOString()
}

test('hand-offs near clock changes are where a minute-by-minute search finds them', () => {
  const zones = Intl.supportedValuesOf('timeZone')
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: 2024, max: 2034 }),
      fc.integer({ min: 0, max: 364 }),
      // The change itself and an hour before it are where most clocks skip or repeat.
      fc.oneof(fc.constantFrom(-60, 0), fc.integer({ min: -90, max: 90 })),
      (zone, year, day, offsetMinutes) => {
        const moment = Temporal.Instant.fromEpochMilliseconds(Date.UTC(year, 0, 1 + day)).toZonedDateTimeISO(zone)
        const near = (moment.getTimeZoneTransition('next') ?? moment).toPlainDateTime().add({ minutes: offsetMinutes })
        const local = near.round({ smallestUnit: 'minute' })
        expect(instantOf(local, zone)).toBe(bruteForce(zone, local.toString({ smallestUnit: 'minute' })))
      },
    ),
    { numRuns: 60 },
  )
})

test('at every instant exactly one period is in force', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe'),
      fc.date({ min: at('2025-02-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z'), noInvalidDate: true }),
      (zone, instant) => {
        const period = periodAt(scheduleOf({ zone }).oncall, instant)
        expect(period.from! <= instant.toISOString() && instant.toISOString() < period.until!).toBe(true)
        expect(periodAt(scheduleOf({ zone }).oncall, at(period.until!)).from).toBe(period.until)
      },
    ),
    { numRuns: 300 },
  )
})

test('pieces of a stretch join without gaps, and stretches without anybody are found', () => {
  const schedule = scheduleOf(
    { coverageDays: 30 },
    {
      overrides: [
        override({ kind: 'remove', other: 'anna', person: null }),
        override({ kind: 'remove', other: 'cleo', person: null }),
      ],
    },
  )
  const pieces = onCallBetween(schedule, at('2025-01-06T09:00:00Z'), at('2025-02-06T09:00:00Z'))
  for (const [index, piece] of pieces.entries()) if (index > 0) expect(piece.from).toBe(pieces[index - 1]?.until)
  expect(coverageGaps(schedule, at('2025-01-06T09:00:00Z'))).toEqual([
    { from: '2025-01-07T00:00:00.000Z', until: '2025-01-08T00:00:00.000Z' },
  ])
  expect(coverageGaps(scheduleOf({ rotation: [] }), at('2025-01-06T09:00:00Z'))).toHaveLength(1)
})
