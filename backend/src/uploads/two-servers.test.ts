import { request as httpRequest } from 'node:http'
import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { fsck, isSound } from '../storage/fsck.ts'
import { sweepIncoming, usualLimits } from '../tasks/janitor.ts'
import { recoverUploads } from './recover-uploads.ts'
import { bytesOf, locationOf, metadataHeader, sha256, tusClient } from './testing/tus.ts'
import { startUploadServer, type UploadServer } from './testing/upload-server.ts'

let [old, fresh]: [UploadServer, UploadServer] = [undefined as never, undefined as never]
let identity: { authorization: string }
const clients: ReturnType<typeof tusClient>[] = []
beforeAll(async () => {
  old = await startUploadServer()
  fresh = await startUploadServer({ beside: old })
  identity = (await old.signIn()).headers
  clients.push(tusClient(old, identity), tusClient(fresh, identity))
})
afterAll(async () => {
  await fresh[Symbol.asyncDispose]()
  await old[Symbol.asyncDispose]()
})

const [onOld, onFresh] = [0, 1] as const
const tus = (which: 0 | 1): ReturnType<typeof tusClient> => clients[which] as ReturnType<typeof tusClient>
const begin = async (size: number, headers: Record<string, string> = {}): Promise<string> =>
  new URL(
    locationOf(
      await tus(onOld).create({
        'upload-length': String(size),
        'upload-metadata': metadataHeader({ filename: 'moved.bin' }),
        ...headers,
      }),
    ),
  ).pathname
const idOf = (url: string): string => url.split('/').at(-2) as string
const offsetOn = async (which: 0 | 1, url: string): Promise<number> =>
  Number((await tus(which).head(url)).headers.get('upload-offset'))
const original = async (server: UploadServer, assetId: string | null): Promise<string> =>
  sha256(
    Buffer.from(
      await (await server.fetch(`/api/v4/dam/assets/${assetId}/download/`, { headers: identity })).arrayBuffer(),
    ),
  )

/** A PATCH whose body is written by hand. */
function openPatch(server: UploadServer, url: string, offset: number, lengthBytes: number) {
  const request = httpRequest(server.url + url, {
    method: 'PATCH',
    headers: {
      ...identity,
      'tus-resumable': '1.0.0',
      'upload-offset': offset,
      'content-length': lengthBytes,
      'content-type': 'application/offset+octet-stream',
    },
  })
  const status = new Promise<number | 'cut'>((resolve) => {
    request.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    request.on('error', () => resolve('cut'))
  })
  return { request, status }
}

async function underWay(server: UploadServer, url: string): Promise<void> {
  while (!server.uploads.locks.isHeld(idOf(url))) await sleep(10)
  await sleep(300)
}

/** As if the process could not reach the database: its hold is not renewed, and no wish of others arrives. */
const cutOff = (url: string): Promise<number> =>
  old.database.run(sql`
    update upload set held_until = now() - interval '1 second', holder = 'cut-off elsewhere 1 unknown' where id = ${idOf(url)}`)

test('requests of one upload may go to either server', async () => {
  const bytes = bytesOf(90_000)
  const url = await begin(bytes.length)
  let last: Response | undefined
  for (let n = 0; n < 9; n++) {
    const which = n % 2 === 0 ? onFresh : onOld
    expect(await offsetOn(which, url)).toBe(n * 10_000)
    last = await tus(n % 3 === 0 ? onOld : onFresh).patch(url, n * 10_000, bytes.subarray(n * 10_000, (n + 1) * 10_000))
    expect(last.status).toBe(204)
  }
  expect(await original(fresh, last?.headers.get('x-dam-asset') ?? null)).toBe(sha256(bytes))
})

test('of two requests for the same bytes, one on each server, exactly one wins', async () => {
  for (let round = 0; round < 40; round++) {
    const [one, two] = [bytesOf(20_000), bytesOf(20_000)]
    const url = await begin(20_000)
    const answers = await Promise.all([tus(onOld).patch(url, 0, one), tus(onFresh).patch(url, 0, two)])
    const statuses = answers.map((answer) => answer.status).sort()
    expect(statuses[0]).toBe(204)
    expect([409, 423]).toContain(statuses[1])
    const winner = answers.findIndex((answer) => answer.status === 204)
    expect(await original(old, answers[winner]?.headers.get('x-dam-asset') ?? null)).toBe(
      sha256([one, two][winner] as Buffer),
    )
  }
})

test('a request on the other server interrupts a slow one, and asking for the offset keeps what arrived', async () => {
  const bytes = bytesOf(40_000)
  const url = await begin(bytes.length)
  const slow = openPatch(old, url, 0, bytes.length)
  slow.request.write(bytes.subarray(0, 15_000))
  await underWay(old, url)
  expect(await offsetOn(onFresh, url)).toBe(15_000)
  expect(await slow.status).toBe(423)
  const rest = await tus(onFresh).patch(url, 15_000, bytes.subarray(15_000))
  expect(await original(old, rest.headers.get('x-dam-asset'))).toBe(sha256(bytes))
})

