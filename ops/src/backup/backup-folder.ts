import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ExclusiveLock, LockHeldError, takeExclusiveLock } from '@dam/platform/exclusive-lock'
import type { Store } from '../store.ts'
import { listBackups, saveBackup, type StoredBackup } from './backup-store.ts'
import { backupFiles, type Manifest, readManifest } from './manifest.ts'

/** Everything below the folder of backups: one folder for each, and the originals that they share. */
export const backupLayout = (backupsDir: string) => ({
  lock: path.join(backupsDir, 'lock'),
  originals: path.join(backupsDir, 'blobs'),
  of: (id: string) => path.join(backupsDir, id),
  /** Under this name until it is whole and on the disk. */
  unfinished: (id: string) => path.join(backupsDir, `.${id}.unfinished`),
})

/** Such as `20250127T100000Z-production`. */
export const backupId = (environment: string, now: Date): string => `${compactTime(now)}-${environment}`

export const compactTime = (now: Date): string => now.toISOString().replaceAll(/[-:]|\.\d+/g, '')

const pattern = /^\d{8}T\d{6}Z-[a-z0-9][a-z0-9-]{0,40}$/
/** Nothing else is ever made into a path. */
export const isBackupId = (text: string): boolean => pattern.test(text)

/** One at a time writes into a folder of backups; another one waits. */
export async function lockBackups(backupsDir: string, signal?: AbortSignal): Promise<ExclusiveLock & Disposable> {
  mkdirSync(backupsDir, { recursive: true, mode: 0o700 })
  for (;;) {
    signal?.throwIfAborted()
    try {
      const lock = takeExclusiveLock(backupLayout(backupsDir).lock, {})
      return { release: () => lock.release(), [Symbol.dispose]: () => lock.release() }
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error
      await sleep(500, undefined, signal ? { signal } : {})
    }
  }
}

/**
 * Tidies up after backups whose process was killed; call it with the lock held, when nothing can be running. What got its name is whole
 * and becomes `ok`; everything else is removed and `failed`.
 */
export async function recoverBackups(store: Store, backupsDir: string, now: Date): Promise<void> {
  const layout = backupLayout(backupsDir)
  for (const name of readdirSync(backupsDir))
    if (name.startsWith('.') && name.endsWith('.unfinished'))
      rmSync(path.join(backupsDir, name), { recursive: true, force: true })
  for (const backup of listBackups(store)) {
    if (backup.state !== 'running' || path.dirname(backup.folder) !== path.resolve(backupsDir)) continue
    const manifest = existsSync(path.join(layout.of(backup.id), backupFiles.manifest))
      ? await readManifest(backup.folder)
      : null
    if (manifest) saveBackup(store, finished(backup, manifest, backup.folder))
    else
      saveBackup(store, {
        ...backup,
        state: 'failed',
        endedAt: now.toISOString(),
        message: 'It was interrupted before it was whole; nothing of it is left.',
      })
  }
}

/** The row of a backup that is whole, from what it says about itself. */
export function finished(
  backup: Pick<StoredBackup, 'id' | 'environment' | 'startedAt'> & { facts?: StoredBackup['facts'] },
  manifest: Manifest,
  folder: string,
): StoredBackup {
  const { originals, tables, files } = manifest
  const lost = originals.missing.length + originals.damaged.length
  return {
    id: backup.id,
    environment: backup.environment,
    state: 'ok',
    startedAt: backup.startedAt,
    endedAt: manifest.endedAt,
    folder,
    sizeBytes: Object.values(files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    schemaNumber: manifest.schemaNumber,
    message:
      lost > 0
        ? `${lost} of ${originals.count} originals were missing or damaged in the live store already; ./dam fsck names them.`
        : '',
    facts: {
      ...backup.facts,
      kind: manifest.kind,
      release: manifest.release,
      snapshotAt: manifest.snapshotAt,
      databaseBytes: manifest.databaseBytes,
      dumpBytes: files[backupFiles.dump]?.sizeBytes ?? 0,
      rows: tables.reduce((sum, { rows }) => sum + rows, 0),
      originals: originals.count,
      originalBytes: originals.bytes,
      missing: lost,
      tookMs: manifest.tookMs.all,
    },
  }
}
