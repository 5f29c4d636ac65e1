import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BakeEvidence, NewError, SecondCounts, SideEvidence } from './bake-evidence.ts'
import type { ProcessObservation } from '../deployments/deployment.ts'
import { judge } from './judge.ts'

const start = Date.parse('2026-01-05T10:00:00Z')
const firstSecond = start / 1000

/** `length` seconds of traffic from the cut-over on (before it when `from` is negative). */
const seconds = (length: number, each: (index: number) => Partial<SecondCounts>, from = 0): SecondCounts[] =>
  Array.from({ length }, (_, index) => ({
    second: firstSecond + from + index,
    total: 10,
    bad: 0,
    slow: 0,
    ...each(index),
  }))

const side = (counts: SecondCounts[], more: Partial<SideEvidence> = {}): SideEvidence => ({
  seconds: counts,
  readiness: [],
  web: null,
  worker: null,
  ...more,
})

const before = seconds(3_600, (index) => ({ bad: index % 100 === 0 ? 1 : 0 }), -3_600)

const evidence = (more: Partial<BakeEvidence> & { seconds?: number } = {}): BakeEvidence => ({
  cutOverAt: start,
  now: start + (more.seconds ?? 0) * 1000,
  endsAt: start + 900_000,
  before,
  control: null,
  fresh: side([]),
  topUp: [],
  newErrors: [],
  databaseAnswers: true,
  databaseOutages: [],
  ...more,
})

const verdictOf = (some: BakeEvidence) => judge(some).judgement

/** Seconds from the cut-over until the judge, looking every 2 s, says bad; null when it never does. */
const secondsToBad = (counts: SecondCounts[], more: Partial<BakeEvidence> = {}): number | null => {
  for (let at = 2; at <= counts.length; at += 2) {
    const seen = counts.slice(0, at)
    if (verdictOf(evidence({ ...more, now: start + at * 1000, fresh: side(seen) })).verdict === 'bad') return at
  }
  return null
}

const dead: ProcessObservation = {
  state: 'waiting',
  pid: null,
  crashes: 1,
  crashedAt: [],
  lastExit: 'exit code 1',
  rssBytes: 0,
}
const failing = [1, 2, 3].map((at) => ({ at: start + at * 1000, isReady: false }))

