import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { readPolicy } from '../policy/read-policy.ts'
import { occurrences, type WindowRule } from './occurrences.ts'
import { parseRecurrence } from './recurrence.ts'

const { windows } = readPolicy().policy.maintenance
const day = (text: string): Date => new Date(`${text}T00:00:00Z`)

test('from 2024 to 2044 the first Sunday of each month is one window of four hours, every other Sunday one of two', () => {
  const found = occurrences(windows, day('2024-01-01'), day('2045-01-01'))
  const expected: string[] = []
  for (let at = Date.UTC(2024, 0, 7); at < Date.UTC(2045, 0, 1); at += 7 * 86_400_000) {
    const date = new Date(at)
    const isFirst = date.getUTCDate() <= 7
    const start = date.toISOString().slice(0, 10)
    const noticeAt = new Date(at + 2 * 3_600_000 - (isFirst ? 7 * 24 : 48) * 3_600_000).toISOString()
    expected.push(
      `${start} 02:00–${isFirst ? '06:00 Planned updates (Regular maintenance)' : '04:00 Regular maintenance ()'} ${noticeAt}`,
    )
  }
  const shown = found.map(
    ({ startsAt, endsAt, name, absorbed, noticeAt }) =>
      `${startsAt.slice(0, 10)} ${startsAt.slice(11, 16)}–${endsAt.slice(11, 16)} ${name} (${absorbed.join()}) ${noticeAt}`,
  )
  expect(shown).toEqual(expected)
  expect(found.filter(({ absorbed }) => absorbed.length > 0)).toHaveLength(21 * 12)
})

test('a rule the program cannot follow is refused, not guessed', () => {
  expect(parseRecurrence('FREQ=WEEKLY;BYDAY=SU')).toEqual({ every: 'week', days: [7] })
  expect(parseRecurrence('FREQ=MONTHLY;BYDAY=-1FR')).toEqual({ every: 'month', days: [{ nth: -1, day: 5 }] })
  for (const rule of [
    'FREQ=YEARLY',
    'FREQ=WEEKLY',
    'FREQ=WEEKLY;INTERVAL=2;BYDAY=SU',
    'FREQ=MONTHLY;BYDAY=SU',
    'FREQ=DAILY;COUNT=3',
    '',
    'FREQ=WEEKLY;BYDAY=XX',
    'FREQ=WEEKLY;FREQ=WEEKLY;BYDAY=SU',
  ])
    expect(parseRecurrence(rule), rule).toBeNull()
})

const rule = (over: Partial<WindowRule>): WindowRule => ({
  name: 'night',
  rule: 'FREQ=DAILY',
  at: '02:30',
  duration: 3_600_000,
  zone: 'Europe/Berlin',
  noticeBefore: 0,
  absorbs: [],
  ...over,
})

describe('where clocks change', () => {
  test('a time that does not exist is the instant at which clocks skip it, one that occurs twice the first', () => {
    const spring = occurrences([rule({})], day('2025-03-30'), day('2025-03-31')).map(({ startsAt }) => startsAt)
    expect(spring).toEqual(['2025-03-30T01:00:00.000Z'])
    const autumn = occurrences([rule({})], day('2025-10-26'), day('2025-10-27')).map(({ startsAt }) => startsAt)
    expect(autumn).toEqual(['2025-10-26T00:30:00.000Z'])
  })
})

test('every quarter of an hour is inside a window exactly when an oracle that walks step by step says so', () => {
  const anyRule = fc.record({
    rule: fc.constantFrom(
      'FREQ=WEEKLY;BYDAY=SU',
      'FREQ=WEEKLY;BYDAY=SA,SU',
      'FREQ=MONTHLY;BYDAY=1SU',
      'FREQ=MONTHLY;BYDAY=-1SU,2MO',
      'FREQ=DAILY',
    ),
    at: fc.constantFrom('00:00', '02:00', '02:30', '23:30'),
    duration: fc.integer({ min: 1, max: 6 }).map((hours) => hours * 3_600_000),
    zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'),
    noticeBefore: fc.integer({ min: 0, max: 7 }).map((days) => days * 86_400_000),
  })
  fc.assert(
    fc.property(anyRule, anyRule, fc.boolean(), fc.integer({ min: 0, max: 365 }), (one, other, absorbs, dayOfYear) => {
      const rules: WindowRule[] = [
        { ...one, name: 'one', absorbs: [] },
        { ...other, name: 'other', absorbs: absorbs ? ['one'] : [] },
      ]
      const from = new Date(Date.UTC(2025, 0, 1 + dayOfYear))
      const until = new Date(from.getTime() + 5 * 86_400_000)
      const found = occurrences(rules, from, until)
      const expected = rules.map((candidate) => oracle(candidate, from.getTime(), until.getTime()))
      for (let at = from.getTime(); at < until.getTime(); at += stepMs) {
        const instant = new Date(at).toISOString()
        const isInside = found.some(({ startsAt, endsAt }) => startsAt <= instant && instant < endsAt)
        if (isInside !== expected.some((steps) => steps.has(at))) throw new Error(`${instant}: ${isInside}`)
      }
      if (absorbs)
        for (const [index, a] of found.entries())
          for (const b of found.slice(index + 1))
            expect(
              a.name !== b.name && a.startsAt < b.endsAt && b.startsAt < a.endsAt,
              `${a.key} beside ${b.key}`,
            ).toBe(false)
    }),
    { numRuns: 40, seed: 7 },
  )
})

const stepMs = 15 * 60_000

/** Walks forward step by step: a window begins at the first step of a fitting day at which the wall clock shows its time or more. */
function oracle(window: WindowRule, from: number, until: number): Set<number> {
  const inside = new Set<number>()
  const begun = new Set<string>()
  let openUntil = 0
  for (let at = from - 2 * 86_400_000; at < until; at += stepMs) {
    const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(window.zone)
    const date = local.toPlainDate()
    const isReached = local.toPlainTime().toString().slice(0, 5) >= window.at
    if (isReached && !begun.has(date.toString()) && dayFits(window, date)) {
      begun.add(date.toString())
      openUntil = Math.max(openUntil, at + window.duration)
    }
    if (at < openUntil) inside.add(at)
  }
  return inside
}

function dayFits({ rule: text }: WindowRule, date: Temporal.PlainDate): boolean {
  const sundays = (): number[] => {
    const found: number[] = []
    for (let d = 1; d <= date.daysInMonth; d++) if (date.with({ day: d }).dayOfWeek === 7) found.push(d)
    return found
  }
  if (text === 'FREQ=DAILY') return true
  if (text === 'FREQ=WEEKLY;BYDAY=SU') return date.dayOfWeek === 7
  if (text === 'FREQ=WEEKLY;BYDAY=SA,SU') return date.dayOfWeek >= 6
  if (text === 'FREQ=MONTHLY;BYDAY=1SU') return date.day === sundays()[0]
  const secondMonday = date.dayOfWeek === 1 && date.day >= 8 && date.day <= 14
  return date.day === sundays().at(-1) || secondMonday
}
