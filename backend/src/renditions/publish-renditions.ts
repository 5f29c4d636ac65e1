import { mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { RenderedFile } from '../ingest/types.ts'
import { renditionFile, renditionVersion } from './presets.ts'
import type { Rendition } from './rendition-store.ts'

/** Moves finished files to where they are served from. Readers see the old file or the new one, never half of one. Not synced to disk: they can be made again. */
export async function publishRenditions(input: {
  renditionsFolder: string
  sha256: string
  files: readonly RenderedFile[]
}): Promise<Rendition[]> {
  const renditions: Rendition[] = []
  for (const { path, extension, ...facts } of input.files) {
    const file = renditionFile(input.sha256, facts.preset, extension)
    const destination = join(input.renditionsFolder, file)
    await mkdir(dirname(destination), { recursive: true })
    await rename(path, destination)
    renditions.push({ ...facts, sha256: input.sha256, version: renditionVersion, file })
  }
  return renditions
}
