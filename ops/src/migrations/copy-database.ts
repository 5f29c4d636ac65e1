import { rmSync } from 'node:fs'
import path from 'node:path'
import { dumpDatabase } from '../backup/dump/dump-database.ts'
import { restoreDump } from '../backup/restore/restore-dump.ts'

/** The rows a migration test begins with: a database as it is now, or a dump of it. */
export type CopySource = { kind: 'database'; connectionString: string } | { kind: 'dump'; file: string }

/** Fills an empty database from `source`; says from what. `folder` takes the dump meanwhile. */
export async function copyDatabase(options: {
  source: CopySource
  target: string
  folder: string
  /** PATH. */
  searchPath: string
  now: Date
}): Promise<string> {
  const { source, target, folder, searchPath, now } = options
  if (source.kind === 'dump') {
    await restoreDump({ connectionString: target, file: source.file, searchPath })
    return `the dump ${path.basename(source.file)}`
  }
  const file = path.join(folder, 'copy.dump')
  const dump = await dumpDatabase({
    connectionString: source.connectionString,
    file,
    now,
    look: async () => undefined,
    compressionLevel: 1,
  })
  await restoreDump({ connectionString: target, file, searchPath })
  rmSync(file)
  const rows = dump.tables.reduce((sum, table) => sum + table.rows, 0)
  return `a copy of the database with ${rows} rows in ${dump.tables.length} tables`
}
