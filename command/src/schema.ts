import path from 'node:path'
import { type Migration, readMigrations } from '@dam/platform/migrate'
import { CommandFailure } from './failure.ts'
import { root } from './config.ts'

/** Who has a schema of its own, and where its migrations are. */
const migrationFolders: Record<string, string> = { backend: path.join(root, 'backend/migrations') }

export const apps = Object.keys(migrationFolders)

export function migrationsOf(app: string): Migration[] {
  const folder = migrationFolders[app]
  if (!folder)
    throw new CommandFailure(`There is no app "${app}" with migrations. There is: ${[...apps, 'ops'].join(', ')}`)
  return readMigrations(folder)
}
