import { open, type FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { inflateRaw } from 'node:zlib'

const inflate = promisify(inflateRaw)

const maxDirectoryBytes = 16 * 1024 * 1024
const maxEntries = 20_000

type Entry = { name: string; method: number; compressedBytes: number; sizeBytes: number; offset: number }

/** Single members of a ZIP container, by name, with a bound on what they may unpack to. Nothing is ever extracted to disk. */
export class ZipFile implements AsyncDisposable {
  readonly #file: FileHandle
  readonly #entries: Map<string, Entry>
  /** Bytes that stand before the archive itself. */
  readonly #shift: number

  private constructor(file: FileHandle, entries: Map<string, Entry>, shift: number) {
    this.#file = file
    this.#entries = entries
    this.#shift = shift
  }

  /** Undefined when the file is no ZIP or its directory is damaged. */
  static async open(path: string): Promise<ZipFile | undefined> {
    const file = await open(path)
    const directory = await readDirectory(file).catch(() => undefined)
    if (directory) return new ZipFile(file, directory.entries, directory.shift)
    await file.close()
    return undefined
  }

  get names(): IterableIterator<string> {
    return this.#entries.keys()
  }

  /** Undefined when there is no such member. Rejects when it is encrypted, damaged or larger than `maxBytes`. */
  async read(name: string, maxBytes: number): Promise<Buffer | undefined> {
    const entry = this.#entries.get(name)
    if (!entry) return undefined
    if (entry.sizeBytes > maxBytes || entry.compressedBytes > maxBytes)
      throw new Error(`${name} is larger than ${maxBytes} bytes`)
    const start = entry.offset + this.#shift
    const header = await read(this.#file, start, 30)
    if (header.readUInt32LE(0) !== 0x04034b50) throw new Error('the archive is damaged')
    if (header.readUInt16LE(6) & 1) throw new Error(`${name} is encrypted`)
    const data = await read(
      this.#file,
      start + 30 + header.readUInt16LE(26) + header.readUInt16LE(28),
      entry.compressedBytes,
    )
    if (entry.method === 0) return data
    if (entry.method !== 8) throw new Error(`${name} is compressed by method ${entry.method}`)
    return inflate(data, { maxOutputLength: maxBytes })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}

async function readDirectory(file: FileHandle): Promise<{ entries: Map<string, Entry>; shift: number } | undefined> {
  const { size } = await file.stat()
  const tailBytes = Math.min(size, 65_557)
  const tail = await read(file, size - tailBytes, tailBytes)
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]))
  if (end < 0 || end + 22 > tail.length) return undefined
  const count = tail.readUInt16LE(end + 10)
  const directoryBytes = tail.readUInt32LE(end + 12)
  if (count > maxEntries || directoryBytes > maxDirectoryBytes || directoryBytes > size) return undefined
  const start = size - tailBytes + end - directoryBytes
  const shift = start - tail.readUInt32LE(end + 16)
  if (start < 0 || shift < 0) return undefined
  const directory = await read(file, start, directoryBytes)
  const entries = new Map<string, Entry>()
  for (let at = 0, index = 0; index < count && at + 46 <= directory.length; index++) {
    if (directory.readUInt32LE(at) !== 0x02014b50) return undefined
    const nameBytes = directory.readUInt16LE(at + 28)
    const name = directory.toString('utf8', at + 46, at + 46 + nameBytes)
    entries.set(name, {
      name,
      method: directory.readUInt16LE(at + 10),
      compressedBytes: directory.readUInt32LE(at + 20),
      sizeBytes: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    })
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32)
  }
  return { entries, shift }
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  if (bytesRead < length) throw new Error('the archive ends too early')
  return buffer
}
