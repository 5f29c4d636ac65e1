import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { isBackupId } from '../backup-folder.ts'
import { digestFile, syncFolder } from '../file-digest.ts'
import { backupFiles } from '../manifest.ts'
import type { Sent, Target } from './target.ts'

/** Another disk or a mounted share. A folder that is not there is an error: it is probably not mounted. */
export function folderTarget(folder: string): Target {
  const place = async (source: string, target: string, expected?: { sha256: string }): Promise<void> => {
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 })
    const temporary = `${target}.partial`
    await rm(temporary, { force: true })
    await copyFile(source, temporary)
    await using handle = await open(temporary, 'r')
    await handle.sync()
    if (expected && (await digestFile(temporary)).sha256 !== expected.sha256)
      throw new Error(`${target} is not what was sent: the disk or the share gave back other bytes.`)
    await rename(temporary, target)
    await syncFolder(path.dirname(target))
  }
  const demandFolder = async (): Promise<void> => {
    if (
      !(await stat(folder).then(
        (found) => found.isDirectory(),
        () => false,
      ))
    )
      throw new Error(`${folder} is not there. Mount it, or create it the first time.`)
  }
  return {
    name: folder,
    send: async (root, transfers, { signal, onBytes }) => {
      await demandFolder()
      const sent: Sent = { files: 0, bytes: 0, alreadyThere: 0 }
      for (const { key, sha256, sizeBytes } of transfers) {
        signal?.throwIfAborted()
        const target = path.join(folder, key)
        const there = await stat(target).catch(() => null)
        if (there?.size === sizeBytes && (await digestFile(target)).sha256 === sha256) sent.alreadyThere++
        else {
          await place(path.join(root, key), target, { sha256 })
          sent.files++
          sent.bytes += sizeBytes
        }
        onBytes?.(key, sizeBytes)
      }
      return sent
    },
    fetch: async (root, keys, { signal, onBytes }) => {
      await demandFolder()
      for (const key of keys) {
        signal?.throwIfAborted()
        const target = path.join(root, key)
        await place(path.join(folder, key), target)
        onBytes?.(key, (await stat(target)).size)
      }
    },
    list: async () => {
      await demandFolder()
      const names = (await readdir(folder)).filter(isBackupId)
      const whole = await Promise.all(
        names.map((name) => stat(path.join(folder, name, backupFiles.manifest)).catch(() => null)),
      )
      return names.filter((_, index) => whole[index] !== null).toSorted()
    },
  }
}
