import { afterAll, beforeAll, expect, test } from 'vitest'
import { routes, type Role, type RouteName } from '@dam/contract'
import { endpoints, type Endpoint } from '@dam/contract/endpoints'
import { testApp, type TestApp } from '../testing/test-app.ts'

let app: TestApp
const tokens = new Map<Role | 'nobody', string | undefined>([['nobody', undefined]])
let assetId = 0
let trashedId = 0
let uploadUrl = ''

beforeAll(async () => {
  app = await testApp()
  for (const role of ['viewer', 'editor', 'administrator'] as const) tokens.set(role, (await app.person(role)).token)
  assetId = await createAsset('seen.txt', 'seen')
  trashedId = await createAsset('trashed.txt', 'trashed')
  await request('administrator', 'DELETE', `/api/v4/dam/assets/${trashedId}/`)
  const created = await fetch(`${app.url}/api/v4/uploads/`, {
    method: 'POST',
    headers: {
      authorization: `Token ${tokens.get('administrator')}`,
      'tus-resumable': '1.0.0',
      'upload-length': '10',
      'upload-metadata': `filename ${btoa('mine.txt')}`,
    },
  })
  uploadUrl = new URL(created.headers.get('location') as string).pathname
})
afterAll(() => app[Symbol.asyncDispose]())

async function createAsset(name: string, content: string): Promise<number> {
  const form = new FormData()
  form.set('file', new Blob([content]), name)
  const response = await fetch(`${app.url}/api/v4/dam/assets/`, {
    method: 'POST',
    body: form,
    headers: { authorization: `Token ${tokens.get('administrator')}` },
  })
  expect(response.status).toBe(201)
  return ((await response.json()) as { id: number }).id
}

const request = (who: Role | 'nobody', method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(app.url + path, {
    method,
    redirect: 'manual',
    headers: {
      ...(tokens.get(who) ? { authorization: `Token ${tokens.get(who)}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(path.startsWith('/api/v4/uploads') && method !== 'GET' ? { 'tus-resumable': '1.0.0' } : {}),
      ...(path.startsWith('/api/v4/uploads') && method === 'PATCH'
        ? { 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' }
        : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

const rank = { nobody: 0, viewer: 1, editor: 2, administrator: 3 }
const names = Object.keys(routes) as RouteName[]

test.each(names)('%s refuses whoever is below its role, and nobody else for that reason', async (name) => {
  const endpoint: Endpoint = endpoints[name]
  if (name === 'signOut') return
  const { method, path } = routes[name]
  const missing = path.includes('/uploads/') ? '11111111-1111-4111-8111-111111111111' : '999999'
  const address = `/api/v4${path.replace('{id}', missing).replace('{preset}', 'thumbnail')}`
  const needed = endpoint.access === 'public' ? 0 : rank[endpoint.access]
  for (const who of ['nobody', 'viewer', 'editor', 'administrator'] as const) {
    const body =
      method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'DELETE' || endpoint.bodyType
        ? undefined
        : {}
    const aborter = new AbortController()
    const response = await (name === 'streamEvents'
      ? fetch(app.url + address, {
          signal: aborter.signal,
          headers: tokens.get(who) ? { authorization: `Token ${tokens.get(who)}` } : {},
        })
      : request(who, method, address, body))
    const expected = rank[who] >= needed ? 'passes' : who === 'nobody' ? 401 : 403
    if (expected === 'passes')
      expect([401, 403].includes(response.status) && name !== 'setUp', `${who} got ${response.status}`).toBe(false)
    else expect(response.status, who).toBe(expected)
    if (expected !== 'passes' && method !== 'HEAD')
      expect(await response.json()).toMatchObject({
        error: { code: who === 'nobody' ? 'not-authenticated' : 'not-allowed' },
      })
    if (name === 'streamEvents' && expected === 'passes') aborter.abort()
  }
})

test('a trashed asset is, for a viewer, exactly like one that never was', async () => {
  for (const suffix of ['', 'download/', 'timeline/', 'renditions/thumbnail/']) {
    const [hidden, absent] = await Promise.all([
      request('viewer', 'GET', `/api/v4/dam/assets/${trashedId}/${suffix}`),
      request('viewer', 'GET', `/api/v4/dam/assets/999999/${suffix}`),
    ])
    expect([hidden.status, absent.status]).toEqual([404, 404])
    const [one, other] = (await Promise.all([hidden.json(), absent.json()])) as { error: { request_id: string } }[]
    for (const body of [one, other]) if (body) body.error.request_id = ''
    expect(one).toEqual(other)
    const headers = (response: Response) => [...response.headers.keys()].toSorted()
    expect(headers(hidden)).toEqual(headers(absent))
  }
  expect((await request('viewer', 'GET', `/api/v4/dam/assets/${assetId}/`)).status).toBe(200)
  expect((await request('editor', 'GET', `/api/v4/dam/assets/${trashedId}/`)).status).toBe(200)
})

test("an upload is nobody else's, not even to learn that it exists", async () => {
  for (const method of ['HEAD', 'PATCH', 'DELETE'])
    expect((await request('editor', method, uploadUrl)).status, method).toBe(404)
  expect((await request('administrator', 'HEAD', uploadUrl)).status).toBe(200)
})
