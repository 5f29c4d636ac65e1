import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'

const stepBytes = 1024 * 1024

/** SHA-256 and size of a file as the disk gives it back. */
export async function digestFile(
  file: string,
  options: { signal?: AbortSignal; onBytes?: (count: number) => void } = {},
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafeSlow(stepBytes)
  let sizeBytes = 0
  await using handle = await open(file, 'r')
  for (;;) {
    options.signal?.throwIfAborted()
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, sizeBytes)
    if (bytesRead === 0) return { sha256: hash.digest('hex'), sizeBytes }
    hash.update(buffer.subarray(0, bytesRead))
    sizeBytes += bytesRead
    options.onBytes?.(bytesRead)
  }
}

/** Makes the entries of a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}

/** Writes a file and puts it on the disk. */
export async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.writeFile(text)
  await handle.sync()
}
