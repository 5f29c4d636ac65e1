import path from 'node:path'
import type { Store } from '../../store.ts'
import { backupLayout } from '../backup-folder.ts'
import { findBackup, saveBackup } from '../backup-store.ts'
import { digestFile } from '../file-digest.ts'
import { backupFiles, readManifest } from '../manifest.ts'
import { hasOriginal, originalPath, readOriginals } from '../originals.ts'
import { pace, type Say } from '../progress.ts'
import type { Sent, Target, Transfer } from './target.ts'

const batch = 1_000

/** Brings a backup to a target. Its manifest goes last, so what is listed there is whole. */
export async function sendBackup(
  deps: { store: Store; backupsDir: string },
  id: string,
  target: Target,
  options: { now: Date; signal?: AbortSignal; say?: Say },
): Promise<Sent> {
  const backup = findBackup(deps.store, id)
  if (!backup || (backup.state !== 'ok' && backup.state !== 'verified'))
    throw new Error(`There is no whole backup ${id} to send. ./dam backups lists them.`)
  const root = path.resolve(deps.backupsDir)
  const { files, originals } = await readManifest(backup.folder)
  const progress = pace(
    options.say,
    'copy',
    originals.bytes + Object.values(files).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  )
  const sent: Sent = { files: 0, bytes: 0, alreadyThere: 0 }
  const send = async (transfers: readonly Transfer[]): Promise<void> => {
    const more = await target.send(root, transfers, {
      ...(options.signal ? { signal: options.signal } : {}),
      onBytes: progress,
    })
    sent.files += more.files
    sent.bytes += more.bytes
    sent.alreadyThere += more.alreadyThere
  }
  const folder = backupLayout(root).originals
  let waiting: Transfer[] = []
  for await (const original of readOriginals(path.join(backup.folder, backupFiles.originals))) {
    if (!(await hasOriginal(folder, original))) continue
    waiting.push({ ...original, key: path.relative(root, originalPath(folder, original.sha256)) })
    if (waiting.length === batch) await send(waiting.splice(0))
  }
  if (waiting.length > 0) await send(waiting)
  waiting = Object.entries(files).map(([name, expected]) => ({ key: `${id}/${name}`, ...expected }))
  await send(waiting)
  for (const name of [backupFiles.manifestChecksum, backupFiles.manifest])
    await send([{ key: `${id}/${name}`, ...(await digestFile(path.join(backup.folder, name))) }])
  const copies = [
    ...(backup.facts.copies ?? []).filter((copy) => copy.target !== target.name),
    { target: target.name, at: options.now.toISOString() },
  ]
  saveBackup(deps.store, { ...backup, facts: { ...backup.facts, copies } })
  return sent
}
