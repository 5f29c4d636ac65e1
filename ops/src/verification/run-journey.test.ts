import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import { startRelease, type RunningRelease } from '../migrations/start-release.ts'
import { runJourney } from './run-journey.ts'
import { ensureSyntheticAccount, type SyntheticAccount } from './synthetic-account.ts'

const checkout = fileURLToPath(new URL('../../../', import.meta.url))
const dir = mkdtempSync(path.join(tmpdir(), 'dam-journey-'))
let database: TestDatabase
let release: RunningRelease
let account: SyntheticAccount

beforeAll(async () => {
  database = await testDatabase()
  account = await ensureSyntheticAccount({ connectionString: database.connectionString, runDir: dir })
  release = await startRelease({
    releaseDir: checkout,
    connectionString: database.connectionString,
    dataDir: path.join(dir, 'data'),
  })
})
afterAll(async () => {
  await release?.stop()
  await database[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

const query = async (text: string): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

/** The release behind a server that answers for its thumbnails with 503. */
async function withoutRenditions(): Promise<{ baseUrl: string } & AsyncDisposable> {
  const server = createServer((incoming, outgoing) => {
    if (incoming.url?.includes('/renditions/')) {
      outgoing.writeHead(503, { 'content-type': 'text/plain' }).end('no renditions')
      return
    }
    const { method, headers } = incoming
    const passed = request(release.baseUrl + incoming.url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    passed.on('error', () => outgoing.destroy())
    incoming.pipe(passed)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await promisify(server.close.bind(server))()
    },
  }
}
const journey = (more: Partial<Parameters<typeof runJourney>[0]> = {}) =>
  runJourney({ baseUrl: release.baseUrl, ...account, syntheticSecret: 'secret', ...more })

test('the journey walks through everything and leaves nothing behind', async () => {
  const result = await journey()
  expect(result.steps.filter((step) => !step.ok)).toEqual([])
  expect(result.steps.map((step) => step.name)).toEqual([
    'health',
    'sign in',
    'upload in one request',
    'upload by tus',
    'ingest',
    'search',
    'rendition',
    'download',
    'delete',
    'nothing left',
    'sign out',
  ])
  expect(result.ok).toBe(true)
  expect(await query('select from asset')).toHaveLength(0)
  expect(await query('select from session')).toHaveLength(0)
  await expect.poll(() => query('select from blob'), { timeout: 10_000 }).toHaveLength(0)
})

test('a step that fails is named with its reason, and what was made is taken away', async () => {
  expect(await journey({ expectedVersion: '9.9.9' })).toMatchObject({
    ok: false,
    steps: [{ name: 'health', ok: false, message: expect.stringContaining('expected 9.9.9') as string }],
  })
  expect((await journey({ password: 'something else' })).steps.at(-1)).toMatchObject({ name: 'sign in', ok: false })
  await using lossy = await withoutRenditions()
  const result = await journey({ baseUrl: lossy.baseUrl })
  expect(result.steps.at(-1)).toEqual({
    name: 'rendition',
    ok: false,
    tookMs: expect.any(Number) as number,
    message: 'thumbnail: 503 text/plain',
  })
  expect(await query('select from asset')).toHaveLength(0)
  expect((await journey({ timeoutMs: 1 })).steps.at(-1)).toMatchObject({
    ok: false,
    message: 'no answer within the time of the journey',
  })
})

test('nobody there is a reason, not an exception', async () => {
  expect((await journey({ baseUrl: 'http://127.0.0.1:9' })).steps).toMatchObject([{ name: 'health', ok: false }])
})

test("the journey's account is nobody: set-up still waits for its first administrator", async () => {
  const session = await (await fetch(`${release.baseUrl}/api/v4/auth/session/`)).json()
  expect(session).toMatchObject({ setup_required: true })
})

test('its password is readable by the owner only and survives; a lost account is mended', async () => {
  expect(statSync(path.join(dir, 'synthetic-account.password')).mode & 0o777).toBe(0o600)
  await query(`update account set active = false, password_hash = ''`)
  const again = await ensureSyntheticAccount({ connectionString: database.connectionString, runDir: dir })
  expect(again).toEqual(account)
  expect((await journey()).ok).toBe(true)
})