describe('a release', () => {
  test('that answers every request with an error is bad within 3 s', () => {
    expect(secondsToBad(seconds(60, () => ({ bad: 10 })))).toBeLessThanOrEqual(3)
  })

  test('that fails one in ten is bad within 15 s', () => {
    expect(secondsToBad(seconds(60, () => ({ bad: 1 })))).toBeLessThanOrEqual(15)
  })

  test('that answers one in five too slowly is bad, and the reason says so', () => {
    const counts = seconds(20, () => ({ slow: 2 }))
    expect(verdictOf(evidence({ seconds: 20, fresh: side(counts) }))).toMatchObject({
      verdict: 'bad',
      because: 'response-time',
    })
  })

  test('that turns bad after ten good minutes is noticed as soon', () => {
    const counts = seconds(660, (index) => ({ bad: index >= 600 ? 5 : 0 }))
    expect(secondsToBad(counts)).toBeLessThanOrEqual(605)
  })

  test('without failures is good at the end of the bake and not before', () => {
    const counts = seconds(900, () => ({}))
    expect(verdictOf(evidence({ seconds: 899, fresh: side(counts) })).verdict).toBe('inconclusive')
    expect(verdictOf(evidence({ seconds: 900, fresh: side(counts) })).verdict).toBe('good')
  })

  test('nobody asked anything of is neither good nor bad', () => {
    expect(verdictOf(evidence({ seconds: 900 }))).toMatchObject({ verdict: 'inconclusive', moreNeeded: 112 })
  })

  test('with too few requests says how many more are needed, and our own journeys can supply them', () => {
    const few = seconds(5, () => ({}))
    expect(verdictOf(evidence({ seconds: 900, fresh: side(few) }))).toMatchObject({
      verdict: 'inconclusive',
      moreNeeded: 62,
    })
    const topUp = seconds(7, () => ({}), 100)
    expect(verdictOf(evidence({ seconds: 900, fresh: side(few), topUp })).verdict).toBe('good')
  })

  test('is not to blame while the old one beside it fails as much', () => {
    const control = side(seconds(30, () => ({ total: 2, bad: 1 })))
    const fresh = side(seconds(30, () => ({ bad: 5 })))
    expect(verdictOf(evidence({ seconds: 30, fresh, control })).verdict).toBe('environment')
    expect(verdictOf(evidence({ seconds: 30, fresh, control: side(seconds(30, () => ({ total: 2 }))) })).verdict).toBe(
      'bad',
    )
  })

  test('is not to blame while the database does not answer', () => {
    const fresh = side(
      seconds(30, () => ({ bad: 10 })),
      { readiness: failing },
    )
    expect(verdictOf(evidence({ seconds: 30, fresh, databaseAnswers: false })).verdict).toBe('environment')
  })

  test('is not to blame for what happened while the database was gone, once it is back', () => {
    const counts = seconds(40, (index) => ({ bad: index >= 10 && index < 22 ? 10 : 0 }))
    const fresh = side(counts, { readiness: failing.map(({ at }) => ({ at: at + 18_000, isReady: false })) })
    const outages = [{ from: start + 10_000, until: start + 24_000 }]
    expect(verdictOf(evidence({ seconds: 23, fresh })).verdict).toBe('bad')
    expect(verdictOf(evidence({ seconds: 40, fresh, databaseOutages: outages })).verdict).toBe('inconclusive')
    const worse = side(counts.map((each) => (each.second >= firstSecond + 30 ? { ...each, bad: 10 } : each)))
    expect(verdictOf(evidence({ seconds: 40, fresh: worse, databaseOutages: outages })).verdict).toBe('bad')
  })

  test('that fails one in twenty is not excused by a control that had too few requests to fail', () => {
    const control = side(seconds(30, () => ({ total: 1 })))
    const fresh = side(seconds(30, (index) => ({ bad: index % 2 })))
    const { errors } = judge(evidence({ seconds: 30, fresh, control })).trace
    expect(errors.baseline.goodRate).toBe(0.01)
  })

  test('is measured against the rate its predecessor had', () => {
    const usual = seconds(3_600, (index) => ({ bad: index % 3 === 0 ? 1 : 0 }), -3_600)
    const counts = seconds(900, (index) => ({ bad: index % 3 === 0 ? 1 : 0 }))
    expect(secondsToBad(counts, { before: usual })).toBeNull()
  })

  test('is not excused by an outage that the old release had before', () => {
    const usual = seconds(3_600, (index) => ({ bad: index >= 1_800 && index < 1_815 ? 10 : 0 }), -3_600)
    expect(
      secondsToBad(
        seconds(60, () => ({ bad: 1 })),
        { before: usual },
      ),
    ).toBeLessThanOrEqual(15)
  })

  test('one second of failures does not decide', () => {
    const counts = seconds(30, (index) => (index === 4 ? { total: 60, bad: 50 } : {}))
    expect(secondsToBad(counts)).toBeNull()
  })
})

describe('health', () => {
  test.each([
    ['three failed readiness probes in a row', { readiness: failing }],
    ['a dead web process', { web: dead }],
    ['a dead worker', { worker: dead }],
    [
      'two restarts within a minute',
      {
        web: {
          ...dead,
          state: 'running' as const,
          crashes: 2,
          crashedAt: [start + 1_000, start + 9_000].map((at) => new Date(at).toISOString()),
        },
      },
    ],
  ])('%s: bad', (_, more) => {
    expect(verdictOf(evidence({ seconds: 10, fresh: side([], more) }))).toMatchObject({
      verdict: 'bad',
      because: 'health-check',
    })
  })

  test('is the environment when the old release is not healthy either', () => {
    const sick = side([], { readiness: failing })
    expect(verdictOf(evidence({ seconds: 10, fresh: sick, control: sick })).verdict).toBe('environment')
  })

  test('a probe that succeeds in between starts the count again', () => {
    const readiness = [false, false, true, false, false].map((isReady, at) => ({ at: start + at * 1000, isReady }))
    expect(verdictOf(evidence({ seconds: 10, fresh: side([], { readiness }) })).verdict).toBe('inconclusive')
  })
})

