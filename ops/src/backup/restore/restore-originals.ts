import path from 'node:path'
import { digestFile } from '../file-digest.ts'
import { isSameFileSystem } from '../disk-room.ts'
import { keepOriginal, originalPath, type Original, syncAll } from '../originals.ts'
import { pace, type Say } from '../progress.ts'

export type RestoredOriginals = { checked: number; broughtBack: number; missing: string[]; damaged: string[] }

/**
 * Sees to it that every original is in the folder of originals with its right bytes; those that are not come back from the backup's. A
 * damaged one is replaced only by a sound one.
 */
export async function restoreOriginals(options: {
  originals: AsyncIterable<Original>
  totalBytes: number
  /** Folder of originals of the backups; null when there is none, as for a bare dump. */
  from: string | null
  to: string
  signal?: AbortSignal
  say?: Say
}): Promise<RestoredOriginals> {
  const { from, to, signal } = options
  const result: RestoredOriginals = { checked: 0, broughtBack: 0, missing: [], damaged: [] }
  const progress = pace(options.say, 'originals', options.totalBytes)
  const unsynced = new Set<string>()
  const canLink = from !== null && (await isSameFileSystem(from, path.dirname(to)))
  for await (const original of options.originals) {
    signal?.throwIfAborted()
    result.checked++
    progress(original.sha256, original.sizeBytes)
    const state = await stateOf(original, to)
    if (state === 'sound') continue
    // A damaged file that is also the backup's (one file, two names) is found out by keepOriginal, which reads what it brings.
    const kept =
      from === null
        ? 'missing'
        : await bringBack(original, from, to, state, { unsynced, link: canLink, ...(signal ? { signal } : {}) })
    if (kept === 'missing' || kept === 'damaged') result[state === 'damaged' ? 'damaged' : kept].push(original.sha256)
    else result.broughtBack++
  }
  await syncAll(unsynced)
  return result
}

async function stateOf(original: Original, folder: string): Promise<'sound' | 'missing' | 'damaged'> {
  try {
    const digest = await digestFile(originalPath(folder, original.sha256))
    return digest.sha256 === original.sha256 && digest.sizeBytes === original.sizeBytes ? 'sound' : 'damaged'
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'missing'
    throw error
  }
}

async function bringBack(
  original: Original,
  from: string,
  to: string,
  state: 'missing' | 'damaged',
  options: Parameters<typeof keepOriginal>[3],
) {
  if (state === 'damaged' && (await stateOf(original, from)) !== 'sound') return 'damaged'
  return keepOriginal(original, { blobs: from }, to, { ...options, isReplacing: state === 'damaged' })
}
