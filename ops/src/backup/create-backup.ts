import { createHash } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { ClientBase } from 'pg'
import type { Environment } from '../environments/environment.ts'
import type { Store } from '../store.ts'
import { backupId, backupLayout, finished, lockBackups, recoverBackups } from './backup-folder.ts'
import type { StoredBackup } from './backup-store.ts'
import { findBackup, latestBackup, saveBackup } from './backup-store.ts'
import { assertRoom, isSameFileSystem } from './disk-room.ts'
import { dumpDatabase } from './dump/dump-database.ts'
import { digestFile, syncFolder, writeDurably } from './file-digest.ts'
import { backupFiles, encodeManifest, type Manifest, manifestChecksum } from './manifest.ts'
import { hasOriginal, keepOriginal, readOriginals, syncAll } from './originals.ts'
import { pace, type Say } from './progress.ts'

export type BackupDeps = {
  store: Store
  /** Where backups go, such as `hostFolders(host).backups`. */
  backupsDir: string
  /** Of the environment's database. */
  connectionString: string
}

export type BackupOptions = {
  environment: Environment
  kind: 'manual' | 'scheduled' | 'deployment'
  now: Date
  /** Tag of the release that runs, or the version of a checkout. */
  release: string
  /** Such as `deployment:12`: retention keeps it. */
  neededBy?: string
  reservePercent?: number
  signal?: AbortSignal
  say?: Say
}

/**
 * Backs up an environment while it is used: the database as it is at one moment, and every original that it knows at that moment. Resolves
 * when all of it is on the disk. Rejects with what to do, leaving a `failed` row and nothing else; killed at any moment it leaves
 * nothing that looks whole.
 */
export async function createBackup(deps: BackupDeps, options: BackupOptions): Promise<StoredBackup> {
  const { store, backupsDir } = deps
  const { environment, now, signal } = options
  using _lock = await lockBackups(backupsDir, signal)
  await recoverBackups(store, backupsDir, now)
  const id = backupId(environment.name, now)
  if (findBackup(store, id)) throw new Error(`There is a backup ${id} already. Wait a second and try again.`)
  const layout = backupLayout(path.resolve(backupsDir))
  const running: StoredBackup = {
    id,
    environment: environment.name,
    state: 'running',
    startedAt: now.toISOString(),
    endedAt: null,
    folder: layout.of(id),
    sizeBytes: 0,
    schemaNumber: 0,
    message: '',
    facts: { kind: options.kind, ...(options.neededBy ? { neededBy: options.neededBy } : {}) },
  }
  saveBackup(store, running)
  const startedAt = performance.now()
  try {
    const manifest = await writeBackup(deps, options, id)
    const done = finished(running, manifest, layout.of(id))
    const manifestSha256 = createHash('sha256').update(encodeManifest(manifest)).digest('hex')
    const saved = { ...done, facts: { ...done.facts, manifestSha256 } }
    saveBackup(store, saved)
    return saved
  } catch (error) {
    await rm(layout.unfinished(id), { recursive: true, force: true })
    const message = signal?.aborted ? 'It was cancelled.' : error instanceof Error ? error.message : String(error)
    saveBackup(store, {
      ...running,
      state: 'failed',
      endedAt: new Date(now.getTime() + performance.now() - startedAt).toISOString(),
      message,
    })
    throw error
  }
}