test('cancelling on the other server ends a slow request and leaves no bytes', async () => {
  const url = await begin(40_000)
  const slow = openPatch(old, url, 0, 40_000)
  slow.request.write(bytesOf(15_000))
  await underWay(old, url)
  expect((await tus(onFresh).cancel(url)).status).toBe(204)
  expect(await slow.status).toBe(423)
  expect(await readdir(old.uploads.blobs.folders.incoming)).not.toContain(idOf(url))
})

test('a server that lost the upload without noticing neither commits nor spoils a byte', async () => {
  const bytes = bytesOf(120_000)
  const url = await begin(bytes.length)
  expect((await tus(onOld).patch(url, 0, bytes.subarray(0, 20_000))).status).toBe(204)
  const stale = openPatch(old, url, 20_000, 100_000)
  const spoiled = bytesOf(100_000)
  stale.request.write(spoiled.subarray(0, 30_000))
  await underWay(old, url)
  await cutOff(url)
  const middle = await tus(onFresh).patch(url, 20_000, bytes.subarray(20_000, 70_000))
  expect(middle.status).toBe(204)
  stale.request.end(spoiled.subarray(30_000))
  expect(await stale.status).toBe(423)
  expect(await offsetOn(onOld, url)).toBe(70_000)
  const last = await tus(onOld).patch(url, 70_000, bytes.subarray(70_000))
  expect(last.status).toBe(204)
  expect(await original(fresh, last.headers.get('x-dam-asset'))).toBe(sha256(bytes))
  expect(await readdir(old.uploads.blobs.folders.incoming)).toEqual([])
})

test('the same when the first to come after it only asks for the offset', async () => {
  const bytes = bytesOf(60_000)
  const url = await begin(bytes.length)
  const stale = openPatch(old, url, 0, bytes.length)
  stale.request.write(bytesOf(30_000))
  await underWay(old, url)
  await cutOff(url)
  const known = await offsetOn(onFresh, url)
  const rest = await tus(onFresh).patch(url, known, bytes.subarray(known))
  stale.request.end(bytesOf(30_000))
  expect(await stale.status).toBe(423)
  expect(known).toBe(0)
  expect(await original(fresh, rest.headers.get('x-dam-asset'))).toBe(sha256(bytes))
})

test('a starting server finishes, truncates and deletes nothing that is in progress in the other', async () => {
  const bytes = bytesOf(50_000)
  const url = await begin(bytes.length)
  const slow = openPatch(old, url, 0, bytes.length)
  slow.request.write(bytes.subarray(0, 20_000))
  await underWay(old, url)
  await old.database.run(sql`update upload set expires_at = now() - interval '1 minute' where id = ${idOf(url)}`)
  await recoverUploads(fresh.uploads)
  await sweepIncoming(fresh.uploads, usualLimits, Date.now() + 86_400_000)
  await old.database.run(sql`update upload set expires_at = now() + interval '1 hour' where id = ${idOf(url)}`)
  slow.request.end(bytes.subarray(20_000))
  expect(await slow.status).toBe(204)
  expect(await offsetOn(onFresh, url)).toBe(bytes.length)
})

test('a whole upload that is being finished in the other server is not finished twice', async () => {
  const url = await begin(1_000)
  await using lock = await old.uploads.locks.take(idOf(url), 'append')
  await old.database.run(sql`update upload set offset_bytes = 1000, state = 'finalising' where id = ${idOf(url)}`)
  expect(lock.interrupted.aborted).toBe(false)
  expect(await recoverUploads(fresh.uploads)).toBe(0)
  expect(lock.interrupted.aborted).toBe(false)
  await old.database.run(sql`delete from upload where id = ${idOf(url)}`)
})

test('at random, over both servers, every upload ends whole', { timeout: 120_000 }, async () => {
  const one = async (seed: number): Promise<void> => {
    const bytes = bytesOf(60_000 + seed * 1_000)
    const url = await begin(bytes.length)
    for (let turn = 0; ; turn++) {
      const which = (turn + seed) % 2 === 0 ? onOld : onFresh
      const offset = await offsetOn(which, url)
      if (Number.isNaN(offset)) continue
      if (offset === bytes.length) break
      const other = which === onOld ? onFresh : onOld
      const size = 5_000 + ((seed * 7_919 + turn * 104_729) % 20_000)
      const parts = bytes.subarray(offset, Math.min(bytes.length, offset + size))
      const racing = [tus(which).patch(url, offset, parts)]
      if (turn % 3 === 0) racing.push(tus(other).patch(url, offset, parts))
      for (const answer of await Promise.all(racing)) expect([204, 409, 423]).toContain(answer.status)
    }
    const assets = await old.database.rows(sql`select id from asset where sha256 = ${sha256(bytes)}`)
    expect(assets).toHaveLength(1)
  }
  await Promise.all(Array.from({ length: 8 }, (_, seed) => one(seed)))
  expect(
    isSound(await fsck({ database: old.database, blobsFolder: old.uploads.blobs.folders.blobs }, { hash: true })),
  ).toBe(true)
})
