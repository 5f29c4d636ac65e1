import { type FileHandle, open } from 'node:fs/promises'
import { Readable, type Transform } from 'node:stream'
import { createInflate, createZstdDecompress } from 'node:zlib'
import { ByteCursor } from './byte-cursor.ts'
import { type ArchiveHeader, blockTypes, customFormat, magic, offsetStates, sections, type TocEntry } from './toc.ts'

/** Reads files in PostgreSQL's custom archive format, ours and those of `pg_dump -Fc` 9.0 to 18 (without large objects). */
export class ArchiveReader implements AsyncDisposable {
  readonly header: ArchiveHeader
  readonly entries: readonly TocEntry[]
  readonly sizeBytes: number
  readonly #file: FileHandle
  readonly #dataAt: number
  #found: Map<number, number> | undefined

  private constructor(file: FileHandle, header: ArchiveHeader, entries: TocEntry[], dataAt: number, sizeBytes: number) {
    this.sizeBytes = sizeBytes
    this.#file = file
    this.header = header
    this.entries = entries
    this.#dataAt = dataAt
  }

  /** Throws an Error that says what is wrong with the file. */
  static async open(path: string): Promise<ArchiveReader> {
    const file = await open(path, 'r')
    try {
      const cursor = new ByteCursor(file, 0)
      const header = await readHeader(cursor, path)
      const count = await cursor.integer()
      const entries: TocEntry[] = []
      for (let index = 0; index < count; index++) entries.push(await readEntry(cursor, header))
      return new ArchiveReader(file, header, entries, cursor.at, (await file.stat()).size)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** The data of an entry as its writer got it: for a table, the lines of COPY and the `\.` that ends them. */
  async data(entry: TocEntry): Promise<Readable> {
    const at = entry.offset ?? (await this.#scan()).get(entry.id)
    if (at === undefined)
      throw new Error(`The dump has no data for ${entry.kind} ${entry.schema}.${entry.tag}: it is cut off or damaged.`)
    const cursor = new ByteCursor(this.#file, at)
    const [type, id] = [await cursor.byte(), await cursor.integer()]
    if (type !== blockTypes.data || id !== entry.id)
      throw new Error(`The dump is damaged: at byte ${at} is not the data of ${entry.schema}.${entry.tag}.`)
    const blocks = Readable.from(blocksOf(cursor), { objectMode: false })
    const unpack = unpackerFor(this.header.compression)
    if (!unpack) return blocks
    blocks.once('error', (error) => unpack.destroy(error))
    unpack.once('close', () => blocks.destroy())
    return blocks.pipe(unpack)
  }

  /** Finds the data of each entry by walking over all blocks, for writers that could not go back to say where it is. */
  async #scan(): Promise<Map<number, number>> {
    if (this.#found) return this.#found
    const found = new Map<number, number>()
    const cursor = new ByteCursor(this.#file, this.#dataAt)
    while (cursor.at < this.sizeBytes) {
      const at = cursor.at
      const type = await cursor.byte()
      const id = await cursor.integer()
      if (type !== blockTypes.data) throw new Error('The dump has large objects, which are not read here.')
      found.set(id, at)
      for (let length = await cursor.integer(); length > 0; length = await cursor.integer()) cursor.skip(length)
    }
    this.#found = found
    return found
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}

async function* blocksOf(cursor: ByteCursor): AsyncGenerator<Buffer> {
  for (let length = await cursor.integer(); length > 0; length = await cursor.integer())
    yield await cursor.bytes(length)
}

function unpackerFor(compression: ArchiveHeader['compression']): Transform | null {
  if (compression === 'none') return null
  if (compression === 'zlib') return createInflate()
  if (compression === 'zstd') return createZstdDecompress()
  throw new Error(
    "The dump is compressed with LZ4, which is not read here. Install PostgreSQL's client programs (pg_restore), or dump with --compress=gzip.",
  )
}

async function readHeader(cursor: ByteCursor, path: string): Promise<ArchiveHeader> {
  const start = await cursor.bytes(magic.length).catch(() => Buffer.alloc(0))
  if (!start.equals(magic)) throw new Error(`${path} is not a dump in PostgreSQL's custom format (pg_dump -Fc).`)
  const [major, minor] = [await cursor.byte(), await cursor.byte()]
  if (major !== 1 || minor < 12 || minor > 16)
    throw new Error(`${path} has version ${major}.${minor} of the archive format; versions 1.12 to 1.16 are read here.`)
  await cursor.byte()
  cursor.integerBytes = await cursor.byte()
  cursor.offsetBytes = await cursor.byte()
  if ((await cursor.byte()) !== customFormat)
    throw new Error(`${path} is a dump in another format than one custom-format file (pg_dump -Fc).`)
  const compression =
    minor >= 15
      ? (['none', 'zlib', 'lz4', 'zstd'] as const)[await cursor.byte()]
      : (await cursor.integer()) === 0
        ? 'none'
        : 'zlib'
  if (!compression) throw new Error(`${path} is compressed in a way that is not known here.`)
  const moment: number[] = []
  for (let part = 0; part < 7; part++) moment.push(await cursor.integer())
  const [second = 0, minute = 0, hour = 0, day = 1, month = 0, year = 0] = moment
  const [database, serverVersion, dumpVersion] = [await cursor.text(), await cursor.text(), await cursor.text()]
  return {
    major,
    minor,
    compression,
    createdAt: new Date(Date.UTC(year + 1900, month, day, hour, minute, second)),
    database: database ?? '',
    serverVersion: serverVersion ?? '',
    dumpVersion: dumpVersion ?? '',
  }
}

async function readEntry(cursor: ByteCursor, { minor }: ArchiveHeader): Promise<TocEntry> {
  const id = await cursor.integer()
  const hasData = (await cursor.integer()) !== 0
  await cursor.text()
  await cursor.text()
  const text = async () => (await cursor.text()) ?? ''
  const [tag, kind] = [await text(), await text()]
  const section = sections[(await cursor.integer()) - 1] ?? 'none'
  const [create, drop, copy, schema] = [await text(), await text(), await text(), await text()]
  await cursor.text()
  if (minor >= 14) await cursor.text()
  if (minor >= 16) await cursor.integer()
  const owner = await text()
  await cursor.text()
  const dependencies: number[] = []
  for (let word = await cursor.text(); word !== null; word = await cursor.text()) dependencies.push(Number(word))
  const state = await cursor.byte()
  const offset = await cursor.offset()
  return {
    id,
    kind,
    tag,
    schema,
    section,
    create,
    drop,
    copy,
    owner,
    dependencies,
    hasData,
    offset: state === offsetStates.set ? offset : null,
  }
}
