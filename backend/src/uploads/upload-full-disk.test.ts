import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { fsck, isSound } from '../storage/fsck.ts'
import { bytesOf, codeOf, locationOf, sha256, tusClient } from './testing/tus.ts'
import { startUploadServer } from './testing/upload-server.ts'

/** A disk of its own of this size, where we may mount one. */
function smallDisk(megabytes: number): (Disposable & { folder: string }) | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'dam-small-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    rmSync(folder, { recursive: true })
    console.log('No right to mount a small disk: tests of a full disk are left out.')
    return undefined
  }
  return {
    folder,
    [Symbol.dispose]: () => {
      execFileSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const megabyte = 1024 * 1024

describe('a disk that fills up', () => {
  test('is 507 with nothing lost; after freeing space the upload goes on', { timeout: 60_000 }, async ({ skip }) => {
    using disk = smallDisk(24) ?? skip()
    await using server = await startUploadServer({ folder: path.join(disk.folder, 'data') })
    const tus = tusClient(server)
    const stored = bytesOf(2 * megabyte)
    const assetId = (await tus.create({ 'upload-length': String(stored.length) }, stored)).headers.get('x-dam-asset')
    const bytes = bytesOf(10 * megabyte)
    const url = locationOf(await tus.create({ 'upload-length': String(bytes.length) }))
    expect((await tus.patch(url, 0, bytes.subarray(0, 3 * megabyte))).status).toBe(204)
    const filler = path.join(disk.folder, 'filler')
    writeFileSync(filler, Buffer.alloc(16 * megabyte))

    const full = await tus.patch(url, 3 * megabyte, bytes.subarray(3 * megabyte))
    expect(full.status).toBe(507)
    const text = await full.clone().text()
    expect(text).not.toContain(disk.folder)
    expect(await codeOf(full)).toBe('storage-full')
    expect(Number((await tus.head(url)).headers.get('upload-offset'))).toBe(3 * megabyte)
    expect((await tus.create({ 'upload-length': String(5 * megabyte) }, bytesOf(5 * megabyte))).status).toBe(507)
    const read = await server.fetch(`/api/v4/dam/assets/${assetId}/download/`)
    expect(sha256(Buffer.from(await read.arrayBuffer()))).toBe(sha256(stored))

    rmSync(filler)
    const last = await tus.patch(url, 3 * megabyte, bytes.subarray(3 * megabyte))
    expect(last.status).toBe(204)
    const whole = await server.fetch(`/api/v4/dam/assets/${last.headers.get('x-dam-asset')}/download/`)
    expect(sha256(Buffer.from(await whole.arrayBuffer()))).toBe(sha256(bytes))
    expect(
      isSound(
        await fsck({ database: server.database, blobsFolder: server.uploads.blobs.folders.blobs }, { hash: true }),
      ),
    ).toBe(true)
  })

  test(
    'uploads are refused before their bytes travel when promises to others would not fit',
    { timeout: 60_000 },
    async ({ skip }) => {
      using disk = smallDisk(64) ?? skip()
      await using server = await startUploadServer({ folder: path.join(disk.folder, 'data'), diskReservePercent: 10 })
      const tus = tusClient(server)
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => tus.create({ 'upload-length': String(10 * megabyte) })),
      )
      const accepted = answers.filter((answer) => answer.status === 201)
      expect(accepted.length).toBeGreaterThanOrEqual(4)
      expect(accepted.length).toBeLessThanOrEqual(5)
      for (const answer of answers.filter((one) => one.status !== 201)) {
        expect(answer.status).toBe(507)
        expect(await codeOf(answer)).toBe('storage-full')
      }
      for (const answer of accepted) expect((await tus.cancel(locationOf(answer))).status).toBe(204)
      await new Promise((resolve) => setTimeout(resolve, 1_100))
      expect((await tus.create({ 'upload-length': String(10 * megabyte) })).status).toBe(201)
    },
  )
})
