import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chooseUpstream } from './choose-upstream.ts'
import type { Pointer } from './front-api.ts'
import { FrontRefusal } from './front-client.ts'
import { pointerFileOf } from './pointer-file.ts'
import { pointerTo, runFolder, secret, testFront } from './testing/front.ts'
import { ask, sendRaw } from './testing/raw-client.ts'
import { startUpstream } from './testing/upstream.ts'

const v1 = { slot: 'one', tag: 'v1.0.0', port: 1 }
const v2 = { slot: 'two', tag: 'v2.0.0', port: 2 }
const baking = (sharePercent: number): Pointer => pointerTo(v2, { control: { upstream: v1, sharePercent } })
const tagFor = (pointer: Pointer, session: string): string | undefined =>
  chooseUpstream(pointer, () => session)?.chosen.tag

test('the share of sessions that is held back is the share that was asked for, and each stays where it is', () => {
  const sessions = Array.from({ length: 20_000 }, (_, index) => `session-${index}`)
  for (const share of [0, 5, 10, 50, 100]) {
    const held = sessions.filter((session) => tagFor(baking(share), session) === 'v1.0.0').length
    expect(Math.abs(held / 200 - share)).toBeLessThan(1)
  }
  fc.assert(
    fc.property(fc.string(), (session) => tagFor(baking(7), session) === tagFor(baking(7), session)),
    { numRuns: 200 },
  )
  // A growing share only adds sessions; another bake holds back others.
  for (const session of sessions.slice(0, 2_000))
    if (tagFor(baking(5), session) === 'v1.0.0') expect(tagFor(baking(10), session)).toBe('v1.0.0')
  const next = pointerTo({ ...v2, slot: 'three' }, { control: { upstream: v1, sharePercent: 10 } })
  const moved = sessions.filter((session) => tagFor(baking(10), session) !== tagFor(next, session)).length
  expect(moved).toBeGreaterThan(2_000)
})

test('a session stays on its release over many connections: by its cookie, its token or its address', async () => {
  await using old = await startUpstream('v1', (_, response) => response.end())
  await using fresh = await startUpstream('v2', (_, response) => response.end())
  await using front = await testFront()
  await front.point(fresh, {
    control: { upstream: { slot: old.slot, tag: old.tag, port: old.port }, sharePercent: 40 },
  })
  const releaseFor = async (headers: Record<string, string>): Promise<string> =>
    String((await ask(front.origin, '/', { headers })).headers['x-release'])
  const seen = new Set<string>()
  for (let index = 0; index < 30; index++) {
    for (const headers of [
      { cookie: `theme=dark; dam_session=s${index}` },
      { cookie: `__Host-dam_session=s${index}; theme=dark` },
      { authorization: `Token t${index}` },
      {},
    ]) {
      const first = await releaseFor(headers)
      expect(await releaseFor(headers)).toBe(first)
      seen.add(first)
    }
    // What else a cookie holds makes no difference.
    expect(await releaseFor({ cookie: `dam_session=s${index}` })).toBe(
      await releaseFor({ cookie: `a=${Math.random()}; dam_session=s${index}` }),
    )
  }
  expect([...seen].sort()).toEqual(['v1', 'v2'])
})

test('a page finds the hashed files of its own release, whichever release it is given', async () => {
  const files = (name: string) => (incoming: IncomingMessage, response: ServerResponse) => {
    response.statusCode = incoming.url === `/assets/${name}` ? 200 : 404
    response.end(response.statusCode === 200 ? name : 'nothing')
  }
  await using old = await startUpstream('v1', files('old-abc.js'))
  await using fresh = await startUpstream('v2', files('new-def.js'))
  await using front = await testFront()
  await front.point(fresh, { control: { upstream: { slot: old.slot, tag: old.tag, port: old.port }, sharePercent: 0 } })
  expect(await ask(front.origin, '/assets/new-def.js')).toMatchObject({ status: 200, body: 'new-def.js' })
  expect(await ask(front.origin, '/assets/old-abc.js')).toMatchObject({ status: 200, body: 'old-abc.js' })
  expect(await ask(front.origin, '/assets/none.js')).toMatchObject({ status: 404, body: 'nothing' })
  expect(await ask(front.origin, '/old-abc.js')).toMatchObject({ status: 404, headers: { 'x-release': 'v2' } })
  await old[Symbol.asyncDispose]()
  expect((await ask(front.origin, '/assets/old-abc.js')).status).toBe(404)
})

