import { fileURLToPath } from 'node:url'
import { schemaMisfit } from '@dam/platform/migrate/schema-fit'
import { readMigrations } from '@dam/platform/migrate'
import type { Database } from '@dam/platform/database'
import { databaseAnswers } from './database-answers.ts'

/** Why this process cannot serve now, in a few words, or null when it can. */
export type Readiness = () => Promise<string | null>

const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))
/** A schema that fits is not looked at again for this long. */
const schemaFitsForMs = 1_000

/** `migrations` are the ones this release brings. */
export function createReadiness(deps: {
  database: Database
  isStopping: () => boolean
  storageReady: () => Promise<boolean>
  migrations?: Parameters<typeof schemaMisfit>[2]
}): Readiness {
  const { database, migrations = readMigrations(migrationsFolder) } = deps
  let fitsUntil = 0
  const misfit = async (): Promise<string | null> => {
    if (performance.now() < fitsUntil) return null
    const why = await schemaMisfit(database, 'backend', migrations)
    if (why === null) fitsUntil = performance.now() + schemaFitsForMs
    return why
  }
  return async () => {
    if (deps.isStopping()) return 'stopping'
    if (!(await databaseAnswers(database))) return 'the database does not answer'
    if (!(await deps.storageReady().catch(() => false))) return 'the folder of originals is not available'
    return misfit().catch(() => 'the database does not answer')
  }
}
