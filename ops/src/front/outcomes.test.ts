import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { OutcomeBucket, Outcomes } from './front-api.ts'
import { createOutcomeCounts, type Outcome } from './outcomes.ts'
import { createRepeats } from './repeats.ts'
import { routeClassOf } from './route-class.ts'
import { secret, testFront } from './testing/front.ts'
import { ask } from './testing/raw-client.ts'
import { startUpstream } from './testing/upstream.ts'

const good: Outcome = {
  endedAt: 1_000_000,
  slot: 's',
  tag: 'v1',
  routeClass: 'api',
  isSynthetic: false,
  kind: 'good',
  isSlow: false,
  isRepeatedBad: false,
  isRepeatedSlow: false,
  latencyMs: 3,
  badRequest: null,
}

test('a reader gets what changed since its last look, and an hour is kept', () => {
  const counts = createOutcomeCounts(100)
  counts.add(good)
  const first = counts.since(0)
  expect(first.buckets).toMatchObject([{ second: 1000, total: 1, latency: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] }])
  expect(counts.since(first.seq).buckets).toEqual([])
  counts.add({ ...good, endedAt: 1_001_000 })
  counts.add({ ...good, endedAt: 1_000_500, latencyMs: 99_999 })
  expect(counts.since(first.seq).buckets.map(({ second, total }) => [second, total])).toEqual([
    [1000, 2],
    [1001, 1],
  ])
  expect(counts.since(0, 1001).buckets).toHaveLength(1)
  counts.add({ ...good, endedAt: 1_000_000 + 3_601_000 })
  expect(counts.since(0).buckets.map(({ second }) => second)).toEqual([1001, 4601])
})

test('the process that takes over knows all counts under the same numbers', () => {
  const counts = createOutcomeCounts(100)
  for (let second = 0; second < 2_500; second++) counts.add({ ...good, endedAt: second * 1000 })
  const { seq } = counts.since(0)
  const next = createOutcomeCounts(1_000_000)
  const portions = counts.handover()
  expect(portions.length).toBeGreaterThan(2)
  for (const portion of portions) next.restore(structuredClone(portion))
  expect(next.since(0).buckets).toEqual(counts.since(0).buckets)
  expect(next.since(seq).buckets).toEqual([])
  next.add({ ...good, endedAt: 2_499_999 })
  expect(next.since(seq).buckets).toMatchObject([{ second: 2499, total: 2 }])
})

test('the last five hundred bad requests are kept', () => {
  const counts = createOutcomeCounts(0)
  const bad = { at: '', slot: 's', tag: 'v1', method: 'GET', path: '/', status: 500, durationMs: 1, requestId: null }
  for (let n = 0; n < 2_000; n++) counts.add({ ...good, kind: 'bad', badRequest: { ...bad, path: `/${n}` } })
  const { badRequests } = counts.since(0)
  expect(badRequests).toHaveLength(500)
  expect(badRequests.at(-1)?.path).toBe('/1999')
})

test('the same failure of one client again is told apart, for five minutes and until an answer is fine', () => {
  const repeats = createRepeats()
  const note = (client: string | null, isBad: boolean, atMs: number, path = '/a') =>
    repeats.note(client, path, { isBad, isSlow: false }, atMs).isBad
  expect(note('x', true, 0)).toBe(false)
  expect(note('x', true, 1_000)).toBe(true)
  expect(note('y', true, 1_000)).toBe(false)
  expect(note('x', true, 1_000, '/b')).toBe(false)
  expect(note('x', true, 302_000)).toBe(false)
  expect(note('x', false, 303_000)).toBe(false)
  expect(note('x', true, 304_000)).toBe(false)
  expect(note(null, true, 1)).toBe(false)
  expect(note(null, true, 2)).toBe(false)
})

test.each([
  ['GET', '/', 'page'],
  ['GET', '/assets/a-1.js', 'page'],
  ['POST', '/api/v4/uploads/', 'upload'],
  ['PATCH', '/api/v4/uploads/abc/', 'upload'],
  ['HEAD', '/api/v4/uploads/abc/', 'api'],
  ['POST', '/api/v4/uploads/preflight/', 'api'],
  ['POST', '/api/v4/dam/assets/', 'upload'],
  ['POST', '/api/v4/dam/assets/upload/', 'upload'],
  ['PUT', '/api/v4/dam/assets/12/', 'upload'],
  ['POST', '/api/v4/dam/assets/search/', 'api'],
  ['POST', '/api/v4/dam/assets/bulk/', 'api'],
  ['GET', '/api/v4/dam/assets/12/renditions/thumb/', 'render'],
  ['GET', '/api/v4/dam/assets/12/download/', 'render'],
  ['GET', '/api/v4/dam/assets/12/', 'api'],
  ['GET', '/api/v4/events/stream/', 'stream'],
  ['GET', '/api/v4/events/', 'api'],
] as const)('%s %s is of class %s', (method, path, routeClass) => {
  expect(routeClassOf(method, path)).toBe(routeClass)
})

