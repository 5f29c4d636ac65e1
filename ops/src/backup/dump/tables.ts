import { Transform, type Readable } from 'node:stream'
import type { ClientBase } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { createRowDigest, type RowDigest } from './row-digest.ts'
import { ours } from './schema-queries.ts'

export type TableToCopy = {
  /** Key of the catalogs, as in a Schema. */
  key: string
  schema: string
  name: string
  /** Quoted, with its schema. */
  fullName: string
  /** Quoted; what can be read and written, in order. */
  columns: string
  /** On the disk, without indexes. */
  sizeBytes: number
}

/** Settings on which the text of a row depends; the same on both sides of a comparison. */
export const rowTextSettings = `
  set search_path to ''; set datestyle to iso; set intervalstyle to postgres; set timezone to 'UTC'; set extra_float_digits to 3;
  set bytea_output to hex; set client_encoding to utf8; set row_security to off; set statement_timeout to 0;
  set idle_in_transaction_session_timeout to 0; set lock_timeout to 0; set client_min_messages to warning`

/** Every table of ours. */
export async function readTables(client: ClientBase): Promise<TableToCopy[]> {
  const { rows } = await client.query<TableToCopy>(`
    select 'pg_class:' || c.oid as key, n.nspname as schema, c.relname as name, format('%I.%I', n.nspname, c.relname) as "fullName",
           coalesce((select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_catalog.pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''), '') as columns,
           pg_catalog.pg_table_size(c.oid)::float8 as "sizeBytes"
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and ${ours('c.relnamespace', 'pg_catalog.pg_class', 'c.oid')}
    order by n.nspname collate "C", c.relname collate "C"`)
  return rows
}

/** The rows of a table as COPY writes them, counted and summed on the way; ask for the digest when the stream is over. */
export function readRows(
  client: ClientBase,
  table: TableToCopy,
  options: { onBytes?: (bytes: number) => void; ending?: string } = {},
): { stream: Readable; digest: () => RowDigest } {
  const digest = createRowDigest()
  const counter = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      digest.take(chunk)
      options.onBytes?.(chunk.length)
      done(null, chunk)
    },
    flush(done) {
      done(null, options.ending)
    },
  })
  const source = client.query(copyTo(`copy ${table.fullName} (${table.columns}) to stdout`))
  source.once('error', (error) => counter.destroy(error))
  counter.once('close', () => source.destroy())
  return { stream: source.pipe(counter), digest: digest.result }
}

/** Reads a whole table only for its digest. */
export async function digestRows(
  client: ClientBase,
  table: TableToCopy,
  onBytes?: (bytes: number) => void,
): Promise<RowDigest> {
  const { stream, digest } = readRows(client, table, onBytes ? { onBytes } : {})
  for await (const _ of stream) continue
  return digest()
}
