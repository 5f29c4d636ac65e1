import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testApp, type TestApp } from '../testing/test-app.ts'

let app: TestApp
let editor: Awaited<ReturnType<TestApp['person']>>
let administrator: typeof editor
beforeAll(async () => {
  app = await testApp()
  editor = await app.person('editor')
  administrator = await app.person('administrator')
})
afterAll(() => app[Symbol.asyncDispose]())

const get = (address: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(app.url + address, { headers, redirect: 'manual' })
const post = (address: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(app.url + address, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
    redirect: 'manual',
  })
const asEditor = () => ({ authorization: `Token ${editor.token}` })

test('the runbook endpoints answer exactly what the runbook says', async () => {
  const health = (await (await get('/health')).json()) as Record<string, string>
  expect(Object.keys(health)).toEqual(['status', 'version', 'timestamp'])
  expect(health['status']).toBe('healthy')
  expect(health['timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  expect(await (await get('/api/health')).json()).toMatchObject({
    status: 'healthy',
    database: 'connected',
    cache: 'connected',
    version: 'test',
  })
  const metrics = await (await get('/metrics')).text()
  for (const name of [
    'dam_http_requests_total',
    'dam_http_error_ratio',
    'dam_http_request_duration_seconds_bucket',
    'dam_active_users',
    'dam_upload_success_ratio',
    'dam_search_success_ratio',
    'dam_queue_jobs',
    'dam_queue_oldest_seconds',
    'dam_host_cpu_ratio',
    'dam_host_memory_bytes',
    'dam_disk_bytes',
    'dam_event_loop_lag_seconds',
    'dam_database_pool_connections',
    'dam_cache_reads_total',
    'dam_build_info',
  ])
    expect(metrics).toContain(`\n# TYPE ${name.replace(/_bucket$/, '')} `)
})

test('every path works with and without the slash at the end, without a redirect', async () => {
  for (const address of ['/api/v4/dam/assets/', '/api/v4/dam/assets', '/api/v4/tags', '/api/v4/users/current']) {
    expect((await get(address, asEditor())).status, address).toBe(200)
  }
  expect((await post('/api/v4/dam/assets/search', { q: 'x' }, asEditor())).status).toBe(200)
})

test('a token is obtained with JSON or a form and accepted as Token and as Bearer', async () => {
  const byJson = (await (
    await post('/api/v4/auth/token/obtain/', { username: editor.username, password: editor.password })
  ).json()) as { token: string }
  const byForm = (await (
    await fetch(`${app.url}/api/v4/auth/token/obtain/`, {
      method: 'POST',
      body: new URLSearchParams({ username: editor.username, password: editor.password }),
    })
  ).json()) as { token: string }
  expect((await get('/api/v4/users/current/', { authorization: `Token ${byJson.token}` })).status).toBe(200)
  expect((await get('/api/v4/users/current/', { authorization: `Bearer ${byForm.token}` })).status).toBe(200)
  expect((await get('/api/v4/users/current/', { authorization: 'Token nonsense-nonsense-nonsense' })).status).toBe(401)
})

test('errors are problems from the closed list, with field errors beside the detail', async () => {
  const response = await post('/api/v4/collections/', { name: '', colour: 'red' }, asEditor())
  expect(response.status).toBe(400)
  expect(response.headers.get('content-type')).toContain('application/problem+json')
  const body = (await response.json()) as Record<string, unknown>
  expect(body).toMatchObject({
    detail: expect.any(String),
    colour: [expect.any(String)],
    error: { code: 'unknown-field', request_id: expect.any(String) },
  })
  const broken = await fetch(`${app.url}/api/v4/collections/`, {
    method: 'POST',
    body: '{',
    headers: { 'content-type': 'application/json', ...asEditor() },
  })
  expect(broken.status).toBe(400)
  const wrongMethod = await fetch(`${app.url}/api/v4/tags/`, { method: 'PUT', headers: asEditor() })
  expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'GET'])
  expect((await get('/api/v4/dam/assets/abc/', asEditor())).status).toBe(404)
  expect((await get('/api/v4/dam/assets/?ordering=colour', asEditor())).status).toBe(400)
  expect(await (await get('/api/v4/dam/assets/?page=7', asEditor())).json()).toMatchObject({ detail: 'Invalid page.' })
})

