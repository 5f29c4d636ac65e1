import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

export type FileDigest = { sizeBytes: number; sha256: string; crc32: number }

const stepBytes = 512 * 1024
// Buffers outside the heap make the garbage collector run often; a few are kept.
const mostSpare = 4
const spare: Buffer[] = []

/** Reads the whole file back from the disk in steps that leave the event loop to others in between. */
export async function hashFile(
  handle: FileHandle,
  options: { onBytes?: (bytes: Buffer) => void | Promise<void> } = {},
): Promise<FileDigest> {
  const hash = createHash('sha256')
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(stepBytes)
  let sizeBytes = 0
  let sum = 0
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, sizeBytes)
      if (bytesRead === 0) break
      const bytes = buffer.subarray(0, bytesRead)
      hash.update(bytes)
      sum = crc32(bytes, sum)
      sizeBytes += bytesRead
      await options.onBytes?.(bytes)
    }
  } finally {
    if (spare.length < mostSpare) spare.push(buffer)
  }
  return { sizeBytes, sha256: hash.digest('hex'), crc32: sum }
}
