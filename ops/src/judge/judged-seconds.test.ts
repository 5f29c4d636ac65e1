import fc from 'fast-check'
import { expect, test } from 'vitest'
import { latencyBoundsMs, type OutcomeBucket } from '../front/front-api.ts'
import { judgedSeconds } from './judged-seconds.ts'

const bucket = (more: Partial<OutcomeBucket>): OutcomeBucket => ({
  second: 100,
  slot: 'production-2',
  tag: 'v1.1.0',
  routeClass: 'api',
  isSynthetic: false,
  total: 10,
  bad: 0,
  slow: 0,
  clientError: 0,
  throttled: 0,
  aborted: 0,
  latency: [10, ...latencyBoundsMs.map(() => 0)],
  ...more,
})

test("clients' own mistakes, throttled and abandoned requests are not counted", () => {
  const counts = judgedSeconds([bucket({ total: 20, bad: 2, slow: 1, clientError: 5, throttled: 3, aborted: 1 })], {
    slot: 'production-2',
  })
  expect(counts).toEqual([{ second: 100, total: 11, bad: 2, slow: 1 }])
})

test('a client that repeats one failure is one observation', () => {
  expect(judgedSeconds([bucket({ total: 60, bad: 50, repeatedBad: 49 })], { slot: 'production-2' })).toEqual([
    { second: 100, total: 11, bad: 1, slow: 0 },
  ])
})

test('our own traffic and other slots are streams of their own', () => {
  const all = [bucket({}), bucket({ isSynthetic: true, total: 3 }), bucket({ slot: 'production-1', total: 7 })]
  expect(judgedSeconds(all, { slot: 'production-2' })[0]?.total).toBe(10)
  expect(judgedSeconds(all, { slot: 'production-2', isSynthetic: true })[0]?.total).toBe(3)
})

test('the order of requests within a second does not matter', () => {
  const some = fc.array(
    fc.record({ second: fc.integer({ min: 0, max: 5 }), total: fc.integer({ min: 5, max: 9 }), bad: fc.nat(5) }),
  )
  fc.assert(
    fc.property(some, (rows) => {
      const buckets = rows.map(bucket)
      expect(judgedSeconds(buckets.toReversed(), { slot: 'production-2' })).toEqual(
        judgedSeconds(buckets, { slot: 'production-2' }),
      )
    }),
  )
})
