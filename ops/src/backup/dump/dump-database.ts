import type { ClientBase } from 'pg'
import { ArchiveWriter } from '../archive/archive-writer.ts'
import type { TocEntry } from '../archive/toc.ts'
import { connect, databaseOf } from '../connect.ts'
import { pace, type Say } from '../progress.ts'
import { readSchema, type Schema } from './read-schema.ts'
import type { RowDigest } from './row-digest.ts'
import { isBeforeData } from './schema-object.ts'
import { readRows, readTables, rowTextSettings, type TableToCopy } from './tables.ts'

export type DumpedTable = RowDigest & { schema: string; name: string }

export type Dump<Found> = {
  /** When the snapshot was taken, by the database's clock. */
  snapshotAt: string
  serverVersion: string
  tables: DumpedTable[]
  found: Found
  /** Spent on reading, packing and writing rows. */
  tookMs: number
}

/**
 * Writes a dump that PostgreSQL's `pg_restore` (15 and newer) reads: all of it, and what `look` reads, as the database was at one moment.
 * Memory does not depend on the size of the database. The file is on the disk when this returns.
 */
export async function dumpDatabase<Found>(options: {
  connectionString: string
  file: string
  now: Date
  /** Reads more in the same snapshot, before the rows are written. */
  look: (client: ClientBase) => Promise<Found>
  /** zlib, 1 to 9. */
  compressionLevel?: number
  signal?: AbortSignal
  say?: Say
}): Promise<Dump<Found>> {
  const { file, signal } = options
  const startedAt = performance.now()
  await using client = await connect(options.connectionString, 'backup')
  await client.query(rowTextSettings)
  await client.query('begin isolation level repeatable read, read only')
  const moment = await client.query<{ at: Date; version: string }>(
    `select now() as at, current_setting('server_version') as version`,
  )
  const { at, version } = moment.rows[0] ?? { at: options.now, version: '' }
  const tables = await readTables(client)
  // From here on nobody changes or drops a table until we are done.
  if (tables.length > 0)
    await client.query(`lock table ${tables.map(({ fullName }) => fullName).join(', ')} in access share mode`)
  const schema = await readSchema(client)
  const found = await options.look(client)
  const entries = tableOfContents(schema, tables, await readSequences(client), databaseOf(options.connectionString))
  await using writer = await ArchiveWriter.create(
    file,
    {
      createdAt: options.now,
      database: databaseOf(options.connectionString),
      serverVersion: version,
      dumpVersion: version,
    },
    entries,
    options.compressionLevel ?? 6,
  )
  const progress = pace(
    options.say,
    'database',
    tables.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  )
  const dumped: DumpedTable[] = []
  for (const table of tables) {
    signal?.throwIfAborted()
    const entry = entries.find(
      (candidate) => candidate.hasData && candidate.schema === table.schema && candidate.tag === table.name,
    )
    if (!entry) continue
    const { stream, digest } = readRows(client, table, {
      onBytes: (bytes) => progress(table.fullName, bytes),
      ending: '\\.\n\n\n',
    })
    await writer.writeData(entry.id, stream, signal ? { signal } : {})
    dumped.push({ schema: table.schema, name: table.name, ...digest() })
  }
  await writer.finish()
  await client.query('commit')
  return {
    snapshotAt: at.toISOString(),
    serverVersion: version,
    tables: dumped,
    found,
    tookMs: performance.now() - startedAt,
  }
}

type SequenceValue = { schema: string; name: string; create: string }

/** Sequences do not follow the snapshot; they only ever grow, so a value read after it covers every row in it. */
async function readSequences(client: ClientBase): Promise<SequenceValue[]> {
  const { rows } = await client.query<SequenceValue>(`
    select schemaname as schema, sequencename as name,
           format('select pg_catalog.setval(%L, %s, %s);', format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value),
                  case when last_value is null then 'false' else 'true' end) as create
    from pg_catalog.pg_sequences where schemaname !~ '^(pg_|information_schema$)'
    order by schemaname collate "C", sequencename collate "C"`)
  return rows
}

function tableOfContents(
  schema: Schema,
  tables: readonly TableToCopy[],
  sequences: readonly SequenceValue[],
  database: string,
): TocEntry[] {
  const entries: TocEntry[] = []
  const idOf = new Map<string, number>()
  const add = (entry: Partial<TocEntry> & Pick<TocEntry, 'kind' | 'tag' | 'section'>): number => {
    const id = entries.length + 1
    entries.push({
      id,
      schema: '',
      create: '',
      drop: '',
      copy: '',
      owner: '',
      dependencies: [],
      hasData: false,
      offset: null,
      ...entry,
    })
    return id
  }
  const addObject = (object: Schema['objects'][number]) => {
    const { key, kind, tag, create, drop } = object
    const dependencies = [...(schema.needs.get(key) ?? [])].flatMap((needed) => idOf.get(needed) ?? [])
    idOf.set(
      key,
      add({
        kind,
        tag,
        schema: object.schema,
        create,
        drop,
        dependencies,
        section: isBeforeData(object.phase) ? 'pre-data' : 'post-data',
      }),
    )
  }
  add({ kind: 'ENCODING', tag: 'ENCODING', section: 'pre-data', create: `SET client_encoding = 'UTF8';\n` })
  add({
    kind: 'STDSTRINGS',
    tag: 'STDSTRINGS',
    section: 'pre-data',
    create: `SET standard_conforming_strings = 'on';\n`,
  })
  add({
    kind: 'SEARCHPATH',
    tag: 'SEARCHPATH',
    section: 'pre-data',
    create: `SELECT pg_catalog.set_config('search_path', '', false);\n`,
  })
  const name = `"${database.replaceAll('"', '""')}"`
  add({
    kind: 'DATABASE',
    tag: database,
    section: 'pre-data',
    create: `CREATE DATABASE ${name} WITH TEMPLATE = template0 ENCODING = 'UTF8';\n`,
    drop: `DROP DATABASE ${name};\n`,
  })
  for (const object of schema.objects) if (isBeforeData(object.phase)) addObject(object)
  for (const table of tables) {
    const of = idOf.get(table.key)
    const copy = `COPY ${table.fullName} (${table.columns}) FROM stdin;\n`
    if (of !== undefined && table.columns !== '')
      add({
        kind: 'TABLE DATA',
        tag: table.name,
        schema: table.schema,
        section: 'data',
        copy,
        hasData: true,
        dependencies: [of],
      })
  }
  for (const { schema: of, name: tag, create } of sequences)
    add({ kind: 'SEQUENCE SET', tag, schema: of, section: 'data', create: `${create}\n` })
  for (const object of schema.objects) if (!isBeforeData(object.phase)) addObject(object)
  return entries
}
