import { request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { fsck } from '../storage/fsck.ts'
import { bytesOf, locationOf, metadataHeader, sha256, tusClient } from './testing/tus.ts'
import { startUploadServer, type UploadServer } from './testing/upload-server.ts'

let server: UploadServer
let tus: ReturnType<typeof tusClient>
let identity: { authorization: string }
beforeAll(async () => {
  server = await startUploadServer()
  identity = (await server.signIn()).headers
  tus = tusClient(server, identity)
})
afterAll(() => server[Symbol.asyncDispose]())

const begin = async (size: number): Promise<string> =>
  locationOf(
    await tus.create({ 'upload-length': String(size), 'upload-metadata': metadataHeader({ filename: 'race.bin' }) }),
  )

const original = async (assetId: string | null): Promise<string> =>
  sha256(
    Buffer.from(
      await (await server.fetch(`/api/v4/dam/assets/${assetId}/download/`, { headers: identity })).arrayBuffer(),
    ),
  )

/** A PATCH whose body is written by hand. */
function openPatch(url: string, offset: number, lengthBytes: number) {
  const request = httpRequest(url, {
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

/** Until the server works on a request for this upload and has had time to read what was written to it. */
async function underWay(url: string): Promise<void> {
  while (!server.uploads.locks.isHeld(url.split('/').at(-2) as string)) await sleep(10)
  await sleep(300)
}

const offsetOf = async (url: string): Promise<number> => Number((await tus.head(url)).headers.get('upload-offset'))

test('of two requests for the same bytes exactly one wins', async () => {
  for (let round = 0; round < 60; round++) {
    const [one, two] = [bytesOf(20_000), bytesOf(20_000)]
    const url = await begin(20_000)
    const answers = await Promise.all([tus.patch(url, 0, one), tus.patch(url, 0, two)])
    const statuses = answers.map((answer) => answer.status).sort()
    expect(statuses[0]).toBe(204)
    expect([409, 423]).toContain(statuses[1])
    const winner = answers.findIndex((answer) => answer.status === 204)
    expect(await original(answers[winner]?.headers.get('x-dam-asset') ?? null)).toBe(
      sha256([one, two][winner] as Buffer),
    )
  }
})

test('of two slow requests for the same bytes the newer wins, because the older may be dead', async () => {
  const bytes = bytesOf(10_000)
  const url = await begin(bytes.length)
  const old = openPatch(url, 0, bytes.length)
  old.request.write(bytesOf(5_000))
  await underWay(url)
  const answer = await tus.patch(url, 0, bytes)
  expect(answer.status).toBe(204)
  expect(await old.status).toBe(423)
  expect(await original(answer.headers.get('x-dam-asset'))).toBe(sha256(bytes))
})

test('a dead connection is replaced within three seconds, and what it brought is kept', async () => {
  const bytes = bytesOf(300_000)
  const url = await begin(bytes.length)
  const dead = openPatch(url, 0, bytes.length)
  dead.request.write(bytes.subarray(0, 200_000))
  await underWay(url)
  const startedAt = performance.now()
  const offset = await offsetOf(url)
  expect(performance.now() - startedAt).toBeLessThan(3_000)
  expect(offset).toBe(200_000)
  const last = await tus.patch(url, offset, bytes.subarray(offset))
  expect(await original(last.headers.get('x-dam-asset'))).toBe(sha256(bytes))
  dead.request.destroy()
})

test('what arrived before a cut is kept', async () => {
  const bytes = bytesOf(2_000_000)
  const url = await begin(bytes.length)
  const patch = openPatch(url, 0, bytes.length)
  patch.request.write(bytes.subarray(0, 1_500_000))
  await underWay(url)
  patch.request.destroy()
  await patch.status
  const offset = await offsetOf(url)
  expect(offset).toBeGreaterThan(0)
  expect(offset).toBeLessThanOrEqual(1_500_000)
  const last = await tus.patch(url, offset, bytes.subarray(offset))
  expect(await original(last.headers.get('x-dam-asset'))).toBe(sha256(bytes))
})

test('cancelling stops a request in progress and leaves nothing', async () => {
  const url = await begin(100_000)
  const patch = openPatch(url, 0, 100_000)
  patch.request.write(bytesOf(50_000))
  await underWay(url)
  expect((await tus.cancel(url)).status).toBe(204)
  expect(await patch.status).toBe(423)
  expect((await tus.head(url)).status).toBe(404)
})

test('parallel uploads of one folder share its collections and mix no bytes', async () => {
  const files = Array.from({ length: 32 }, (_, n) => ({ bytes: bytesOf(1_000 + n * 997), name: `file-${n}.bin` }))
  const answers = await Promise.all(
    files.map(({ bytes, name }) =>
      tus.create(
        {
          'upload-length': String(bytes.length),
          'upload-metadata': metadataHeader({
            filename: name,
            relativePath: `trip/day ${Number(/\d+/.exec(name)) % 3}/${name}`,
          }),
        },
        bytes,
      ),
    ),
  )
  for (const [n, answer] of answers.entries())
    expect(await original(answer.headers.get('x-dam-asset'))).toBe(sha256(files[n]?.bytes as Buffer))
  const collections = await server.database.rows<{ name: string; assets: number }>(sql`
    select c.name, (select count(*) from collection_asset where collection_id = c.id)::int as assets from collection c order by c.name`)
  expect(collections).toEqual([
    { name: 'day 0', assets: 11 },
    { name: 'day 1', assets: 11 },
    { name: 'day 2', assets: 10 },
    { name: 'trip', assets: 0 },
  ])
})

test('the same new bytes at once become assets of one original', async () => {
  for (let round = 0; round < 10; round++) {
    const bytes = bytesOf(5_000)
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        tus.create(
          { 'upload-length': '5000', 'upload-metadata': metadataHeader({ filename: `same-${n}.bin` }) },
          bytes,
        ),
      ),
    )
    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201, 201, 201, 201])
    const rows = await server.database.row<{ assets: number; blobs: number }>(sql`
      select (select count(*) from asset where sha256 = ${sha256(bytes)})::int as assets, (select count(*) from blob where sha256 = ${sha256(bytes)})::int as blobs`)
    expect(rows).toEqual({ assets: 6, blobs: 1 })
  }
})