test('nothing in service: a calm page for people, a problem for programs, both say when to come back', async () => {
  await using front = await testFront()
  const page = await ask(front.origin, '/', { headers: { accept: 'text/html' } })
  expect(page).toMatchObject({ status: 503, headers: { 'content-type': 'text/html; charset=utf-8' } })
  expect(page.body).toMatch(/<h1>DAM is not in service yet<\/h1>/)
  const problem = await ask(front.origin, '/api/v4/tags/')
  expect(problem).toMatchObject({ status: 503, headers: { 'content-type': 'application/problem+json; charset=utf-8' } })
  expect(JSON.parse(problem.body)).toMatchObject({ error: { code: 'not-in-service' } })
  for (const { headers } of [page, problem]) expect(Number(headers['retry-after'])).toBeGreaterThan(0)
  const head = await sendRaw(front.port, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1\.1 503 [^]*\r\n\r\n$/)
  expect((await front.client.status()).pointerProblem).toMatch(/pointer\.json is not there/)
})

test('in read-only maintenance reading and searching pass and changes are refused with the reason', async () => {
  await using upstream = await startUpstream('v1.2.3', (_, response) => response.end('from the release'))
  await using front = await testFront()
  const maintenance = { mode: 'read-only' as const, reason: 'Moving to new disks', until: '2099-01-01T02:00:00.000Z' }
  await front.point(upstream, { maintenance })
  for (const method of ['GET', 'OPTIONS']) {
    expect(await ask(front.origin, '/api/v4/dam/assets/', { method })).toMatchObject({ status: 200 })
  }
  expect(await ask(front.origin, '/api/v4/dam/assets/search/', { method: 'POST', body: '{}' })).toMatchObject({
    status: 200,
  })
  for (const [method, path] of [
    ['POST', '/api/v4/uploads/'],
    ['PATCH', '/api/v4/uploads/1/'],
    ['DELETE', '/api/v4/dam/assets/1/'],
    ['PUT', '/api/v4/dam/assets/1/'],
  ] as const) {
    const answer = await ask(front.origin, path, { method, body: 'x'.repeat(100_000) })
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '3600' } })
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { code: 'maintenance', details: { mode: 'read-only', reason: 'Moving to new disks' } },
    })
  }
  // People can sign in, and our own journeys try what is deployed in the window.
  expect(await ask(front.origin, '/api/v4/auth/login/', { method: 'POST', body: '{}' })).toMatchObject({ status: 200 })
  const journey = { method: 'POST', headers: { 'x-dam-synthetic': secret }, body: 'x' }
  expect(await ask(front.origin, '/api/v4/uploads/', journey)).toMatchObject({ status: 200 })
  const health = await ask(front.origin, '/health')
  expect(JSON.parse(health.body)).toMatchObject({ status: 'healthy', version: '1.2.3', maintenance: true })
  const { buckets } = await front.client.outcomes(0)
  const refused = buckets.filter(({ slot }) => slot === 'front')
  expect(refused.reduce((sum, bucket) => sum + (bucket.refused ?? 0), 0)).toBe(4)
  expect(buckets.reduce((sum, bucket) => sum + bucket.bad + bucket.slow, 0)).toBe(0)
})

test('in full maintenance everything but the health check is the page', async () => {
  await using upstream = await startUpstream('v1.2.3', (_, response) => response.end('from the release'))
  await using front = await testFront()
  const maintenance = { mode: 'full' as const, reason: 'A <new> database', until: null }
  await front.point(upstream, { maintenance })
  expect((await ask(front.origin, '/')).body).toMatch(/A &lt;new&gt; database/)
  for (const path of ['/', '/api/v4/tags/', '/api/v4/events/stream/', '/readyz'])
    expect((await ask(front.origin, path)).status).toBe(503)
  const health = await ask(front.origin, '/health')
  expect(health.status).toBe(200)
  expect(JSON.parse(health.body)).toMatchObject({ status: 'healthy', version: '1.2.3', maintenance: true })
  await front.point(upstream)
  expect((await ask(front.origin, '/')).body).toBe('from the release')
})

