import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createOpsClient } from '@dam/contract/ops-client'
import { openLog } from '@dam/platform/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApp, type App } from '../app.ts'
import { listAudit } from '../audit/audit.ts'
import { readOpsConfig } from '../config.ts'
import { localEnvironment } from '../environments/local-environment.ts'
import { openIncident } from '../incidents/incident-store.ts'
import { addOperator } from '../people/change-operator.ts'
import { createSession } from '../people/operator-session-store.ts'
import { ensureSetupLink } from '../people/setup.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { openStore, type Store } from '../store.ts'
import { validAttestations } from '../verification/attestation-store.ts'

let folder: string
let store: Store
let app: App
let address: string

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-console-'))
  store = openStore(path.join(folder, 'ops'))
  // Nothing listens there: the application is down in all of these tests.
  const config = readOpsConfig({ DAM_DATA: folder, OPS_HOST: '127.0.0.1', OPS_PORT: '0', HOST: '127.0.0.1', PORT: '9' })
  app = createApp({
    config,
    store,
    environments: () => [localEnvironment(config)],
    log: openLog({ directory: path.join(folder, 'logs'), process: 'ops', level: 'error', stdout: false }),
    version: '1.0.0',
    root: folder,
    environment: {},
    policy: () => readPolicy().policy,
    outputs: path.join(folder, 'actions'),
  })
  address = await app.http.listen({ host: '127.0.0.1', port: 0 })
})

