import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Probe } from '@dam/contract/ops-types'
import { openIncident, resolveIncident } from '../incidents/incident-store.ts'
import { listOutbox } from '../notify/outbox-store.ts'
import { addSample } from '../signals/sample-store.ts'
import { emptySample } from '../signals/sample.ts'
import { openStore, type Store } from '../store.ts'
import { addPublicUpdate } from './public-update-store.ts'
import { serveStatus } from './serve-status.ts'
import { tellSubscribers } from './tell-subscribers.ts'
import { addUpUptime, readUptime } from './uptime.ts'

let folder: string
let store: Store
let http: FastifyInstance
let now: Date
let probe: Probe['state'] | null

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-status-'))
  store = openStore(folder, { durability: 'none' })
  now = new Date('2026-03-10T12:00:00Z')
  probe = 'healthy'
  http = Fastify()
  serveStatus(http, {
    store,
    environments: () => ['production'],
    probes: {
      of: () =>
        probe && { at: now.toISOString(), state: probe, message: 'secret-host:5432 refuses', version: null, tookMs: 1 },
      [Symbol.dispose]: () => undefined,
    },
    windows: (_, from, until) => {
      const window = { name: 'Weekly', from: '2026-03-15T02:00:00.000Z', until: '2026-03-15T04:00:00.000Z' }
      return window.from < until.toISOString() && window.until > from.toISOString() ? [window] : []
    },
    serviceName: () => 'DAM <pictures>',
    baseUrl: 'https://ops.dam.local',
    headers: { 'x-frame-options': 'DENY' },
    now: () => now,
  })
  await http.ready()
})
afterEach(async () => {
  await http.close()
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const later = (ms: number): void => {
  now = new Date(now.getTime() + ms)
}
const get = (url: string, language = 'en') => http.inject({ url, headers: { 'accept-language': language } })
const post = (url: string, body: string, address = '198.51.100.1') =>
  http.inject({
    method: 'POST',
    url,
    remoteAddress: address,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: body,
  })
const incident = (environment = 'production') =>
  openIncident(store, {
    environment,
    severity: 'P0',
    title: 'Database of customer ACME is gone',
    cause: 'db-7.internal refused',
    dedupKey: `${environment} db`,
    openedBy: 'test',
    now,
  }).incident
const tell = (incidentId: number, state: 'investigating' | 'resolved', text: string, title?: string): number =>
  addPublicUpdate(store, { incidentId, title, state, text, by: 'olga', now })
const links = (): string[] =>
  listOutbox(store, { limit: 100 }).flatMap(({ message }) => message.links.map(({ url }) => url))

test('the page says in the reader’s language how it is, without a script and under a policy that would run none', async () => {
  const page = await get('/status')
  expect(page.statusCode).toBe(200)
  expect(page.body).toContain('Everything works.')
  expect(page.body).toContain('2026-03-15 02:00 UTC')
  expect(page.body).toContain('DAM &lt;pictures&gt;')
  expect(page.body).not.toMatch(/<script|style="| on\w+=/)
  expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+'; /)
  expect((await get('/status', 'de, ru;q=0.8, en;q=0.5')).body).toContain('Всё работает.')
  expect((await get('/status?lang=en', 'ru')).body).toContain('Everything works.')
})

test('nothing of an incident is public but what an operator wrote for the public, and that is only text', async () => {
  const { id } = incident()
  const internal = incident('staging')
  addPublicUpdate(store, {
    incidentId: internal.id,
    title: 'Only staging',
    state: 'identified',
    text: 'x',
    by: 'o',
    now,
  })
  const places = ['/status', '/status.json', '/status.atom']
  const bodies = async (): Promise<string> =>
    (await Promise.all(places.map((url) => get(url)))).map(({ body }) => body).join()
  expect(await bodies()).not.toMatch(/ACME|internal|Only staging|olga|secret-host/)
  expect(await bodies()).toContain('Everything works.')
  tell(id, 'investigating', '<img src=x onerror=alert(1)> & "more"', 'Uploads <b>fail</b>')
  later(6_000)
  const told = await bodies()
  expect(told).toContain('There is a problem; we are working on it.')
  expect(told).toContain('Uploads &lt;b&gt;fail&lt;/b&gt;')
  expect(told).not.toMatch(/ACME|olga|Only staging|secret-host|<b>fail<\/b><\/h3/)
  expect((await get('/status')).body).not.toContain('<img')
  expect((await get('/status.atom')).body).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;more&quot;')
  resolveIncident(store, id, { who: 'olga', message: 'internal words', now })
  later(6_000)
  expect((await get('/status')).body).toContain('Everything works.')
  expect(await bodies()).not.toContain('internal words')
})

test('a probe that fails once is no outage, one minute without an answer is', async () => {
  probe = 'unreachable'
  addSample(store, 'production', new Date(now.getTime() - 30_000), { ...emptySample(), up: { system: 1 } })
  addSample(store, 'production', new Date(now.getTime() - 10_000), { ...emptySample(), up: { system: 0 } })
  expect((await get('/status.json')).json()).toMatchObject({ state: 'limited' })
  later(40_000)
  addSample(store, 'production', new Date(now.getTime() - 10_000), { ...emptySample(), up: { system: 0 } })
  expect((await get('/status.json')).json()).toMatchObject({ state: 'down' })
  probe = null
  later(120_000)
  expect((await get('/status.json')).json()).toMatchObject({ state: 'unknown' })
})

test('days are added up from samples, and a day nobody looked at is not known', async () => {
  for (let step = 0; step < 60; step++)
    addSample(store, 'production', new Date(now.getTime() - step * 10_000), {
      ...emptySample(),
      up: { system: step < 6 ? 0 : 1 },
    })
  await addUpUptime(store, 'production', now)
  const { days, up } = readUptime(store, 'production', now)
  expect(days).toHaveLength(90)
  expect(days.at(-1)).toEqual({ day: '2026-03-10', up: 0.9, downSeconds: 60 })
  expect(days.at(-2)).toEqual({ day: '2026-03-09', up: null, downSeconds: 0 })
  expect(up).toBe(0.9)
})

test('a subscription counts after its address has confirmed it by a click, and one click ends it', async () => {
  const { id } = incident()
  const telling = () => ({ name: 'DAM', baseUrl: 'https://ops.dam.local', now })
  const update = (text: string): void => {
    const number = tell(id, 'investigating', text, 'Uploads fail')
    tellSubscribers(
      store,
      { id: number, incidentId: id, title: 'Uploads fail', state: 'investigating', text },
      telling(),
    )
  }
  expect((await post('/status/subscribe?lang=ru', 'email=Reader%40Example.com')).statusCode).toBe(200)
  update('nobody is subscribed yet')
  const confirm =
    links()
      .find((url) => url.includes('/status/confirm'))
      ?.replace('https://ops.dam.local', '') ?? ''
  expect(listOutbox(store, { limit: 10 })).toHaveLength(1)
  // Mail scanners open links; opening alone subscribes nobody.
  expect((await get(confirm)).body).toContain('method="post"')
  update('still nobody')
  expect(listOutbox(store, { limit: 10 })).toHaveLength(1)
  expect((await post(confirm, '')).body).toContain('Done. You get a message with each update.')
  expect((await post(confirm, '')).statusCode).toBe(400)
  update('the cause is found')
  const [entry] = listOutbox(store, { limit: 1 })
  expect(entry).toMatchObject({ channel: 'email:reader@example.com', message: { text: 'the cause is found' } })
  expect(entry?.message.title).toContain('Разбираемся')
  const leave = entry?.message.unsubscribeUrl?.replace('https://ops.dam.local', '') ?? ''
  expect((await get(leave)).body).toContain('Send no more messages')
  expect((await post(leave, 'List-Unsubscribe=One-Click')).statusCode).toBe(200)
  update('nobody listens any more')
  expect(listOutbox(store, { limit: 10 })).toHaveLength(2)
})

test('the form tells nobody whether an address is known, and sends little to it however often it is asked', async () => {
  const first = await post('/status/subscribe', 'email=a%40example.com')
  later(3 * 3_600_000)
  const confirm = links()[0]?.replace('https://ops.dam.local', '') ?? ''
  await post(confirm, '')
  const strip = (body: string): string => body.replaceAll(/<time.*?<\/time>/g, '')
  const known = await post('/status/subscribe', 'email=a%40example.com')
  const fresh = await post('/status/subscribe', 'email=b%40example.com')
  expect(strip(known.body)).toBe(strip(fresh.body))
  expect(strip(known.body)).toBe(strip(first.body))
  for (let i = 0; i < 20; i++) await post('/status/subscribe', 'email=b%40example.com', `203.0.113.${i}`)
  expect(listOutbox(store, { limit: 100 }).map(({ channel }) => channel)).toEqual([
    'email:b@example.com',
    'email:a@example.com',
  ])
  const answers: number[] = []
  for (let i = 0; i < 12; i++)
    answers.push((await post('/status/subscribe', `email=c${i}%40example.com`, '203.0.113.99')).statusCode)
  expect(answers.slice(0, 8)).toEqual(Array(8).fill(200))
  expect(answers.slice(8)).toEqual(Array(4).fill(429))
})

test('what is no address is refused and reaches no header: no line breaks, no lists, no names', async () => {
  for (const email of ['x', 'a@b.c\r\nBcc: d@e.f', 'a@b.com,c@d.com', 'Name <a@b.com>', `${'a'.repeat(300)}@b.com`])
    expect((await post('/status/subscribe', `email=${encodeURIComponent(email)}`)).statusCode, email).toBe(400)
  expect((await post('/status/subscribe', 'x=1')).statusCode).toBe(400)
  expect((await post('/status/subscribe', `email=${'a'.repeat(5_000)}`)).statusCode).toBe(413)
  expect(listOutbox(store, { limit: 10 })).toEqual([])
})
