import pg from 'pg'
import type { Applied } from '@dam/platform/migrate'

export type Losses = {
  /** Tables that the `down` of a migration drops or takes a column from, with the rows written since; null: it has no creation date. */
  tables: { table: string; rows: number | null }[]
  /** Originals uploaded since; they stay. Null: unknown. */
  uploads: number | null
}

/** What undoing these migrations throws away. Throws when the database does not answer. */
export async function readLosses(
  connectionString: string,
  options: { since: Date | null; blocking: readonly Pick<Applied, 'down'>[] },
): Promise<Losses> {
  const touched = [...new Set(options.blocking.flatMap(({ down }) => tablesTouched(down)))]
  const since = options.since ?? new Date(0)
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000, statement_timeout: 10_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const count = async (table: string): Promise<number | null> => {
      const { rows } = await client.query<{ column: string }>(
        `select column_name as "column" from information_schema.columns
         where table_schema = 'public' and table_name = $1 and column_name in ('created_at', 'uploaded_at', 'timestamp', 'at') limit 1`,
        [table],
      )
      const column = rows[0]?.column
      if (column === undefined) return null
      const counted = await client.query<{ rows: number }>(
        `select count(*)::int as rows from ${pg.escapeIdentifier(table)} where ${pg.escapeIdentifier(column)} >= $1`,
        [since],
      )
      return counted.rows[0]?.rows ?? null
    }
    const tables = []
    for (const table of touched) tables.push({ table, rows: await count(table) })
    return { tables, uploads: await count('asset') }
  } finally {
    await client.end()
  }
}

/** Names in `drop table x` and `alter table x drop column`. */
export const tablesTouched = (sql: string): string[] => [
  ...[...sql.matchAll(/\bdrop\s+table\s+(?:if\s+exists\s+)?(?:public\.)?"?(\w+)"?/gi)].map((match) => match[1] ?? ''),
  ...[...sql.matchAll(/\balter\s+table\s+(?:only\s+)?(?:public\.)?"?(\w+)"?[^;]*?\bdrop\s+column\b/gi)].map(
    (match) => match[1] ?? '',
  ),
]
