import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Upload } from 'tus-js-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase, sql, type Database } from '@dam/platform/database'
import { testDatabase, type TestDatabase } from '@dam/platform/testing/database'
import { startWeb, type WebProcess } from '../testing/web-process.ts'
import { bytesOf, locationOf, metadataHeader, sha256, tusClient } from './testing/tus.ts'

let own: TestDatabase
let database: Database
let dataDir: string
let identity: { authorization: string }
const start = (environment: Record<string, string> = {}): Promise<WebProcess> =>
  startWeb({ connectionString: own.connectionString, dataDir, environment })
const tus = ({ url }: WebProcess): ReturnType<typeof tusClient> =>
  tusClient({ fetch: (target, request) => fetch(target.startsWith('http') ? target : url + target, request) }, identity)

beforeAll(async () => {
  own = await testDatabase()
  dataDir = await mkdtemp(path.join(tmpdir(), 'dam-two-'))
  database = openDatabase({ connectionString: own.connectionString, applicationName: 'dam test', maxConnections: 2 })
  await using web = await start({ DAM_ADMIN_USERNAME: 'pair', DAM_ADMIN_PASSWORD: 'two-at-a-time' })
  const login = await fetch(`${web.url}/api/v4/auth/token/obtain/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'pair', password: 'two-at-a-time' }),
  })
  identity = { authorization: `Token ${((await login.json()) as { token: string }).token}` }
})
afterAll(async () => {
  await database.end()
  await own[Symbol.asyncDispose]()
  await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
})

const begin = async (web: WebProcess, size: number): Promise<string> =>
  new URL(
    locationOf(
      await tus(web).create({
        'upload-length': String(size),
        'upload-metadata': metadataHeader({ filename: 'pair.bin' }),
      }),
    ),
  ).pathname

/** Sends the beginning of a body that never ends, and waits until it lies on the disk. */
async function sendSome(web: WebProcess, url: string, offset: number, most: number, some: Buffer): Promise<void> {
  const request = httpRequest(web.url + url, {
    method: 'PATCH',
    headers: {
      ...identity,
      'tus-resumable': '1.0.0',
      'upload-offset': offset,
      'content-length': most,
      'content-type': 'application/offset+octet-stream',
    },
  })
  request.on('error', () => undefined)
  request.write(some)
  const id = url.split('/').at(-2) as string
  for (let n = 0; n < 200; n++) {
    const row = await database.row<{ holder: string | null }>(sql`select holder from upload where id = ${id}`)
    if (row?.holder) break
    await sleep(20)
  }
  await sleep(400)
}

const offsetOf = async (web: WebProcess, url: string): Promise<number> => {
  // A server that did not get the upload within three seconds would answer 423.
  const head = await tus(web).head(url)
  expect(head.status).toBe(200)
  return Number(head.headers.get('upload-offset'))
}

async function finish(web: WebProcess, url: string, bytes: Buffer): Promise<void> {
  const offset = await offsetOf(web, url)
  const last = await tus(web).patch(url, offset, bytes.subarray(offset))
  expect(last.status).toBe(204)
  const asset = last.headers.get('x-dam-asset')
  const download = await fetch(`${web.url}/api/v4/dam/assets/${asset}/download/`, { headers: identity })
  expect(sha256(Buffer.from(await download.arrayBuffer()))).toBe(sha256(bytes))
}

test('an upload goes on in the other process when kill -9 ends the one that had it', async () => {
  await using one = await start()
  await using two = await start()
  const bytes = bytesOf(300_000)
  const url = await begin(one, bytes.length)
  await sendSome(one, url, 0, bytes.length, bytes.subarray(0, 120_000))
  one.signal('SIGKILL')
  await one.ended
  await finish(two, url, bytes)
})

test('a process that hung and comes back spoils no byte of what went on without it', async () => {
  await using one = await start()
  await using two = await start()
  const bytes = bytesOf(300_000)
  const url = await begin(one, bytes.length)
  await sendSome(one, url, 0, bytes.length, bytesOf(120_000))
  one.signal('SIGSTOP')
  const offset = await offsetOf(two, url)
  const middle = await tus(two).patch(url, offset, bytes.subarray(offset, offset + 50_000))
  expect(middle.status).toBe(204)
  one.signal('SIGCONT')
  await sleep(1_500)
  await finish(two, url, bytes.subarray(0)).catch((error: unknown) => {
    throw new Error('the bytes differ', { cause: error })
  })
  expect(await readdir(path.join(dataDir, 'incoming'))).toEqual([])
})

/** What stands before both: it sends each request to `target.url`. */
async function startFront(target: { url: string }): Promise<{ url: string; server: Server }> {
  const server = createServer((request, response) => {
    const upstream = httpRequest(
      target.url + (request.url ?? ''),
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
        answer.on('error', () => response.destroy())
      },
    )
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
    response.on('close', () => upstream.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

test('a deployment in the middle of uploads and event streams is not noticed', { timeout: 180_000 }, async () => {
  await using one = await start()
  await using two = await start()
  const target = { url: one.url }
  const front = await startFront(target)
  try {
    const seen: number[] = []
    const reading = new AbortController()
    const follow = async (): Promise<void> => {
      let lastId: string | undefined
      while (!reading.signal.aborted) {
        const stream = await fetch(`${front.url}/api/v4/events/stream/`, {
          headers: { ...identity, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) },
          signal: reading.signal,
        }).catch(() => undefined)
        let rest = ''
        try {
          for await (const chunk of stream?.body ?? []) {
            const blocks = (rest + Buffer.from(chunk).toString()).split('\n\n')
            rest = blocks.pop() ?? ''
            for (const block of blocks) {
              lastId = /^id: (\d+)$/m.exec(block)?.[1] ?? lastId
              const asset = /^event: asset\.created$/m.test(block) && /"asset_id":(\d+)/.exec(block)?.[1]
              if (asset) seen.push(Number(asset))
            }
          }
        } catch {
          // Cut: go on from the last number.
        }
        await sleep(50)
      }
    }
    const following = follow()
    await sleep(300)

    const files = Array.from({ length: 6 }, () => bytesOf(6_000_000))
    const send = (bytes: Buffer): Promise<void> =>
      new Promise((resolve, reject) => {
        new Upload(bytes, {
          endpoint: `${front.url}/api/v4/uploads/`,
          headers: identity,
          chunkSize: 400_000,
          metadata: { filename: 'deployed.bin' },
          retryDelays: [50, 100, 200, 400, 800, 1_600],
          onSuccess: () => resolve(),
          onError: reject,
        }).start()
      })
    const uploads = Promise.all(files.map(send))
    await sleep(250)
    target.url = two.url
    await sleep(50)
    one.signal('SIGTERM')
    expect(await one.ended).toBe(0)
    await uploads
    for (const bytes of files)
      expect(await database.rows(sql`select id from asset where sha256 = ${sha256(bytes)}`)).toHaveLength(1)
    const made = (await database.rows<{ id: number }>(sql`select id from asset where filename = 'deployed.bin'`)).map(
      ({ id }) => id,
    )
    for (let n = 0; n < 100 && new Set(seen).size < made.length; n++) await sleep(50)
    expect(new Set(seen)).toEqual(new Set(made))
    reading.abort()
    await following
  } finally {
    front.server.closeAllConnections()
    front.server.close()
  }
})
