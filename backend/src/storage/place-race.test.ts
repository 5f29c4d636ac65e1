import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { BlobStore } from './blob-store.ts'

const root = await mkdtemp(path.join(tmpdir(), 'dam-place-'))
afterAll(() => rm(root, { recursive: true, force: true }))

test('publishing bytes that are being released at the same moment always finds a place for them', async () => {
  const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const folders = {
    blobs: path.join(root, 'blobs'),
    incoming: path.join(root, 'incoming'),
    quarantine: path.join(root, 'quarantine'),
  }
  const blobs = await BlobStore.open({ folders, expectBlobs: false, log: quiet })
  const bytes = Buffer.alloc(300_000, 7)
  const expected = { sizeBytes: bytes.length, crc32: crc32(bytes) }
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const uploads = Array.from({ length: 4 }, (_, n) => `00000000-0000-4000-8000-00000000000${n}`)
  for (const id of uploads) {
    await using file = await blobs.openIncoming(id, 0, 0)
    await file.append([bytes])
    await file.sync()
  }
  let isOver = false
  const releasing = (async () => {
    while (!isOver) await blobs.quarantine(sha256)
  })()
  try {
    for (let round = 0; round < 150; round++) {
      for (const { sha256: placed } of await Promise.all(uploads.map((id) => blobs.publish(id, expected))))
        expect(placed).toBe(sha256)
    }
  } finally {
    isOver = true
    await releasing
  }
})
