import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** The checkout that is tested. */
export const root = path.resolve(import.meta.dirname, '../..')

const corpus = path.resolve(root, process.env['DAM_CORPUS'] ?? '../shared/corpus')

/** Folder of real files, or null where this machine has none. */
export const corpusFolder: string | null = existsSync(path.join(corpus, 'MANIFEST.tsv')) ? corpus : null

/** Where the products under test keep their data; each gets a folder of its own that is deleted afterwards. */
export const scratch = path.join(process.env['DAM_E2E_SCRATCH'] ?? tmpdir(), 'dam-e2e')

/** First port that is tried; each worker looks in a range of its own above it. */
export const firstPort = Number(process.env['DAM_E2E_PORT'] ?? 18_600)

const installed = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The Chromium of the system; nothing is downloaded. */
export function chromiumProgram(): string {
  const chosen = process.env['DAM_CHROMIUM']
  if (chosen) {
    if (existsSync(chosen)) return chosen
    throw new Error(`DAM_CHROMIUM names ${chosen}, and there is no such file.`)
  }
  const found = installed.find((program) => existsSync(program))
  if (found) return found
  throw new Error(
    'The browser journeys need Chromium: apt-get install -y chromium\nOr set DAM_CHROMIUM to the path of a Chromium or Chrome.',
  )
}

/** Environment of the products under test: ours, without what would make them another product. */
export function productEnvironment(): Record<string, string> {
  const foreign = /^(DAM_|DATABASE_URL$|REDIS_URL$|PORT$|HOST$|PG)/
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !foreign.test(entry[0]),
    ),
  )
}

/** Whether the journeys run against a PostgreSQL or Redis of the caller's choice. */
export const external = {
  redisUrl: process.env['REDIS_URL'],
}
