import { copyFile, open, readdir, rename, stat, truncate, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { BlobStore } from '../storage/blob-store.ts'
import { fsck, isSound } from '../storage/fsck.ts'
import { recoverUploads } from './recover-uploads.ts'
import { bytesOf, codeOf, locationOf, metadataHeader, sha256, tusClient } from './testing/tus.ts'
import { startUploadServer, type UploadServer } from './testing/upload-server.ts'
import { findUpload, type UploadRow } from './upload-store.ts'

let server: UploadServer
let tus: ReturnType<typeof tusClient>
let owner: { id: number; headers: { authorization: string } }
beforeAll(async () => {
  server = await startUploadServer()
  owner = await server.signIn()
  tus = tusClient(server, owner.headers)
})
afterAll(() => server[Symbol.asyncDispose]())

const idOf = (url: string): string => url.split('/').at(-2) as string
const begin = async (size: number, checksum?: string): Promise<string> =>
  locationOf(
    await tus.create({
      'upload-length': String(size),
      'upload-metadata': metadataHeader({ filename: 'crash.bin', ...(checksum ? { checksum } : {}) }),
    }),
  )
const rowOf = async (url: string): Promise<UploadRow> =>
  (await findUpload(server.database, idOf(url), owner.id)) as UploadRow
const incomingOf = (url: string): string => server.uploads.blobs.incomingPath(idOf(url))
const countAssets = async (bytes: Buffer): Promise<number> =>
  (await server.database.row<{ n: number }>(sql`select count(*)::int as n from asset where sha256 = ${sha256(bytes)}`))
    ?.n ?? 0
const expectWhole = async (assetId: string | null, bytes: Buffer): Promise<void> => {
  const response = await server.fetch(`/api/v4/dam/assets/${assetId}/download/`, { headers: owner.headers })
  expect(sha256(Buffer.from(await response.arrayBuffer()))).toBe(sha256(bytes))
}

/** States a crash can leave, made by doing the steps of the server up to there. */
const wholeAndCommitted = async (bytes: Buffer): Promise<string> => {
  const url = await begin(bytes.length)
  await tus.patch(url, 0, bytes.subarray(0, 1_000))
  const row = await rowOf(url)
  {
    await using file = await server.uploads.blobs.openIncoming(row.id, row.offsetBytes, row.crc32)
    await file.append([bytes.subarray(1_000)])
    await file.sync()
    await server.database.run(
      sql`update upload set offset_bytes = ${file.sizeBytes}, crc32 = ${file.crc32}, state = 'finalising' where id = ${row.id}`,
    )
  }
  return url
}
const published = async (bytes: Buffer): Promise<string> => {
  const url = await wholeAndCommitted(bytes)
  const row = await rowOf(url)
  await server.uploads.blobs.publish(row.id, { sizeBytes: row.offsetBytes, crc32: row.crc32 })
  return url
}

describe('a crash', () => {
  test('between writing and committing costs only the bytes that were not acknowledged', async () => {
    const bytes = bytesOf(50_000)
    const url = await begin(bytes.length)
    await tus.patch(url, 0, bytes.subarray(0, 20_000))
    const handle = await open(incomingOf(url), 'r+')
    await handle.write(bytesOf(7_000), 0, 7_000, 20_000)
    await handle.close()
    expect((await tus.head(url)).headers.get('upload-offset')).toBe('20000')
    const last = await tus.patch(url, 20_000, bytes.subarray(20_000))
    await expectWhole(last.headers.get('x-dam-asset'), bytes)
  })

  test('before the file got its place is repaired when the client asks', async () => {
    const bytes = bytesOf(30_000)
    const url = await wholeAndCommitted(bytes)
    const head = await tus.head(url)
    expect(head.headers.get('upload-offset')).toBe('30000')
    await expectWhole(head.headers.get('x-dam-asset'), bytes)
    expect(await countAssets(bytes)).toBe(1)
  })

  test('before the file got its place is repaired when the client sends on', async () => {
    const bytes = bytesOf(30_000)
    const url = await wholeAndCommitted(bytes)
    const answer = await tus.patch(url, 30_000, Buffer.alloc(0))
    expect(answer.status).toBe(204)
    await expectWhole(answer.headers.get('x-dam-asset'), bytes)
  })

  test('after the file got its place, before the asset was made, is repaired at the next start', async () => {
    const [one, two] = [bytesOf(30_000), bytesOf(40_000)]
    const urls = [await published(one), await wholeAndCommitted(two)]
    expect(await recoverUploads(server.uploads)).toBe(2)
    expect(await recoverUploads(server.uploads)).toBe(0)
    for (const [n, bytes] of [one, two].entries()) {
      await expectWhole((await tus.head(urls[n] as string)).headers.get('x-dam-asset'), bytes)
      expect(await countAssets(bytes)).toBe(1)
    }
    expect(await readdir(server.uploads.blobs.folders.incoming)).toEqual([])
  })

  test('after the asset was made, before the incoming file was removed, changes nothing', async () => {
    const bytes = bytesOf(10_000)
    const url = await published(bytes)
    await copyFile(incomingOf(url), `${incomingOf(url)}.kept`)
    const assetId = (await tus.head(url)).headers.get('x-dam-asset')
    await rename(`${incomingOf(url)}.kept`, incomingOf(url))
    expect((await tus.head(url)).headers.get('x-dam-asset')).toBe(assetId)
    expect(await recoverUploads(server.uploads)).toBe(0)
    expect(await countAssets(bytes)).toBe(1)
  })

  test('that left the file in its place without its last offset does not let the client change the original', async () => {
    const bytes = bytesOf(30_000)
    const url = await published(bytes)
    await server.database.run(
      sql`update upload set offset_bytes = 1000, crc32 = 0, state = 'receiving' where id = ${idOf(url)}`,
    )
    const other = await tus.create(
      { 'upload-length': '30000', 'upload-metadata': metadataHeader({ filename: 'twin.bin' }) },
      bytes,
    )
    expect(other.status).toBe(201)
    await tus.patch(url, 1_000, bytesOf(29_000))
    await expectWhole(other.headers.get('x-dam-asset'), bytes)
    expect(
      isSound(
        await fsck({ database: server.database, blobsFolder: server.uploads.blobs.folders.blobs }, { hash: true }),
      ),
    ).toBe(true)
  })
})

describe('a disk that lies', () => {
  test('bytes that change between writing and finishing never become an asset', async () => {
    const bytes = bytesOf(30_000)
    const url = await begin(bytes.length)
    await tus.patch(url, 0, bytes.subarray(0, 20_000))
    const handle = await open(incomingOf(url), 'r+')
    await handle.write(Buffer.from([(bytes[500] as number) ^ 1]), 0, 1, 500)
    await handle.close()
    const last = await tus.patch(url, 20_000, bytes.subarray(20_000))
    expect(last.status).toBe(460)
    expect(await codeOf(last)).toBe('checksum-mismatch')
    expect((await tus.head(url)).status).toBe(410)
  })

  test('an incoming file shorter than was acknowledged is an error, never a short asset', async () => {
    const bytes = bytesOf(30_000)
    const url = await begin(bytes.length)
    await tus.patch(url, 0, bytes.subarray(0, 20_000))
    await truncate(incomingOf(url), 10_000)
    const answer = await tus.patch(url, 20_000, bytes.subarray(20_000))
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain(server.folder)
  })

  test('damaged originals are found, never served, and healed by the same file', async () => {
    const files = Array.from({ length: 6 }, (_, n) => bytesOf(10_000 + n))
    const assets: (string | null)[] = []
    for (const bytes of files)
      assets.push((await tus.create({ 'upload-length': String(bytes.length) }, bytes)).headers.get('x-dam-asset'))
    const damaged = files.slice(0, 3)
    for (const bytes of damaged) {
      const file = server.uploads.blobs.blobPath(sha256(bytes))
      const handle = await open(file, 'r+')
      await handle.write(Buffer.from([(bytes[77] as number) ^ 255]), 0, 1, 77)
      await handle.close()
    }
    const report = await fsck(
      { database: server.database, blobsFolder: server.uploads.blobs.folders.blobs },
      { hash: true },
    )
    expect(report.checksumMismatch.map(({ sha256: sum }) => sum).sort()).toEqual(damaged.map(sha256).sort())
    expect(report.missing.length + report.sizeMismatch.length).toBe(0)

    // A process that has verified nothing yet.
    const store = await BlobStore.open({
      folders: server.uploads.blobs.folders,
      expectBlobs: true,
      log: server.uploads.log,
    })
    for (const bytes of damaged)
      await expect(store.openOriginal(sha256(bytes), bytes.length)).rejects.toMatchObject({ code: 'internal-error' })
    for (const bytes of files.slice(3)) await (await store.openOriginal(sha256(bytes), bytes.length)).close()

    for (const bytes of damaged)
      expect((await tus.create({ 'upload-length': String(bytes.length) }, bytes)).status).toBe(201)
    expect(
      isSound(
        await fsck({ database: server.database, blobsFolder: server.uploads.blobs.folders.blobs }, { hash: true }),
      ),
    ).toBe(true)
    await expectWhole(assets[0] ?? null, files[0] as Buffer)
  })

  test('a truncated original is an error, never short bytes', async () => {
    const bytes = bytesOf(10_000)
    const assetId = (await tus.create({ 'upload-length': '10000' }, bytes)).headers.get('x-dam-asset')
    await truncate(server.uploads.blobs.blobPath(sha256(bytes)), 9_000)
    const response = await server.fetch(`/api/v4/dam/assets/${assetId}/download/`)
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain(server.folder)
    await writeFile(server.uploads.blobs.blobPath(sha256(bytes)), bytes)
  })
})

describe('the folder of originals goes away', () => {
  test('uploads and downloads answer 503, nothing is changed, and all is well when it is back', async () => {
    const bytes = bytesOf(20_000)
    const assetId = (await tus.create({ 'upload-length': '20000' }, bytes)).headers.get('x-dam-asset')
    const url = await begin(20_000)
    await tus.patch(url, 0, bytesOf(5_000))
    const { blobs } = server.uploads.blobs.folders
    const rowsBefore = await server.database.row(
      sql`select (select count(*) from asset) as assets, (select count(*) from blob) as blobs, (select count(*) from upload) as uploads`,
    )
    await rename(blobs, `${blobs}.away`)
    expect(await server.uploads.blobs.isReady()).toBe(false)
    for (const response of [
      await server.fetch(`/api/v4/dam/assets/${assetId}/download/`),
      await tus.patch(url, 5_000, bytesOf(15_000)),
      await tus.create({ 'upload-length': '100' }, bytesOf(100)),
    ]) {
      expect(response.status).toBe(503)
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(await codeOf(response)).toBe('storage-unavailable')
    }
    await expect(
      fsck({ database: server.database, blobsFolder: server.uploads.blobs.folders.blobs }),
    ).rejects.toMatchObject({ code: 'storage-unavailable' })
    await rename(`${blobs}.away`, blobs)
    expect(
      await server.database.row(
        sql`select (select count(*) from asset) as assets, (select count(*) from blob) as blobs, (select count(*) from upload) as uploads`,
      ),
    ).toEqual(rowsBefore)
    await expectWhole(assetId, bytes)
    const rest = bytesOf(15_000)
    expect((await tus.patch(url, 5_000, rest)).status).toBe(204)
    expect((await stat(blobs)).isDirectory()).toBe(true)
  })
})
