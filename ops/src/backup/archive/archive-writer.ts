import { type FileHandle, open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createDeflate } from 'node:zlib'
import { encodeHeader, encodeInteger, encodeToc } from './encode.ts'
import { type ArchiveHeader, blockTypes, type TocEntry } from './toc.ts'

const blockBytes = 256 * 1024

/**
 * Writes one file in PostgreSQL's custom archive format: header, table of contents, then the data of each entry as blocks of one zlib
 * stream. Nothing but the table of contents is held in memory.
 */
export class ArchiveWriter implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #entries: TocEntry[]
  readonly #tocAt: number
  readonly #level: number
  #at: number

  private constructor(file: FileHandle, entries: TocEntry[], tocAt: number, at: number, level: number) {
    this.#file = file
    this.#entries = entries
    this.#tocAt = tocAt
    this.#at = at
    this.#level = level
  }

  /** `path` must not exist. `level` is zlib's, 1 to 9. */
  static async create(
    path: string,
    header: Omit<ArchiveHeader, 'major' | 'minor' | 'compression'>,
    entries: TocEntry[],
    level: number,
  ): Promise<ArchiveWriter> {
    const file = await open(path, 'wx', 0o600)
    const head = encodeHeader({ ...header, compression: 'zlib' }, level)
    const start = Buffer.concat([head, encodeToc(entries)])
    await file.write(start, 0, start.length, 0)
    return new ArchiveWriter(file, entries, head.length, start.length, level)
  }

  /** Bytes so far. */
  get sizeBytes(): number {
    return this.#at
  }

  /** Writes the data of one entry; one after another. */
  async writeData(id: number, source: Readable, options: { signal?: AbortSignal } = {}): Promise<void> {
    const entry = this.#entries.find((candidate) => candidate.id === id)
    if (!entry?.hasData) throw new Error(`entry ${id} of the archive has no data`)
    entry.offset = this.#at
    await this.#append(Buffer.concat([Buffer.from([blockTypes.data]), encodeInteger(id)]))
    const blocks = async (compressed: AsyncIterable<Buffer>) => {
      for await (const block of compressed) {
        await this.#append(encodeInteger(block.length))
        await this.#append(block)
      }
    }
    await pipeline(source, createDeflate({ level: this.#level, chunkSize: blockBytes }), blocks, options)
    await this.#append(encodeInteger(0))
  }

  /** Says in the table of contents where each entry's data is, and puts everything on the disk. */
  async finish(): Promise<void> {
    const toc = encodeToc(this.#entries)
    await this.#file.write(toc, 0, toc.length, this.#tocAt)
    await this.#file.sync()
    await this.#file.close()
  }

  async #append(bytes: Buffer): Promise<void> {
    let done = 0
    while (done < bytes.length)
      done += (await this.#file.write(bytes, done, bytes.length - done, this.#at + done)).bytesWritten
    this.#at += bytes.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close().catch(() => undefined)
  }
}
