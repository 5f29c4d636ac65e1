import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Exported } from './exporter.ts'

/** Writes the files below `folder`, which is made when it is missing; gives their paths. */
export const writeExport = (folder: string, { files }: Exported): string[] =>
  files.map(({ path: name, text }) => {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
    return file
  })
