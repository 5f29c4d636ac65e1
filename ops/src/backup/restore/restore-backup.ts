import { existsSync } from 'node:fs'
import path from 'node:path'
import { type Migration, planMigration } from '@dam/platform/migrate'
import type { Environment } from '../../environments/environment.ts'
import { backupLayout, compactTime } from '../backup-folder.ts'
import { connect, onDatabase } from '../connect.ts'
import { backupFiles, type Manifest } from '../manifest.ts'
import { type Original, readOriginals } from '../originals.ts'
import type { Say } from '../progress.ts'
import { examineBackup } from '../verify-backup.ts'
import { compareRows, type TableComparison } from './compare-rows.ts'
import { restoreDump } from './restore-dump.ts'
import { type RestoredOriginals, restoreOriginals } from './restore-originals.ts'
import { createSideDatabase, dropDatabase } from './side-database.ts'

/** A backup of ours, or a bare dump that anybody made. */
export type RestoreSource = { kind: 'backup'; folder: string } | { kind: 'file'; file: string }

export type RestoreReport = {
  /** Name of the database it is in. */
  database: string
  connectionString: string
  restoredWith: 'here' | 'pg_restore'
  /** Null for a bare dump: nobody wrote down what should be in it. */
  manifest: Manifest | null
  tables: TableComparison[]
  originals: RestoredOriginals
  /** Migrations this release would apply to it. */
  migrationsMissing: string[]
  tookMs: { examine: number; restore: number; compare: number; originals: number }
}

/**
 * Restores into a database beside the live one, which nobody notices, and proves that it is what was backed up: checksums of the files
 * before, every row after, and every original, bringing back those that are gone. On any fault the side database is dropped and it
 * rejects with what is wrong. Nothing is swapped here.
 */
export async function restoreBackup(options: {
  environment: Environment
  connectionString: string
  backupsDir: string
  source: RestoreSource
  /** Name for the database; by default `dam_restore_<time>`. */
  into?: string
  /** Of the release that shall run on it. */
  migrations: readonly Migration[]
  searchPath: string
  now: Date
  /** False leaves the folder of originals alone. */
  withOriginals?: boolean
  signal?: AbortSignal
  say?: Say
}): Promise<RestoreReport> {
  const { environment, source, signal, say } = options
  const more = { ...(signal ? { signal } : {}), ...(say ? { say } : {}) }
  const watch = stopwatch()
  const manifest = source.kind === 'backup' ? await examine(source.folder, more) : null
  const examineMs = watch()
  const file = source.kind === 'backup' ? path.join(source.folder, backupFiles.dump) : source.file
  if (!existsSync(file)) throw new Error(`There is no file ${file}.`)
  const database = options.into ?? `dam_restore_${compactTime(options.now)}`
  const connectionString = await createSideDatabase(options.connectionString, database)
  try {
    const restoredWith = await restoreDump({ connectionString, file, searchPath: options.searchPath, ...more })
    const restoreMs = watch()
    const tables = manifest ? await compareRows(connectionString, manifest.tables, more) : []
    const unequal = tables.filter(({ isEqual }) => !isEqual)
    if (unequal.length > 0)
      throw new Error(
        `The restored rows are not the ones that were backed up: ${unequal.map(({ table, rows, expectedRows }) => `${table} has ${rows} rows, ${expectedRows} were written`).join('; ')}.`,
      )
    const plan = await planMigration({ connectionString, app: 'backend', migrations: options.migrations })
    const compareMs = watch()
    const originals =
      options.withOriginals === false
        ? nothingRestored
        : await restoreOriginals({
            originals:
              source.kind === 'backup'
                ? readOriginals(path.join(source.folder, backupFiles.originals))
                : originalsIn(connectionString),
            totalBytes: manifest?.originals.bytes ?? 0,
            from:
              source.kind === 'backup'
                ? backupLayout(path.dirname(source.folder)).originals
                : existing(backupLayout(options.backupsDir).originals),
            to: path.join(environment.dataDir, 'blobs'),
            ...more,
          })
    return {
      database,
      connectionString,
      restoredWith,
      manifest,
      tables,
      originals,
      migrationsMissing: plan.map(({ number, name }) => `${String(number).padStart(4, '0')}-${name}`),
      tookMs: { examine: examineMs, restore: restoreMs, compare: compareMs, originals: watch() },
    }
  } catch (error) {
    await dropDatabase(options.connectionString, database).catch(() => undefined)
    throw error
  }
}

async function examine(folder: string, more: { signal?: AbortSignal; say?: Say }): Promise<Manifest> {
  const { manifest, faults } = await examineBackup(folder, { originals: null, ...more })
  if (!manifest || faults.length > 0)
    throw new Error(
      `The backup is not as it was written: ${faults.join('; ')}. Take another one: ./dam backups lists them.`,
    )
  return manifest
}

async function* originalsIn(connectionString: string): AsyncGenerator<Original> {
  await using client = await connect(
    onDatabase(connectionString, new URL(connectionString).pathname.slice(1)),
    'restore',
  )
  const known = await client.query<{ known: boolean }>(`select to_regclass('public.blob') is not null as known`)
  if (!known.rows[0]?.known) return
  const { rows } = await client.query<Original>(
    `select sha256, size_bytes::float8 as "sizeBytes" from public.blob order by sha256`,
  )
  yield* rows
}

const nothingRestored: RestoredOriginals = { checked: 0, broughtBack: 0, missing: [], damaged: [] }

const existing = (folder: string): string | null => (existsSync(folder) ? folder : null)

/** Milliseconds since it was asked last. */
function stopwatch(): () => number {
  let at = performance.now()
  return () => {
    const before = at
    at = performance.now()
    return at - before
  }
}
