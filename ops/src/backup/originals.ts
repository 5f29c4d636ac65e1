import { constants } from 'node:fs'
import { copyFile, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { digestFile, syncFolder } from './file-digest.ts'

export type Original = { sha256: string; sizeBytes: number }

/** Where an original lies below a folder of originals: DAM's own and that of the backups. */
export const originalPath = (folder: string, sha256: string): string =>
  path.join(folder, sha256.slice(0, 2), sha256.slice(2, 4), sha256)

/** The list of a backup, line by line. */
export async function* readOriginals(file: string): AsyncGenerator<Original> {
  await using handle = await open(file, 'r')
  for await (const line of createInterface({ input: handle.createReadStream({ autoClose: false }) }))
    if (line !== '') yield JSON.parse(line) as Original
}

export const hasOriginal = (folder: string, { sha256, sizeBytes }: Original): Promise<boolean> =>
  stat(originalPath(folder, sha256)).then(
    ({ size }) => size === sizeBytes,
    () => false,
  )

export type Kept = 'kept-before' | 'linked' | 'copied' | 'missing' | 'damaged'

/** Folders whose new entries are not on the disk yet. */
export type Unsynced = Set<string>

/**
 * Gives an original a place in another folder of originals: as a hard link, as a clone where the file system has them, or as a copy. It
 * gets its final name when its bytes were read and are right. Call `syncFolder` for everything put into `unsynced` before you rely on it.
 */
export async function keepOriginal(
  original: Original,
  from: { blobs: string; quarantine?: string },
  to: string,
  options: { unsynced: Unsynced; link: boolean; isReplacing?: boolean; signal?: AbortSignal },
): Promise<Kept> {
  if (!options.isReplacing && (await hasOriginal(to, original))) return 'kept-before'
  const target = originalPath(to, original.sha256)
  const leaf = path.dirname(target)
  await mkdir(leaf, { recursive: true, mode: 0o700 })
  const temporary = path.join(leaf, `.${original.sha256}.${process.pid}`)
  await rm(temporary, { force: true })
  try {
    const how = await bring(original, from, temporary, options.link)
    if (how === 'missing') return how
    const digest = await digestFile(temporary, options.signal ? { signal: options.signal } : {})
    if (digest.sha256 !== original.sha256 || digest.sizeBytes !== original.sizeBytes) return 'damaged'
    if (how === 'copied') {
      await using handle = await open(temporary, 'r')
      await handle.sync()
    }
    await rename(temporary, target)
    for (const folder of [leaf, path.dirname(leaf), to]) options.unsynced.add(folder)
    return how
  } finally {
    await rm(temporary, { force: true })
  }
}

export async function syncAll(unsynced: Unsynced): Promise<void> {
  for (const folder of unsynced) await syncFolder(folder)
  unsynced.clear()
}

/**
 * The live store takes an original that lost its last asset to quarantine and keeps it there for 30 days, so one that a snapshot knows is
 * in one of the two places; it may move while we look.
 */
async function bring(
  original: Original,
  from: { blobs: string; quarantine?: string },
  target: string,
  mayLink: boolean,
): Promise<'linked' | 'copied' | 'missing'> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const inQuarantine =
      from.quarantine === undefined ? [] : await findInQuarantine(from.quarantine, original.sha256, attempt)
    for (const source of [originalPath(from.blobs, original.sha256), ...inQuarantine]) {
      try {
        return await linkOrCopy(source, target, mayLink)
      } catch (error) {
        if (errno(error) !== 'ENOENT') throw error
      }
    }
  }
  return 'missing'
}

async function linkOrCopy(source: string, target: string, mayLink: boolean): Promise<'linked' | 'copied'> {
  if (mayLink) {
    try {
      await link(source, target)
      return 'linked'
    } catch (error) {
      if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP'].includes(errno(error))) throw error
    }
  }
  await copyFile(source, target, constants.COPYFILE_FICLONE)
  return 'copied'
}

/** Reading the folder costs; the first look is at the usual place only. */
async function findInQuarantine(folder: string, sha256: string, attempt: number): Promise<string[]> {
  if (attempt === 0) return []
  const names = await readdir(folder).catch((): string[] => [])
  return names.filter((name) => name.startsWith(`${sha256}.`)).map((name) => path.join(folder, name))
}

const errno = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')
