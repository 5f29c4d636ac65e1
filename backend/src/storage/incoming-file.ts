import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'

/** A file that grows at its end. Nothing in it counts before `sync` has returned. */
export class IncomingFile implements AsyncDisposable {
  readonly #handle: FileHandle
  readonly #beforeFirstSync: () => Promise<void>
  readonly #onSyncFailed: (error: unknown) => void
  #sizeBytes: number
  #crc32: number
  #synced = false

  /** `handle` is open for writing and holds exactly `sizeBytes`, whose checksum is `crc32`. */
  constructor(options: {
    handle: FileHandle
    sizeBytes: number
    crc32: number
    beforeFirstSync: () => Promise<void>
    onSyncFailed: (error: unknown) => void
  }) {
    this.#handle = options.handle
    this.#sizeBytes = options.sizeBytes
    this.#crc32 = options.crc32
    this.#beforeFirstSync = options.beforeFirstSync
    this.#onSyncFailed = options.onSyncFailed
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** CRC-32 of the bytes as they were handed in, not as the disk holds them. */
  get crc32(): number {
    return this.#crc32
  }

  /** Writes at the end. After an error the file must be opened again. */
  async append(buffers: readonly Buffer[]): Promise<void> {
    let rest = [...buffers]
    for (const buffer of rest) this.#crc32 = crc32(buffer, this.#crc32)
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest.slice(0, 1000), this.#sizeBytes)
      this.#sizeBytes += bytesWritten
      rest = dropBytes(rest, bytesWritten)
    }
  }

  /** Everything appended so far survives a power cut once this returns. A failed sync is never repeated: the kernel forgets what it failed to write. */
  async sync(): Promise<void> {
    try {
      await Promise.all([this.#handle.datasync(), this.#synced ? undefined : this.#beforeFirstSync()])
      this.#synced = true
    } catch (error) {
      this.#onSyncFailed(error)
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }
}

function dropBytes(buffers: Buffer[], count: number): Buffer[] {
  let left = count
  let index = 0
  while (index < buffers.length && left >= (buffers[index] as Buffer).length)
    left -= (buffers[index++] as Buffer).length
  const rest = buffers.slice(index)
  if (left > 0) rest[0] = (rest[0] as Buffer).subarray(left)
  return rest
}
