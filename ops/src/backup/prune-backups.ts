import { existsSync, readdirSync } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Store } from '../store.ts'
import { backupLayout, isBackupId, lockBackups, recoverBackups } from './backup-folder.ts'
import { listBackups, saveBackup, type StoredBackup } from './backup-store.ts'
import { syncFolder } from './file-digest.ts'
import { backupFiles } from './manifest.ts'
import { readOriginals } from './originals.ts'
import { expiredBackups, type Retention, usualRetention } from './retention.ts'

export type Pruned = { deleted: string[]; originalsRemoved: number; bytesFreed: number }

/** Deletes the backups that retention lets go, and then the originals that no backup refers to any more. */
export async function pruneBackups(
  deps: { store: Store; backupsDir: string },
  options: { now: Date; retention?: Retention; signal?: AbortSignal },
): Promise<Pruned> {
  const { store } = deps
  const backupsDir = path.resolve(deps.backupsDir)
  using _lock = await lockBackups(backupsDir, options.signal)
  await recoverBackups(store, backupsDir, options.now)
  const layout = backupLayout(backupsDir)
  const backups = listBackups(store).filter(({ folder }) => path.dirname(folder) === backupsDir)
  const deleted: string[] = []
  for (const environment of new Set(backups.map((backup) => backup.environment))) {
    const own = backups.filter((backup) => backup.environment === environment)
    const isNeeded = (backup: StoredBackup) => isReferred(store, backup)
    deleted.push(...expiredBackups(own, { now: options.now, retention: options.retention ?? usualRetention, isNeeded }))
  }
  for (const id of deleted) {
    const backup = backups.find((candidate) => candidate.id === id)
    if (!backup) continue
    // The row first: a folder without a row is litter, a row without a folder would be a promise.
    saveBackup(store, { ...backup, state: 'deleted' })
    const doomed = layout.unfinished(id)
    if (existsSync(backup.folder)) {
      await rename(backup.folder, doomed)
      await syncFolder(backupsDir)
      await rm(doomed, { recursive: true, force: true })
    }
  }
  return { deleted, ...(await removeUnreferred(backupsDir)) }
}

/** Whether a deployment that has not ended, or one of the last five of its environment, knows this backup: a rollback may want it. */
const isReferred = (store: Store, { id, environment }: StoredBackup): boolean =>
  store.row<{ found: number }>(
    `select 1 as found from deployment where instr(data, ?) > 0
       and (ended_at is null or id in (select id from deployment where environment = ? order by id desc limit 5))`,
    id,
    environment,
  ) !== undefined

/** Call it with the lock held: a backup under way refers to originals before anybody can see it. */
async function removeUnreferred(backupsDir: string): Promise<Omit<Pruned, 'deleted'>> {
  const layout = backupLayout(backupsDir)
  const referred = new Set<string>()
  for (const name of readdirSync(backupsDir)) {
    if (!isBackupId(name)) continue
    // A folder without its list could refer to anything: then nothing is removed.
    const list = path.join(layout.of(name), backupFiles.originals)
    if (!existsSync(list)) return { originalsRemoved: 0, bytesFreed: 0 }
    for await (const { sha256 } of readOriginals(list)) referred.add(sha256)
  }
  let [originalsRemoved, bytesFreed] = [0, 0]
  for (const file of await filesBelow(layout.originals)) {
    if (referred.has(path.basename(file))) continue
    const { size, nlink } = await stat(file)
    await rm(file, { force: true })
    originalsRemoved++
    if (nlink === 1) bytesFreed += size
  }
  return { originalsRemoved, bytesFreed }
}

const filesBelow = async (folder: string): Promise<string[]> =>
  existsSync(folder)
    ? (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name))
    : []
