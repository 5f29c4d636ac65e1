import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { openErrorLog } from '../operations/error-log.ts'
import { signInLimits } from '../people/sign-in-limit.ts'
import { testApp, type TestApp } from '../testing/test-app.ts'
import { limitBodyTime } from './limit-body-time.ts'
import { problemOf } from './problem-reply.ts'

let app: TestApp
beforeAll(async () => {
  app = await testApp({ DAM_TRUST_PROXY: 'yes' })
})
afterAll(() => app[Symbol.asyncDispose]())

const post = (address: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(app.url + address, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  })

test('a client cannot escape the limit on sign-ins by writing addresses in front of its own', async () => {
  const guess = (n: number): Promise<Response> =>
    post(
      '/api/v4/auth/token/obtain/',
      { username: 'nobody', password: `wrong ${n}` },
      { 'x-forwarded-for': `198.51.100.${n}, 203.0.113.9` },
    )
  const statuses: number[] = []
  for (let n = 0; n < signInLimits.perAccount + 3; n++) statuses.push((await guess(n)).status)
  expect(statuses.slice(0, signInLimits.perAccount)).toEqual(Array.from({ length: signInLimits.perAccount }, () => 401))
  expect(statuses.slice(signInLimits.perAccount)).toEqual([429, 429, 429])
})

test('guesses with ever new names stop filling the table of failures when the address is over its limit', async () => {
  const bucketCount = async (): Promise<number> =>
    (await app.database.row<{ n: number }>(sql`select count(*) as n from sign_in_failure`))?.n ?? 0
  // As if that address had used its tries up already.
  await post('/api/v4/auth/token/obtain/', { username: 'first', password: 'x' }, { 'x-forwarded-for': '203.0.113.10' })
  await app.database.run(sql`update sign_in_failure set failures = ${signInLimits.perAddress + 1}`)
  const before = await bucketCount()
  for (let n = 0; n < 5; n++) {
    expect(
      (
        await post(
          '/api/v4/auth/token/obtain/',
          { username: `name${n}`, password: 'x' },
          { 'x-forwarded-for': '203.0.113.10' },
        )
      ).status,
    ).toBe(429)
  }
  expect(await bucketCount()).toBe(before)
})

test('one idempotency key means one asset of the address, too', async () => {
  const { token } = await app.person('editor')
  const replay = (id: number): Promise<Response> =>
    post(`/api/v4/dam/assets/${id}/replay/`, {}, { authorization: `Token ${token}`, 'idempotency-key': 'same' })
  const ids: number[] = []
  for (const name of ['a', 'b']) {
    const form = new FormData()
    form.append('file', new Blob([`bytes of ${name}`]), `${name}.txt`)
    const made = await fetch(`${app.url}/api/v4/dam/assets/`, {
      method: 'POST',
      body: form,
      headers: { authorization: `Token ${token}` },
    })
    ids.push(((await made.json()) as { id: number }).id)
  }
  expect((await replay(ids[0] as number)).status).toBe(202)
  expect((await replay(ids[1] as number)).status).toBe(409)
})

test('half a character in a filter is refused with the reason', async () => {
  const { token } = await app.person('viewer')
  for (const filters of [{ custom_metadata: { title: '\ud800' } }, { custom_metadata: { '\udc00': 1 } }]) {
    const response = await post('/api/v4/dam/assets/search/', { filters }, { authorization: `Token ${token}` })
    expect(response.status).toBe(400)
  }
})

test('a body that never ends is cut after its time, whether somebody reads it or not', async () => {
  for (const reads of [true, false]) {
    const server: Server = createServer((request, response) => {
      limitBodyTime(request, 300)
      request.on('error', () => undefined)
      if (reads) request.resume()
      else response.writeHead(401).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nx')
    const drip = setInterval(() => socket.write('x'), 50)
    await new Promise((resolve) => socket.once('close', resolve))
    clearInterval(drip)
    server.close()
  }
})

test('a missing file is not reported as a missing database', () => {
  expect(problemOf(Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'open' })).code).toBe(
    'internal-error',
  )
  expect(problemOf(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })).code).toBe('internal-error')
  expect(problemOf(Object.assign(new Error('no socket'), { code: 'ENOENT', syscall: 'connect' })).code).toBe(
    'database-unavailable',
  )
  expect(
    problemOf(Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' })).code,
  ).toBe('database-unavailable')
})

test('an error whose text the database cannot hold does not keep later ones out of error_log', async () => {
  const errorLog = openErrorLog(app.database, { process: 'test', release: 'dev' })
  errorLog.add({ message: 'a tool printed \0 and \ud800', code: 'odd' })
  errorLog.add({ message: 'an ordinary one', code: 'plain' })
  await errorLog.flush()
  const rows = await app.database.rows<{ code: string }>(
    sql`select code from error_log where process = 'test' order by id`,
  )
  expect(rows.map(({ code }) => code)).toEqual(['odd', 'plain'])
})

test('an unexpected error of a request with a body is in the log under the id the client was told', async () => {
  const { token } = await app.person('editor')
  await app.database.run(sql`alter table collection rename to collection_away`)
  const response = await post('/api/v4/collections/', { name: 'x' }, { authorization: `Token ${token}` })
  await app.database.run(sql`alter table collection_away rename to collection`)
  expect(response.status).toBe(500)
  const { error } = (await response.json()) as { error: { request_id: string } }
  const lines = readFileSync(path.join(app.dataDir, 'logs', 'app.log'), 'utf8').split('\n')
  expect(lines.some((line) => line.includes('"ERROR"') && line.includes(error.request_id))).toBe(true)
})

test('connections that died while idle cost no transaction', async () => {
  const transactions = (): Promise<unknown[]> =>
    Promise.all(Array.from({ length: 3 }, () => app.database.transaction((tx) => tx.row(sql`select 1 as one`))))
  for (let n = 0; n < 20; n++) {
    await transactions()
    await app.database.run(sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'dam test' and state = 'idle' and pid <> pg_backend_pid()`)
    expect(await transactions()).toHaveLength(3)
  }
})

test('a connection that was opened ahead and never used does not keep the server from ending', async () => {
  const other = await testApp({}, { beside: app })
  const ahead = net.connect(Number(new URL(other.url).port), '127.0.0.1')
  const gone = new Promise((resolve) => ahead.once('close', resolve))
  ahead.on('error', () => undefined).resume()
  await new Promise((resolve) => ahead.once('connect', resolve))
  const from = performance.now()
  await other[Symbol.asyncDispose]()
  await gone
  expect(performance.now() - from).toBeLessThan(5_000)
})