async function writeBackup(deps: BackupDeps, options: BackupOptions, id: string): Promise<Manifest> {
  const { environment, now, signal } = options
  const layout = backupLayout(path.resolve(deps.backupsDir))
  const folder = layout.unfinished(id)
  const startedAt = performance.now()
  await mkdir(folder, { mode: 0o700 })
  const live = {
    blobs: path.join(environment.dataDir, 'blobs'),
    quarantine: path.join(environment.dataDir, 'quarantine'),
  }
  await mkdir(layout.originals, { recursive: true, mode: 0o700 })
  const canLink = await isSameFileSystem(live.blobs, layout.originals)
  const file = (name: string) => path.join(folder, name)
  const dump = await dumpDatabase({
    connectionString: deps.connectionString,
    file: file(backupFiles.dump),
    now,
    look: async (client) => {
      const found = await lookAround(client, file(backupFiles.originals))
      const dumpBytes = (latestBackup(deps.store, environment.name)?.facts.dumpBytes ?? found.tableBytes) * 1.2
      const copied = canLink ? 0 : await bytesToCopy(file(backupFiles.originals), layout.originals)
      await assertRoom(deps.backupsDir, dumpBytes + copied, { percent: options.reservePercent ?? 5 })
      return found
    },
    ...(signal ? { signal } : {}),
    ...(options.say ? { say: options.say } : {}),
  })
  const { found } = dump
  const copyingFrom = performance.now()
  const progress = pace(options.say, 'originals', found.originalBytes)
  const unsynced = new Set<string>([deps.backupsDir])
  const originals: Manifest['originals'] = {
    count: found.originals,
    bytes: found.originalBytes,
    missing: [],
    damaged: [],
  }
  for await (const original of readOriginals(file(backupFiles.originals))) {
    signal?.throwIfAborted()
    const kept = await keepOriginal(original, live, layout.originals, {
      unsynced,
      link: canLink,
      ...(signal ? { signal } : {}),
    })
    if (kept === 'missing' || kept === 'damaged') originals[kept].push(original.sha256)
    progress(original.sha256, original.sizeBytes)
  }
  await syncAll(unsynced)
  const originalsMs = performance.now() - copyingFrom
  const files: Manifest['files'] = {}
  for (const name of [backupFiles.dump, backupFiles.originals])
    files[name] = await digestFile(file(name), signal ? { signal } : {})
  const allMs = performance.now() - startedAt
  const manifest: Manifest = {
    format: 1,
    id,
    environment: environment.name,
    kind: options.kind,
    release: options.release,
    schemaNumber: found.schemaNumber,
    snapshotAt: dump.snapshotAt,
    startedAt: now.toISOString(),
    endedAt: new Date(now.getTime() + allMs).toISOString(),
    serverVersion: dump.serverVersion,
    databaseBytes: found.databaseBytes,
    tables: dump.tables,
    originals,
    files,
    tookMs: { database: dump.tookMs, originals: originalsMs, all: allMs },
  }
  const text = encodeManifest(manifest)
  await writeDurably(file(backupFiles.manifest), text)
  await writeDurably(file(backupFiles.manifestChecksum), manifestChecksum(text))
  await syncFolder(folder)
  await rename(folder, layout.of(id))
  await syncFolder(path.dirname(folder))
  return manifest
}

type Surroundings = {
  schemaNumber: number
  databaseBytes: number
  tableBytes: number
  originals: number
  originalBytes: number
}

/** In the snapshot of the dump: sizes, the schema, and the list of originals, which goes to `file`. */
async function lookAround(client: ClientBase, file: string): Promise<Surroundings> {
  const sizes = await client.query<{ database: number; tables: number; ledger: boolean; blobs: boolean }>(`
    select pg_catalog.pg_database_size(current_database())::float8 as database,
           (select coalesce(sum(pg_catalog.pg_table_size(oid)), 0)::float8 from pg_catalog.pg_class where relkind = 'r' and oid >= 16384) as tables,
           to_regclass('public.schema_migration') is not null as ledger, to_regclass('public.blob') is not null as blobs`)
  const { database = 0, tables = 0, ledger = false, blobs = false } = sizes.rows[0] ?? {}
  const schema = ledger
    ? await client.query<{ number: number }>(
        `select coalesce(max(number), 0) as number from public.schema_migration where app = 'backend'`,
      )
    : null
  await using handle = await open(file, 'wx', 0o600)
  let [originals, originalBytes] = [0, 0]
  if (blobs) {
    await client.query(
      `declare originals no scroll cursor for select sha256, size_bytes::float8 as "sizeBytes" from public.blob order by sha256`,
    )
    for (;;) {
      const { rows } = await client.query<{ sha256: string; sizeBytes: number }>('fetch 5000 from originals')
      if (rows.length === 0) break
      await handle.writeFile(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
      originals += rows.length
      originalBytes += rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    }
    await client.query('close originals')
  }
  await handle.sync()
  return {
    schemaNumber: schema?.rows[0]?.number ?? 0,
    databaseBytes: database,
    tableBytes: tables,
    originals,
    originalBytes,
  }
}

async function bytesToCopy(list: string, originals: string): Promise<number> {
  let bytes = 0
  for await (const original of readOriginals(list))
    if (!(await hasOriginal(originals, original))) bytes += original.sizeBytes
  return bytes
}
