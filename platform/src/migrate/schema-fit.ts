import { sql, type Querier } from '../database.ts'
import { label, type Migration } from './migration.ts'

type Line = { number: number; name: string; checksum: string; previousReleaseRuns: boolean }

/**
 * Why a release with these migrations cannot run on the schema as it is now, or null when it can: all of its own are applied, unchanged,
 * and every newer one says that the release before it keeps running. Throws when the database does not answer.
 */
export async function schemaMisfit(
  querier: Querier,
  app: string,
  migrations: readonly Pick<Migration, 'number' | 'name' | 'checksum'>[],
): Promise<string | null> {
  const there = await querier.row<{ exists: boolean }>(
    sql`select to_regclass('public.schema_migration') is not null as exists`,
  )
  const applied = there?.exists
    ? await querier.rows<Line>(sql`
        select number, name, checksum, previous_release_runs as "previousReleaseRuns"
        from public.schema_migration where app = ${app} order by number`)
    : []
  const byNumber = new Map(applied.map((line) => [line.number, line]))
  for (const migration of migrations) {
    const line = byNumber.get(migration.number)
    if (!line) return `schema ${label(migration)} is not applied yet`
    if (line.checksum !== migration.checksum)
      return `schema ${label(line)} in the database is not the ${label(migration)} of this release`
    byNumber.delete(migration.number)
  }
  for (const line of byNumber.values())
    if (!line.previousReleaseRuns) return `schema ${label(line)} is newer and this release cannot run on it`
  return null
}
