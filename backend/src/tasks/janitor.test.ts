import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { releaseBlobs } from '../storage/release-blobs.ts'
import { bytesOf, locationOf, metadataHeader, sha256, tusClient } from '../uploads/testing/tus.ts'
import { startUploadServer, type UploadServer } from '../uploads/testing/upload-server.ts'
import { sweepBlobs, sweepIncoming, usualLimits } from './janitor.ts'

let server: UploadServer
let tus: ReturnType<typeof tusClient>
beforeAll(async () => {
  server = await startUploadServer()
  tus = tusClient(server)
})
afterAll(() => server[Symbol.asyncDispose]())

const inDays = (days: number): number => Date.now() + days * 86_400_000
const idOf = (url: string): string => url.split('/').at(-2) as string
const upload = (bytes: Buffer): Promise<Response> =>
  tus.create(
    { 'upload-length': String(bytes.length), 'upload-metadata': metadataHeader({ filename: 'kept.bin' }) },
    bytes,
  )
const stray = async (bytes: Buffer): Promise<string> => {
  const file = server.uploads.blobs.blobPath(sha256(bytes))
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, bytes)
  return file
}

test('unfinished uploads end when their time is over, and their bytes go', async () => {
  const urls: string[] = []
  for (let n = 0; n < 3; n++) {
    const url = locationOf(await tus.create({ 'upload-length': '1000' }))
    await tus.patch(url, 0, bytesOf(500))
    urls.push(url)
  }
  await server.database.run(
    sql`update upload set expires_at = now() - interval '1 minute' where id = any(${urls.slice(0, 2).map(idOf)})`,
  )
  expect((await tus.head(urls[0] as string)).status).toBe(410)
  expect(await sweepIncoming(server.uploads, usualLimits)).toMatchObject({ expiredUploads: 2 })
  expect((await tus.head(urls[0] as string)).status).toBe(404)
  expect((await tus.head(urls[2] as string)).status).toBe(200)
  expect(await readdir(server.uploads.blobs.folders.incoming)).toEqual([idOf(urls[2] as string)])
})

test('incoming files that belong to nothing go after their time, those of uploads stay', async () => {
  const { incoming } = server.uploads.blobs.folders
  const url = locationOf(await tus.create({ 'upload-length': '1000' }))
  await tus.patch(url, 0, bytesOf(500))
  const orphan = randomUUID()
  await writeFile(path.join(incoming, orphan), 'left by a crash')
  await sweepIncoming(server.uploads, usualLimits)
  expect(await readdir(incoming)).toContain(orphan)
  const swept = await sweepIncoming(server.uploads, usualLimits, inDays(1))
  expect(swept.removedIncoming).toBe(1)
  expect(await readdir(incoming)).toContain(idOf(url))
  expect((await tus.patch(url, 500, bytesOf(500))).status).toBe(204)
})

test('bytes behind the committed offset are cut off', async () => {
  const bytes = bytesOf(1000)
  const url = locationOf(await tus.create({ 'upload-length': '1000' }))
  await tus.patch(url, 0, bytes.subarray(0, 400))
  await writeFile(server.uploads.blobs.incomingPath(idOf(url)), Buffer.alloc(5_000), { flag: 'a' })
  expect(await sweepIncoming(server.uploads, usualLimits, inDays(1))).toMatchObject({ truncatedIncoming: 1 })
  expect((await tus.patch(url, 400, bytes.subarray(400))).status).toBe(204)
})

test('an original that no row knows goes to quarantine after its time, never before', async () => {
  const bytes = bytesOf(3_000)
  await upload(bytesOf(2_000))
  await stray(bytes)
  expect(await sweepBlobs(server.uploads, usualLimits)).toMatchObject({ quarantined: 0, untracked: [] })
  expect(await sweepBlobs(server.uploads, usualLimits, inDays(2))).toMatchObject({ quarantined: 1, missing: [] })
  const names = await readdir(server.uploads.blobs.folders.quarantine)
  expect(names).toHaveLength(1)
  await sweepBlobs(server.uploads, usualLimits, inDays(40))
  expect(await readdir(server.uploads.blobs.folders.quarantine)).toHaveLength(0)
})

test('so many unknown originals that the database must be the wrong one are left alone', async () => {
  const strays = Array.from({ length: 101 }, () => bytesOf(10))
  for (const bytes of strays) await stray(bytes)
  expect(await sweepBlobs(server.uploads, usualLimits, inDays(2))).toMatchObject({ stopped: true, quarantined: 0 })
  // One fewer is litter again.
  await utimes(server.uploads.blobs.blobPath(sha256(strays[0] as Buffer)), new Date(inDays(3)), new Date(inDays(3)))
  expect(await sweepBlobs(server.uploads, usualLimits, inDays(2))).toMatchObject({ stopped: false, quarantined: 100 })
})

test('a missing original is reported with its assets and changes no row', async () => {
  const bytes = bytesOf(4_000)
  const assetId = Number((await upload(bytes)).headers.get('x-dam-asset'))
  await server.uploads.blobs.quarantine(sha256(bytes))
  const report = await sweepBlobs(server.uploads, usualLimits)
  expect(report.missing).toEqual([
    { sha256: sha256(bytes), expectedBytes: 4_000, actualBytes: null, assetIds: [assetId] },
  ])
  expect(await server.database.row(sql`select id from asset where id = ${assetId}`)).toEqual({ id: assetId })
  await upload(bytes)
  expect((await sweepBlobs(server.uploads, usualLimits)).missing).toEqual([])
})

test('an original is released only when no asset is left, also while it is uploaded again', async () => {
  const release = (bytes: Buffer): Promise<number> =>
    releaseBlobs(
      {
        database: server.database,
        blobs: server.uploads.blobs,
        renditionsFolder: path.join(server.folder, 'renditions'),
        log: server.uploads.log,
      },
      [sha256(bytes)],
    )
  for (let round = 0; round < 15; round++) {
    const bytes = bytesOf(2_000 + round)
    const first = Number((await upload(bytes)).headers.get('x-dam-asset'))
    expect(await release(bytes)).toBe(0)
    await server.database.run(sql`delete from asset where id = ${first}`)
    const [again] = await Promise.all([upload(bytes), release(bytes), release(bytes)])
    expect(again.status).toBe(201)
    const served = await server.fetch(`/api/v4/dam/assets/${again.headers.get('x-dam-asset')}/download/`)
    expect(sha256(Buffer.from(await served.arrayBuffer()))).toBe(sha256(bytes))
  }
  expect((await sweepBlobs(server.uploads, usualLimits)).missing).toEqual([])
})