describe('a new error', () => {
  const error = (more: Partial<NewError>): NewError => ({
    fingerprint: 'ab12',
    message: 'TypeError: x is undefined',
    isFatal: true,
    isIntegrity: false,
    events: 1,
    users: 1,
    ...more,
  })
  test.each([
    ['fatal, once, is not enough', {}, 'inconclusive'],
    ['fatal, three times, is', { events: 3 }, 'bad'],
    ['fatal for two people is', { users: 2 }, 'bad'],
    ['handled, often, is not', { isFatal: false, events: 50, users: 9 }, 'inconclusive'],
    ['of data integrity is at once', { isFatal: false, isIntegrity: true }, 'bad'],
  ])('%s', (_, more, verdict) => {
    expect(verdictOf(evidence({ seconds: 10, newErrors: [error(more)] })).verdict).toBe(verdict)
  })
})

describe('whatever the traffic', () => {
  const counts = fc
    .array(fc.record({ good: fc.nat(60), bad: fc.nat(8), slow: fc.nat(3) }), { minLength: 1, maxLength: 200 })
    .map((rows) =>
      rows.map(({ good, bad, slow }, index) => ({ second: firstSecond + index, total: good + bad + slow, bad, slow })),
    )

  test('the release is never good before the end of the bake', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 0, max: 899_999 }), (some, at) => {
        expect(verdictOf(evidence({ now: start + at, fresh: side(some) })).verdict).not.toBe('good')
      }),
    )
  })

  test('a success that fails instead never lowers the sum', () => {
    fc.assert(
      fc.property(counts, fc.nat(), (some, pick) => {
        const at = pick % some.length
        const worse = some.map((row, index) =>
          index === at && row.bad + row.slow < row.total ? { ...row, bad: row.bad + 1 } : row,
        )
        const sumOf = (rows: SecondCounts[]) => judge(evidence({ fresh: side(rows) })).trace.errors.sum.now
        expect(sumOf(worse)).toBeGreaterThanOrEqual(sumOf(some))
      }),
    )
  })

  test('the sum stays between its floor and what the failures can give', () => {
    fc.assert(
      fc.property(counts, (some) => {
        const { sum } = judge(evidence({ fresh: side(some) })).trace.errors
        expect(Math.min(...sum.points.map((point) => point.sum), 0)).toBeGreaterThanOrEqual(-4.6)
        expect(sum.now).toBeLessThanOrEqual(sum.failures * sum.perFailure + 1e-9)
      }),
    )
  })

  test('the same counts give the same judgement, and the evidence is left as it was', () => {
    fc.assert(
      fc.property(counts, counts, (some, other) => {
        const given = evidence({ seconds: 900, fresh: side(some), control: side(other) })
        const copy = structuredClone(given)
        expect(judge(given)).toEqual(judge(copy))
        expect(given).toEqual(copy)
      }),
    )
  })

  test('an old release that failed more never makes the new one worse', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 0, max: 20 }), (some, more) => {
        const sumWith = (every: number) =>
          judge(
            evidence({
              fresh: side(some),
              before: seconds(600, (i) => ({ bad: every > 0 && i % 21 < every ? 1 : 0 }), -600),
            }),
          ).trace.errors.baseline.goodRate
        expect(sumWith(more + 1)).toBeGreaterThanOrEqual(sumWith(more))
      }),
    )
  })
})