const summed = ({ buckets }: Outcomes, where: (bucket: OutcomeBucket) => boolean = () => true) => {
  const sum = { total: 0, bad: 0, slow: 0, clientError: 0, throttled: 0, aborted: 0 }
  for (const bucket of buckets.filter(where))
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += bucket[name]
  return sum
}

test('every request counts once, as what it was', async () => {
  await using upstream = await startUpstream('v1', (incoming, response) => {
    const path = incoming.url ?? ''
    if (path.includes('never')) return
    const delay = path.includes('slow') ? 250 : 0
    setTimeout(() => {
      response.statusCode = Number(/\d{3}$/.exec(path)?.[0] ?? 200)
      response.setHeader('x-request-id', 'r-1')
      if (path.includes('stream')) response.setHeader('content-type', 'text/event-stream').write('data: a\n\n')
      else response.end()
    }, delay)
  })
  const slowAboveMs = { page: 200, api: 200, upload: 2_000, render: 200 }
  await using front = await testFront({ active: upstream, settings: { slowAboveMs } })
  for (const status of [200, 204, 301, 404, 429, 500, 503]) await ask(front.origin, `/api/v4/x/${status}`)
  await ask(front.origin, '/api/v4/slow/200')
  await ask(front.origin, '/api/v4/uploads/slow/200', { method: 'PATCH', body: 'x' })
  const left = request(`${front.origin}/api/v4/never`, { agent: false }).end()
  left.on('error', () => undefined)
  await sleep(100)
  left.destroy()
  const stream = request(`${front.origin}/api/v4/events/stream/`, { agent: false }).end()
  await once(stream, 'response')
  await sleep(50)
  const found = await front.client.outcomes(0)
  expect(summed(found)).toEqual({ total: 11, bad: 2, slow: 1, clientError: 1, throttled: 1, aborted: 1 })
  expect(summed(found, ({ routeClass }) => routeClass === 'stream')).toMatchObject({ total: 1, bad: 0, aborted: 0 })
  expect(found.badRequests).toMatchObject([
    { path: '/api/v4/x/500', status: 500, requestId: 'r-1', tag: 'v1' },
    { path: '/api/v4/x/503', status: 503 },
  ])
  stream.destroy()
  await sleep(50)
  expect((await front.client.outcomes(found.seq)).buckets).toEqual([])
})

test('an upstream that is gone is 502 to the client and bad for its slot', async () => {
  const gone = await startUpstream('v1', (_, response) => response.end())
  await gone[Symbol.asyncDispose]()
  await using front = await testFront({ active: gone })
  const answer = await ask(front.origin, '/', { headers: { accept: 'text/html', cookie: 'dam_session=a' } })
  expect(answer).toMatchObject({ status: 502, headers: { 'content-type': 'text/html; charset=utf-8' } })
  expect(answer.headers['retry-after']).toBeDefined()
  await ask(front.origin, '/', { headers: { cookie: 'dam_session=a' } })
  const found = await front.client.outcomes(0)
  expect(summed(found, ({ slot }) => slot === 'slot-v1')).toMatchObject({ total: 2, bad: 2 })
  expect(found.buckets.reduce((sum, bucket) => sum + (bucket.repeatedBad ?? 0), 0)).toBe(1)
  expect(found.badRequests[0]).toMatchObject({ status: 502 })
})

test('only who knows the secret counts as our own probe, and the release never sees it', async () => {
  let seen: string | undefined
  await using upstream = await startUpstream('v1', (incoming, response) => {
    seen = incoming.headers['x-dam-synthetic'] as string | undefined
    response.end()
  })
  await using front = await testFront({ active: upstream })
  await ask(front.origin, '/', { headers: { 'x-dam-synthetic': secret } })
  expect(seen).toBeUndefined()
  await ask(front.origin, '/', { headers: { 'x-dam-synthetic': `${secret}x` } })
  expect(seen).toBeUndefined()
  const found = await front.client.outcomes(0)
  expect(summed(found, ({ isSynthetic }) => isSynthetic).total).toBe(1)
  expect(summed(found, ({ isSynthetic }) => !isSynthetic).total).toBe(1)
})
