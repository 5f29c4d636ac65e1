import { pipeline } from 'node:stream/promises'
import { Transform } from 'node:stream'
import { from as copyFrom } from 'pg-copy-streams'
import { connect } from '../connect.ts'
import { pace, type Say } from '../progress.ts'
import { ArchiveReader } from './archive-reader.ts'
import type { TocEntry } from './toc.ts'

/** Who owns what and who may do what is the server's: everything belongs to the user who restores. */
const leftOut = new Set(['DATABASE', 'DATABASE PROPERTIES', 'ACL', 'DEFAULT ACL', 'SECURITY LABEL'])

/** The archive has something that only PostgreSQL's own `pg_restore` restores. */
export class NeedsPgRestoreError extends Error {
  override readonly name = 'NeedsPgRestoreError'
}

/** Throws NeedsPgRestoreError when `restoreArchive` cannot restore an archive with these entries. */
export function assertRestorable(entries: readonly TocEntry[]): void {
  for (const { kind, copy, hasData, tag } of entries) {
    if (kind.startsWith('BLOB')) throw new NeedsPgRestoreError('The dump has large objects.')
    if (hasData && copy === '')
      throw new NeedsPgRestoreError(`The rows of ${tag} are INSERT statements (pg_dump --inserts).`)
  }
}

/**
 * Restores a dump into an empty database without any of PostgreSQL's client programs: schema, rows, sequences, then indexes, constraints
 * and triggers, in the order of its table of contents. Rejects with the entry that failed; the database is then half made.
 */
export async function restoreArchive(options: {
  connectionString: string
  file: string
  signal?: AbortSignal
  say?: Say
}): Promise<void> {
  const { signal } = options
  await using archive = await ArchiveReader.open(options.file)
  assertRestorable(archive.entries)
  await using client = await connect(options.connectionString, 'restore')
  // Nobody uses this database yet: one wait for the disk at the end instead of one for each statement.
  await client.query(`
    set statement_timeout to 0; set lock_timeout to 0; set idle_in_transaction_session_timeout to 0; set client_encoding to utf8;
    set check_function_bodies to off; set client_min_messages to warning; set row_security to off; set xmloption to content;
    set synchronous_commit to off; set maintenance_work_mem to '256MB'`)
  const progress = pace(options.say, 'database', sizeOfData(archive))
  for (const entry of archive.entries) {
    signal?.throwIfAborted()
    if (leftOut.has(entry.kind)) continue
    try {
      if (entry.create !== '') await client.query(entry.create)
      if (entry.hasData) {
        const meter = new Transform({
          transform: (chunk: Buffer, _encoding, done) => {
            progress(`${entry.schema}.${entry.tag}`, chunk.length)
            done(null, chunk)
          },
        })
        await pipeline(await archive.data(entry), meter, client.query(copyFrom(entry.copy)), signal ? { signal } : {})
      }
    } catch (error) {
      throw new Error(
        `${entry.kind} ${entry.schema ? `${entry.schema}.` : ''}${entry.tag} could not be restored: ${error instanceof Error ? error.message : String(error)}${entry.kind === 'EXTENSION' ? `. An administrator of the server runs in template1: create extension ${entry.tag};` : ''}`,
        { cause: error },
      )
    }
  }
  // Durable from here on, with everything before it; and the planner knows the tables.
  await client.query('set synchronous_commit to on')
  await client.query('analyze')
}

/** Packed bytes stand in for unpacked ones that nobody counted; about five to one. */
const sizeOfData = (archive: ArchiveReader): number => {
  const offsets = archive.entries.flatMap(({ offset }) => offset ?? [])
  return offsets.length === 0 ? 0 : (archive.sizeBytes - Math.min(...offsets)) * 5
}
