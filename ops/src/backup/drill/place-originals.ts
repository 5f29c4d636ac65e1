import { link, mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { isSameFileSystem } from '../disk-room.ts'
import { digestFile } from '../file-digest.ts'
import { hasOriginal, type Original, originalPath, readOriginals } from '../originals.ts'

export type PlacedOriginals = { known: number; sampled: number; missing: number; damaged: number }

/**
 * Gives a scratch folder of originals those of a backup, as second names of the same files, and reads a sample: all up to `sample`, else so
 * many by chance. Throws where the file system cannot do that, because copies of everything would be no drill but a move.
 */
export async function placeOriginals(options: {
  list: string
  from: string
  to: string
  sample: number
  expectedMissing: ReadonlySet<string>
  signal?: AbortSignal
}): Promise<PlacedOriginals> {
  const { from, to, sample } = options
  await mkdir(to, { recursive: true, mode: 0o700 })
  await writeFile(path.join(to, '.dam-blobs'), '')
  const placed: PlacedOriginals = { known: 0, sampled: 0, missing: 0, damaged: 0 }
  const chosen: Original[] = []
  const canLink = await isSameFileSystem(from, to)
  for await (const original of readOriginals(options.list)) {
    options.signal?.throwIfAborted()
    placed.known++
    if (options.expectedMissing.has(original.sha256)) continue
    if (!canLink)
      throw new Error(
        `The drill's scratch folder ${to} is on another file system than the backups; name one beside them.`,
      )
    if (!(await hasOriginal(from, original))) {
      placed.missing++
      continue
    }
    const target = originalPath(to, original.sha256)
    await mkdir(path.dirname(target), { recursive: true })
    await link(originalPath(from, original.sha256), target)
    // Each of the originals so far is in the sample with the same chance.
    if (chosen.length < sample) chosen.push(original)
    else {
      const at = Math.floor(Math.random() * placed.known)
      if (at < sample) chosen[at] = original
    }
  }
  for (const original of chosen) {
    options.signal?.throwIfAborted()
    const digest = await digestFile(originalPath(from, original.sha256))
    placed.sampled++
    if (digest.sha256 !== original.sha256) placed.damaged++
  }
  return placed
}