test('any order of pieces, lies, cuts and questions ends in the bytes that were sent', async () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({ kind: fc.constant('send' as const), size: fc.integer({ min: 0, max: 60_000 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('cut' as const), size: fc.integer({ min: 1, max: 60_000 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('wrong-offset' as const), size: fc.integer({ min: 1, max: 500 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('wrong-checksum' as const), size: fc.integer({ min: 1, max: 5_000 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('ask' as const), size: fc.constant(0) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200_000 }), fc.array(step, { maxLength: 12 }), async (size, steps) => {
      const bytes = bytesOf(size)
      const url = await begin(size)
      let assetId: string | null = null
      let acknowledged = 0
      for (const { kind, size: wanted } of [...steps, { kind: 'send' as const, size }]) {
        const offset = await offsetOf(url)
        expect(offset).toBeGreaterThanOrEqual(acknowledged)
        const piece = bytes.subarray(offset, offset + wanted)
        if (kind === 'send' && offset < size) {
          const answer = await tus.patch(url, offset, piece)
          expect(answer.status).toBe(204)
          acknowledged = Number(answer.headers.get('upload-offset'))
          expect(acknowledged).toBe(offset + piece.length)
          assetId = answer.headers.get('x-dam-asset') ?? assetId
        } else if (kind === 'cut' && piece.length > 0) {
          const patch = openPatch(url, offset, piece.length + 1_000)
          patch.request.write(piece)
          await sleep(5)
          patch.request.destroy()
          await patch.status
        } else if (kind === 'wrong-offset') {
          expect((await tus.patch(url, offset + wanted, bytesOf(10))).status).toBe(409)
        } else if (kind === 'wrong-checksum' && piece.length > 0) {
          expect(
            (await tus.patch(url, offset, piece, { 'upload-checksum': `sha1 ${Buffer.alloc(20).toString('base64')}` }))
              .status,
          ).toBe(460)
        }
      }
      assetId ??= (await tus.head(url)).headers.get('x-dam-asset')
      expect(await original(assetId)).toBe(sha256(bytes))
    }),
    { numRuns: 40 },
  )
  const report = await fsck(
    { database: server.database, blobsFolder: server.uploads.blobs.folders.blobs },
    { hash: true },
  )
  expect(report).toMatchObject({ missing: [], sizeMismatch: [], checksumMismatch: [], untracked: [], foreign: [] })
})