afterEach(async () => {
  await app.close()
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const password = 'correct horse battery'
const url = (route: string): string => `${address}/api/ops/v1${route}`
const post = (route: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url(route), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

async function tokenOf(role: 'viewer' | 'operator' | 'administrator'): Promise<string> {
  const now = new Date()
  const { id } = await addOperator(store, { username: role, password, role }, { who: 'test', now })
  return createSession(store, { operatorId: id, kind: 'token', label: 'test', lifetimeDays: 1, now })
}
const clientOf = async (role: 'viewer' | 'operator' | 'administrator') =>
  createOpsClient({ baseUrl: address, headers: { Authorization: `Token ${await tokenOf(role)}` } })

test('the set-up link makes the first administrator once, and signs the browser in', async () => {
  const link = ensureSetupLink(store, address, new Date())
  const token = new URL(link ?? '').searchParams.get('token')
  const first = await post('/setup/', { token, username: 'olga', password })
  expect(first.status).toBe(201)
  expect(first.headers.get('set-cookie')).toMatch(/^dam_ops=[\w-]+; Path=\/; HttpOnly; SameSite=Strict/)
  expect((await post('/setup/', { token, username: 'oleg', password })).status).toBe(409)
  const session = await fetch(url('/session/'), {
    headers: { cookie: first.headers.get('set-cookie')!.split(';')[0]! },
  })
  expect(await session.json()).toMatchObject({
    operator: { username: 'olga', role: 'administrator' },
    setupRequired: false,
  })
  expect(JSON.stringify(store.rows('select * from operator_session'))).not.toContain(
    first.headers.get('set-cookie')!.split(/[=;]/)[1],
  )
})

test('guessing a password is slowed down, also for a name that does not exist', async () => {
  await tokenOf('operator')
  for (const username of ['operator', 'nobody']) {
    const answers: number[] = []
    for (let i = 0; i < 12; i++) answers.push((await post('/session/', { username, password: 'wrong' })).status)
    expect(answers.slice(0, 10)).toEqual(Array(10).fill(401))
    expect(answers.slice(10)).toEqual([429, 429])
  }
  expect(listAudit(store, { limit: 100, action: 'session.refused' })).toHaveLength(20)
})

test('a cookie is not believed from another site, a token does not work as a cookie', async () => {
  await tokenOf('administrator')
  const signedIn = await post('/session/', { username: 'administrator', password })
  const cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!
  const body = { username: 'eve', password, role: 'administrator' }
  expect((await post('/operators/', body, { cookie, origin: 'https://evil.example' })).status).toBe(403)
  expect((await post('/operators/', body, { cookie, 'sec-fetch-site': 'cross-site' })).status).toBe(403)
  expect((await post('/operators/', body, { cookie })).status).toBe(403)
  expect((await post('/operators/', body, { cookie, origin: address })).status).toBe(201)
  const token = await tokenOf('viewer')
  expect((await fetch(url('/releases/'), { headers: { cookie: `dam_ops=${token}` } })).status).toBe(401)
})

test('each role may do what its endpoint says and no more', async () => {
  const viewer = await clientOf('viewer')
  const operator = await clientOf('operator')
  await expect(viewer('startBackup', { body: { environment: 'local' } })).rejects.toMatchObject({ status: 403 })
  await expect(operator('listOperators', {})).rejects.toMatchObject({ status: 403 })
  await expect(
    operator('startRestore', { params: { id: 'x' }, body: { environment: 'local', confirm: 'local' } }),
  ).rejects.toMatchObject({ status: 403 })
  await expect(viewer('getOverview', {})).resolves.toMatchObject({ status: 200 })
})

test('with the application down the overview says so, and incidents are worked on', async () => {
  const operator = await clientOf('operator')
  const { incident } = openIncident(store, {
    environment: 'local',
    severity: 'P1',
    title: 'Uploads fail',
    cause: 'disk full',
    dedupKey: 'local uploads',
    openedBy: 'test',
    evidence: { errors: 12 },
    now: new Date(),
  })
  await expect
    .poll(async () => (await operator('getOverview', {})).data.environments[0]?.health?.state)
    .toBe('unreachable')
  const params = { id: incident.id }
  await operator('acknowledgeIncident', { params, body: { message: 'looking' } })
  await expect(operator('acknowledgeIncident', { params, body: {} })).rejects.toMatchObject({ status: 409 })
  await operator('resolveIncident', { params, body: { message: 'made room' } })
  const { data } = await operator('getIncident', { params })
  expect(data).toMatchObject({ state: 'resolved', acknowledgedBy: 'operator', evidence: { errors: 12 } })
  expect(data.events.map((event) => event.kind)).toEqual(['opened', 'acknowledged', 'note', 'resolved'])
  const audit = listAudit(store, { limit: 10, action: 'incident' }).map(({ who, action }) => `${who} ${action}`)
  expect(audit).toEqual(['operator incident.resolved', 'operator incident.acknowledged'])
})

test('a person raises an incident, puts it off, and vouches for what no machine can know', async () => {
  const operator = await clientOf('operator')
  const raised = await operator('raiseIncident', {
    body: { environment: 'local', severity: 'P1', title: 'Uploads hang' },
  })
  const params = { id: raised.data.id }
  await operator('snoozeIncident', { params, body: { minutes: 30 } })
  expect((await operator('getIncident', { params })).data.events.map(({ kind }) => kind)).toEqual(['opened', 'snoozed'])
  const until = Date.parse((await operator('getIncidentCalls', { params })).data.escalation?.snoozedUntil ?? '')
  expect(until - Date.now()).toBeGreaterThan(29 * 60_000)

  const environment = { environment: 'local' }
  const note = 'tried every page'
  await expect(
    operator('attest', { params: environment, body: { item: 'nothing', note, hours: 1 } }),
  ).rejects.toMatchObject({ status: 422 })
  await operator('attest', { params: environment, body: { item: 'features', note, hours: 1 } })
  // Where ./dam verify looks for it.
  expect(validAttestations(store, 'environment:local', new Date()).get('features')).toMatchObject({
    by: 'operator',
    note,
  })
})

test('a change made by another process reaches the browser', async () => {
  const token = await tokenOf('viewer')
  const stop = new AbortController()
  const stream = await fetch(url('/changes/'), { headers: { authorization: `Token ${token}` }, signal: stop.signal })
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  using other = openStore(path.join(folder, 'ops'))
  let heard = ''
  const hear = async (text: string): Promise<void> => {
    while (!heard.includes(text)) heard += (await reader.read()).value ?? ''
  }
  await hear('event: hello')
  openIncident(other, {
    environment: 'local',
    severity: 'P3',
    title: 'News',
    cause: '',
    dedupKey: 'news',
    openedBy: 'test',
    now: new Date(),
  })
  await hear('"incidents"')
  expect(heard).not.toContain('"releases"')
  stop.abort()
})

test('pages come under a strict policy, and the console says when it is not built', async () => {
  const page = await fetch(`${address}/releases`)
  expect(page.status).toBe(503)
  expect(page.headers.get('content-security-policy')).toContain("require-trusted-types-for 'script'")
  expect(await page.text()).toContain('./dam build')
  expect(await (await fetch(`${address}/metrics`)).text()).toMatch(/^dam_ops_resident_memory_bytes \d+$/m)
})