test('a repeated Idempotency-Key gives the first answer and makes one thing', async () => {
  const send = (name: string) => post('/api/v4/collections/', { name }, { ...asEditor(), 'idempotency-key': 'key-1' })
  const answers = await Promise.all([send('Once'), send('Once')])
  const statuses = answers.map(({ status }) => status).toSorted()
  expect(statuses[0]).toBe(201)
  expect([201, 409]).toContain(statuses[1])
  const again = await send('Once')
  expect(again.status).toBe(201)
  expect(
    await app.database.rows({ text: `select 1 from collection where name = 'Once'`, values: [] } as never),
  ).toHaveLength(1)
  expect((await send('Another')).status).toBe(409)
})

test('a cookie counts only for requests from our own pages; a token needs no such proof', async () => {
  const cookie = { cookie: `dam_session=${editor.browserToken}` }
  const create = (headers: Record<string, string>) =>
    post('/api/v4/collections/', { name: `C${Math.random()}` }, { ...cookie, ...headers })
  expect((await create({ origin: app.url })).status).toBe(201)
  expect((await create({ 'sec-fetch-site': 'same-origin' })).status).toBe(201)
  expect((await create({})).status).toBe(403)
  expect((await create({ origin: 'https://evil.example' })).status).toBe(403)
  expect((await create({ 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect((await create({ origin: 'null' })).status).toBe(403)
  expect(
    (await post('/api/v4/auth/login/', { username: 'a', password: 'b' }, { 'sec-fetch-site': 'cross-site' })).status,
  ).toBe(403)
})

test('a host that is not ours is never reflected', async () => {
  const { request } = await import('node:http')
  const body = await new Promise<string>((resolve, reject) => {
    const sent = request(
      `${app.url}/api/v4/users/current/`,
      { headers: { ...asEditor(), host: 'evil.example', 'x-forwarded-host': 'evil.example' } },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve(text))
      },
    )
    sent.on('error', reject)
    sent.end()
  })
  expect(body).toContain('"url":"http://localhost:')
  expect(body).not.toContain('evil')
})

test('the last administrator can neither leave nor be closed', async () => {
  const change = (body: unknown) =>
    fetch(`${app.url}/api/v4/users/${administrator.id}/`, {
      method: 'PATCH',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', authorization: `Token ${administrator.token}` },
    })
  expect((await change({ role: 'viewer' })).status).toBe(409)
  expect((await change({ active: false })).status).toBe(409)
  expect((await change({ display_name: 'Ada' })).status).toBe(200)
})

test('log lines are JSON with upper-case levels, and grep finds a user', async () => {
  await get('/api/v4/users/current/', asEditor())
  const lines = readFileSync(path.join(app.dataDir, 'logs', 'app.log'), 'utf8')
    .trim()
    .split('\n')
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({ level: expect.stringMatching(/^(INFO|WARN|ERROR)$/) })
  expect(lines.some((line) => new RegExp(`user_id:${editor.id}\\b`).test(line))).toBe(true)
})

test('the contract is served as OpenAPI 3.1 and as a page', async () => {
  const schema = (await (await get('/api/v4/schema/')).json()) as { openapi: string; paths: object }
  expect(schema.openapi).toBe('3.1.0')
  expect(Object.keys(schema.paths)).toContain('/api/v4/dam/assets/{id}/')
  const page = await get('/api/docs/')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(await page.text()).toContain('listAssets')
})

test('events stream from where the reader stopped, without a gap', async () => {
  const first = (await (await get('/api/v4/events/', asEditor())).json()) as { last: number }
  await post('/api/v4/collections/', { name: 'Streamed' }, asEditor())
  const aborter = new AbortController()
  const stream = await fetch(`${app.url}/api/v4/events/stream/`, {
    headers: { ...asEditor(), 'last-event-id': String(Math.max(0, first.last - 1)) },
    signal: aborter.signal,
  })
  expect(stream.headers.get('content-type')).toContain('text/event-stream')
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk)
    if (/event: collection.changed[^]*"seq":/.test(text) && text.split('event: collection.changed').length > 1) break
  }
  aborter.abort()
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]))
  expect(ids).toEqual(ids.toSorted((a, b) => a - b))
})

test('long JSON travels compressed to clients that take it, and is the same', async () => {
  const [plain, packed] = await Promise.all(
    ['identity', 'gzip'].map((encoding) => get('/api/v4/schema/', { 'accept-encoding': encoding })),
  )
  expect([plain?.headers.get('content-encoding'), packed?.headers.get('content-encoding')]).toEqual([null, 'gzip'])
  expect(packed?.headers.get('vary')).toContain('Accept-Encoding')
  expect(await packed?.text()).toBe(await plain?.text())
})
