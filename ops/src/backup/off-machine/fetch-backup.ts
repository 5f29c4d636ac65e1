import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Store } from '../../store.ts'
import { backupLayout, finished, isBackupId, lockBackups } from '../backup-folder.ts'
import { saveBackup, type StoredBackup } from '../backup-store.ts'
import { syncFolder } from '../file-digest.ts'
import { backupFiles, readManifest } from '../manifest.ts'
import { hasOriginal, keepOriginal, type Original, originalPath, readOriginals, syncAll } from '../originals.ts'
import { pace, type Say } from '../progress.ts'
import { examineBackup } from '../verify-backup.ts'
import type { Target } from './target.ts'

const batch = 500

/** Brings a backup from a target to this host, which may be empty. Every byte is compared before it counts; what is here already is not fetched. */
export async function fetchBackup(
  deps: { store: Store; backupsDir: string },
  id: string,
  target: Target,
  options: { signal?: AbortSignal; say?: Say },
): Promise<StoredBackup> {
  if (!isBackupId(id))
    throw new Error(`"${id}" is no backup. ./dam backups list --from ${target.name} shows what is there.`)
  const { signal, say } = options
  const more = signal ? { signal } : {}
  const root = path.resolve(deps.backupsDir)
  const layout = backupLayout(root)
  using _lock = await lockBackups(root, signal)
  if (existsSync(layout.of(id))) throw new Error(`Backup ${id} is here already: ./dam backups verify ${id}`)
  const arriving = layout.unfinished(id)
  await rm(arriving, { recursive: true, force: true })
  await mkdir(arriving, { mode: 0o700 })
  try {
    const keysOf = (names: readonly string[]) => names.map((name) => `${id}/${name}`)
    await target.fetch(arriving, keysOf([backupFiles.manifest, backupFiles.manifestChecksum]), more)
    const folder = path.join(arriving, id)
    const manifest = await readManifest(folder)
    const progress = pace(
      say,
      'copy',
      manifest.originals.bytes + Object.values(manifest.files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    )
    await target.fetch(arriving, keysOf(Object.keys(manifest.files)), { ...more, onBytes: progress })
    const { faults } = await examineBackup(folder, { originals: null, ...more })
    if (faults.length > 0)
      throw new Error(`What ${target.name} gave is not the backup that was sent: ${faults.join('; ')}.`)

    const lost = new Set([...manifest.originals.missing, ...manifest.originals.damaged])
    const fetched = async (originals: readonly Original[]): Promise<void> => {
      const unsynced = new Set<string>()
      await target.fetch(
        arriving,
        originals.map(({ sha256 }) => path.relative(root, originalPath(layout.originals, sha256))),
        { ...more, onBytes: progress },
      )
      for (const original of originals) {
        const kept = await keepOriginal(original, { blobs: path.join(arriving, 'blobs') }, layout.originals, {
          unsynced,
          link: true,
          ...more,
        })
        if (kept === 'missing' || kept === 'damaged')
          throw new Error(`Original ${original.sha256} is ${kept} at ${target.name}.`)
      }
      await syncAll(unsynced)
      await rm(path.join(arriving, 'blobs'), { recursive: true, force: true })
    }
    let waiting: Original[] = []
    for await (const original of readOriginals(path.join(folder, backupFiles.originals))) {
      if (lost.has(original.sha256) || (await hasOriginal(layout.originals, original))) continue
      waiting.push(original)
      if (waiting.length === batch) await fetched(waiting.splice(0))
    }
    if (waiting.length > 0) await fetched(waiting)
    await syncFolder(folder)
    await rename(folder, layout.of(id))
    await syncFolder(root)
    const backup = finished(
      { id, environment: manifest.environment, startedAt: manifest.startedAt },
      manifest,
      layout.of(id),
    )
    saveBackup(deps.store, backup)
    return backup
  } finally {
    await rm(arriving, { recursive: true, force: true })
  }
}