test('a pointer with an older token is refused and the newest is named; the file holds what is served', async () => {
  await using one = await startUpstream('v1', (_, response) => response.end('1'))
  await using two = await startUpstream('v2', (_, response) => response.end('2'))
  await using front = await testFront()
  await front.client.switchTo(pointerTo(two, { fencingToken: 9 }))
  const refusal = await front.client.switchTo(pointerTo(one, { fencingToken: 8 })).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(FrontRefusal)
  expect(refusal).toMatchObject({ status: 409, newestToken: 9 })
  expect((await ask(front.origin, '/')).body).toBe('2')
  expect(JSON.parse(readFileSync(pointerFileOf(front.runDir), 'utf8'))).toEqual(pointerTo(two, { fencingToken: 9 }))
  await expect(front.client.switchTo(pointerTo(one, { environment: 'production', fencingToken: 10 }))).rejects.toThrow(
    /serves staging, not production/,
  )
  await expect(front.client.switchTo({ ...pointerTo(one), active: { slot: 's', tag: 't', port: 0 } })).rejects.toThrow(
    /active\.port must be a port/,
  )
  // Of switches at once the one with the newest token stays.
  await Promise.allSettled(
    [11, 14, 12, 13].map((fencingToken) => front.client.switchTo(pointerTo(one, { fencingToken }))),
  )
  expect((await front.client.status()).pointer.fencingToken).toBe(14)
})

test('a torn pointer file means that nothing is active and says so, until one is written', async () => {
  await using upstream = await startUpstream('v1', (_, response) => response.end('ok'))
  const whole = JSON.stringify(pointerTo(upstream, { fencingToken: 3 }))
  const folder = runFolder()
  for (const torn of ['', whole.slice(0, 40), whole.replace('"port":', '"part":')]) {
    writeFileSync(pointerFileOf(folder.runDir), torn)
    await using front = await testFront({ runDir: folder.runDir })
    expect((await ask(front.origin, '/')).status).toBe(503)
    expect(await front.client.status()).toMatchObject({
      pointer: { active: null },
      pointerProblem: expect.stringMatching(/cannot be used/) as string,
    })
    await front.client.switchTo(pointerTo(upstream, { fencingToken: 3 }))
    expect(await front.client.status()).toMatchObject({ pointerProblem: null })
    expect((await ask(front.origin, '/')).body).toBe('ok')
  }
  writeFileSync(pointerFileOf(folder.runDir), whole)
  await using front = await testFront({ runDir: folder.runDir })
  expect((await ask(front.origin, '/')).body).toBe('ok')
  folder.remove()
})

test('requests under way stay on their release when the pointer switches; a drain waits for them and ends streams', async () => {
  await using old = await startUpstream('v1', (incoming, response) => {
    if (incoming.url?.includes('stream')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('id: 7\ndata: a\n\n')
    } else if (incoming.method === 'PATCH') void text(incoming).then((body) => response.end(body))
    else setTimeout(() => response.end('slow page'), 400)
  })
  await using fresh = await startUpstream('v2', (_, response) => response.end('new'))
  await using front = await testFront({ active: old })
  const page = ask(front.origin, '/')
  const upload = request(`${front.origin}/api/v4/uploads/1/`, { method: 'PATCH', agent: false })
  const uploaded = once(upload, 'response') as Promise<[IncomingMessage]>
  upload.write('a')
  const stream = request(`${front.origin}/api/v4/events/stream/`, { agent: false }).end()
  const [events] = (await once(stream, 'response')) as [IncomingMessage]
  const streamed = text(events)
  await expect(front.client.drain(old.slot)).rejects.toThrow(/still gets requests/)
  await front.point(fresh)
  expect((await ask(front.origin, '/')).body).toBe('new')
  const early = await front.client.drain(old.slot, { page: 100, upload: 100 })
  expect(early).toMatchObject({ drained: false })
  expect(early.left).toContainEqual({ routeClass: 'upload', count: 1 })
  expect(await streamed).toBe('id: 7\ndata: a\n\n')
  const drained = front.client.drain(old.slot)
  await sleep(100)
  upload.end('b')
  expect(await text((await uploaded)[0])).toBe('ab')
  expect((await page).body).toBe('slow page')
  expect(await drained).toMatchObject({ drained: true, left: [] })
  expect(await front.client.drain('never-seen')).toMatchObject({ drained: true })
})
