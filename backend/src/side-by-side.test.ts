import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { testApp, type TestApp } from './testing/test-app.ts'

/** Two web servers on one database and data folder, as in the middle of a deployment. */
let [old, fresh]: [TestApp, TestApp] = [undefined as never, undefined as never]
beforeAll(async () => {
  old = await testApp()
  fresh = await testApp({}, { beside: old, release: { tag: 'v2.0.0', version: '2.0.0', commit: 'abcdef0' } })
})
afterAll(async () => {
  await fresh[Symbol.asyncDispose]()
  await old[Symbol.asyncDispose]()
})

const ask = (app: TestApp, token: string, method: string, path: string, body?: object): Promise<Response> =>
  fetch(`${app.url}/api/v4${path}`, {
    method,
    headers: {
      authorization: `Token ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

const addAsset = async (app: TestApp, token: string, name: string): Promise<number> => {
  const form = new FormData()
  form.set('file', new Blob([name]), name)
  const response = await fetch(`${app.url}/api/v4/dam/assets/`, {
    method: 'POST',
    body: form,
    headers: { authorization: `Token ${token}` },
  })
  expect(response.status).toBe(201)
  return ((await response.json()) as { id: number }).id
}

/** The status of `attempt` when it is `wanted`, or what it still was after three seconds. */
async function becomes(wanted: number, attempt: () => Promise<Response>): Promise<number> {
  for (let n = 0; ; n++) {
    const { status } = await attempt()
    if (status === wanted || n === 30) return status
    await sleep(100)
  }
}

test('whoever signs out, is disabled or loses a role at one server has lost it at the other within seconds', async () => {
  const leaving = await old.person('editor')
  const disabled = await old.person('editor')
  const demoted = await old.person('editor')
  for (const { token } of [leaving, disabled, demoted]) {
    expect((await ask(fresh, token, 'GET', '/dam/assets/')).status).toBe(200)
    expect((await ask(fresh, token, 'GET', '/trash/')).status).toBe(200)
  }
  expect((await ask(old, leaving.token, 'POST', '/auth/logout/')).status).toBe(204)
  await old.database.run(sql`update account set active = false where id = ${disabled.id}`)
  await old.database.run(sql`update account set role = 'viewer' where id = ${demoted.id}`)
  expect(await becomes(401, () => ask(fresh, leaving.token, 'GET', '/dam/assets/'))).toBe(401)
  expect(await becomes(401, () => ask(fresh, disabled.token, 'GET', '/dam/assets/'))).toBe(401)
  expect(await becomes(403, () => ask(fresh, demoted.token, 'GET', '/trash/'))).toBe(403)
})

test('a session that begins at one server is known at the other at once', async () => {
  const person = await old.person('viewer')
  const login = await fetch(`${old.url}/api/v4/auth/token/obtain/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: person.username, password: person.password }),
  })
  const { token } = (await login.json()) as { token: string }
  expect((await ask(fresh, token, 'GET', '/dam/assets/')).status).toBe(200)
})

test('failed sign-ins are counted over both servers', async () => {
  const person = await old.person('viewer')
  const statuses: number[] = []
  for (let n = 0; n < 12; n++) {
    const answer = await fetch(`${(n % 2 === 0 ? old : fresh).url}/api/v4/auth/token/obtain/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: person.username, password: `wrong password ${n}` }),
    })
    statuses.push(answer.status)
  }
  expect(statuses.filter((status) => status === 429)).toHaveLength(2)
})

test('what is changed or trashed at one server is so at the other, whatever it had shown before', async () => {
  const editor = await old.person('editor')
  const viewer = await old.person('viewer')
  const id = await addAsset(old, editor.token, 'shared.txt')
  const listed = async (): Promise<{ id: number; label: string }[]> =>
    (
      (await (await ask(fresh, viewer.token, 'GET', '/dam/assets/')).json()) as {
        results: { id: number; label: string }[]
      }
    ).results
  expect((await listed()).some((asset) => asset.id === id)).toBe(true)
  expect((await ask(old, editor.token, 'PATCH', `/dam/assets/${id}/`, { label: 'Renamed' })).status).toBe(200)
  expect((await listed()).find((asset) => asset.id === id)?.label).toBe('Renamed')
  expect((await ask(old, editor.token, 'DELETE', `/dam/assets/${id}/`)).status).toBe(204)
  expect((await listed()).some((asset) => asset.id === id)).toBe(false)
  expect((await ask(fresh, viewer.token, 'GET', `/dam/assets/${id}/download/`)).status).toBe(404)
})

test('a request repeated at the other server under its key happens once', async () => {
  const editor = await old.person('editor')
  const send = (app: TestApp): Promise<Response> =>
    fetch(`${app.url}/api/v4/collections/`, {
      method: 'POST',
      headers: {
        authorization: `Token ${editor.token}`,
        'content-type': 'application/json',
        'idempotency-key': 'made-once',
      },
      body: JSON.stringify({ name: 'Made once' }),
    })
  const [one, two] = [await send(old), await send(fresh)]
  expect([one.status, two.status]).toEqual([201, 201])
  expect(await one.json()).toEqual(await two.json())
})

test('events have one order and no gap, whichever server wakes first and is asked', async () => {
  const editor = await old.person('editor')
  const before = ((await (await ask(old, editor.token, 'GET', '/events/?limit=1000')).json()) as { last: number }).last
  const ids = await Promise.all(
    Array.from({ length: 20 }, (_, n) => addAsset(n % 2 === 0 ? old : fresh, editor.token, `event-${n}.txt`)),
  )
  const read = async (app: TestApp): Promise<{ seq: number; asset_id: number; kind: string }[]> =>
    (
      (await (await ask(app, editor.token, 'GET', `/events/?after=${before}&limit=1000`)).json()) as {
        results: { seq: number; asset_id: number; kind: string }[]
      }
    ).results
  for (let n = 0; n < 100 && (await read(old)).filter(({ kind }) => kind === 'asset.created').length < 20; n++)
    await sleep(50)
  const [one, two] = [await read(old), await read(fresh)]
  expect(one).toEqual(two)
  expect(
    one
      .filter(({ kind }) => kind === 'asset.created')
      .map(({ asset_id }) => asset_id)
      .toSorted(),
  ).toEqual(ids.toSorted())
  expect(one.map(({ seq }) => seq)).toEqual(one.map(({ seq }) => seq).toSorted((a, b) => a - b))
})

test('each says its own release', async () => {
  expect((await fetch(`${old.url}/readyz`)).headers.get('x-dam-release')).toBe('dev')
  expect((await fetch(`${fresh.url}/readyz`)).headers.get('x-dam-release')).toBe('v2.0.0')
})
