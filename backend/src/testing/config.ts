import path from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** Folder of the developers' corpus; tests go on without it when it is not there. */
export const corpusFolder = path.resolve(repository, process.env['DAM_CORPUS'] ?? '../shared/corpus')

/** Where programs are looked for. */
export const searchPath = process.env['DAM_TEST_TOOLS_PATH'] ?? process.env['PATH'] ?? '/usr/bin:/bin'
