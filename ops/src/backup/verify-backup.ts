import type { Store } from '../store.ts'
import { findBackup, saveBackup, type StoredBackup } from './backup-store.ts'
import { backupLayout } from './backup-folder.ts'
import { digestFile } from './file-digest.ts'
import { backupFiles, type Manifest, readManifest } from './manifest.ts'
import { originalPath, readOriginals } from './originals.ts'
import { pace, type Say } from './progress.ts'
import path from 'node:path'

export type Verification = { manifest: Manifest | null; faults: string[] }

/** Reads every byte of a backup, with the originals it refers to unless told otherwise, and says what is not as it was written. */
export async function examineBackup(
  folder: string,
  options: { originals: string | null; signal?: AbortSignal; say?: Say },
): Promise<Verification> {
  const { signal, say } = options
  const faults: string[] = []
  let manifest: Manifest
  try {
    manifest = await readManifest(folder)
  } catch (error) {
    return { manifest: null, faults: [error instanceof Error ? error.message : String(error)] }
  }
  const bytes = Object.values(manifest.files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const progress = pace(say, 'verify', bytes + (options.originals === null ? 0 : manifest.originals.bytes))
  const check = async (name: string, file: string, expected: { sha256: string; sizeBytes: number }): Promise<void> => {
    try {
      const found = await digestFile(file, { ...(signal ? { signal } : {}), onBytes: (count) => progress(name, count) })
      if (found.sizeBytes !== expected.sizeBytes)
        faults.push(`${name} has ${found.sizeBytes} bytes instead of ${expected.sizeBytes}`)
      else if (found.sha256 !== expected.sha256) faults.push(`${name} has another checksum than when it was written`)
    } catch (error) {
      signal?.throwIfAborted()
      faults.push(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  for (const [name, expected] of Object.entries(manifest.files)) await check(name, path.join(folder, name), expected)
  if (options.originals === null || faults.length > 0) return { manifest, faults }
  const lost = new Set([...manifest.originals.missing, ...manifest.originals.damaged])
  for await (const original of readOriginals(path.join(folder, backupFiles.originals)))
    if (!lost.has(original.sha256))
      await check(`original ${original.sha256}`, originalPath(options.originals, original.sha256), original)
  return { manifest, faults }
}

/** Examines a backup and remembers the outcome: `verified`, or `corrupt` with what is wrong. */
export async function verifyBackup(
  deps: { store: Store; backupsDir: string },
  id: string,
  options: { now: Date; signal?: AbortSignal; say?: Say },
): Promise<StoredBackup> {
  const backup = findBackup(deps.store, id)
  if (!backup || backup.state === 'deleted') throw new Error(`There is no backup ${id}. ./dam backups lists them.`)
  if (backup.state === 'running' || backup.state === 'failed')
    throw new Error(`Backup ${id} is ${backup.state}; there is nothing to verify.`)
  const { signal, say } = options
  const { faults } = await examineBackup(backup.folder, {
    originals: backupLayout(deps.backupsDir).originals,
    ...(signal ? { signal } : {}),
    ...(say ? { say } : {}),
  })
  const verified: StoredBackup =
    faults.length === 0
      ? {
          ...backup,
          state: 'verified',
          facts: { ...backup.facts, verifiedAt: options.now.toISOString(), verifiedBy: 'reading' },
        }
      : { ...backup, state: 'corrupt', message: summary(faults) }
  saveBackup(deps.store, verified)
  return verified
}

const summary = (faults: readonly string[]): string =>
  `${faults.slice(0, 5).join('; ')}${faults.length > 5 ? ` and ${faults.length - 5} more` : ''}.`
