import type { ReadOnlySession } from './database-session.ts'

export type TableState = {
  schema: string
  table: string
  /** As PostgreSQL last counted: tables, indexes and long values. */
  bytes: number
  rows: number
  sequentialScans: number
  /** Rows that such scans read, on average. */
  rowsPerScan: number
  indexScans: number
  /** Advice: a column by which it is looked for and that has no index; null without. */
  missingIndex: { column: string; name: string } | null
}

/** From statistics only: a table that somebody has locked is no obstacle. Largest first. */
export async function readTables(session: ReadOnlySession): Promise<TableState[]> {
  const tables = await session.rows<Omit<TableState, 'missingIndex'>>(
    `select n.nspname as schema, c.relname as "table",
            ((c.relpages + coalesce(t.relpages, 0) + coalesce((select sum(x.relpages) from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid), 0))
              * current_setting('block_size')::bigint)::float8 as bytes,
            greatest(c.reltuples, coalesce(s.n_live_tup, 0))::float8 as rows, coalesce(s.seq_scan, 0)::float8 as "sequentialScans",
            (case when s.seq_scan > 0 then s.seq_tup_read::float8 / s.seq_scan else 0 end) as "rowsPerScan", coalesce(s.idx_scan, 0)::float8 as "indexScans"
     from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_class t on t.oid = c.reltoastrelid
       left join pg_stat_user_tables s on s.relid = c.oid
     where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
     order by 3 desc limit 200`,
  )
  const suspects = tables.filter(isScannedTooOften)
  if (suspects.length === 0) return tables.map((table) => ({ ...table, missingIndex: null }))
  const queries = await session
    .rows<{ query: string }>(
      `select query from pg_stat_statements where query ~* '\\mwhere\\M' order by calls desc limit 500`,
    )
    .catch(() => [])
  const indexed = await session.rows<{ table: string; column: string }>(
    `select c.relname as "table", a.attname as "column" from pg_index i join pg_class c on c.oid = i.indrelid
     join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0] where c.relname = any ($1)`,
    [suspects.map(({ table }) => table)],
  )
  const columns = await session.rows<{ table: string; column: string }>(
    `select table_name as "table", column_name as "column" from information_schema.columns where table_name = any ($1)`,
    [suspects.map(({ table }) => table)],
  )
  return tables.map((table) => ({
    ...table,
    missingIndex: isScannedTooOften(table)
      ? adviseIndex(
          table.table,
          queries.map(({ query }) => query),
          columns.filter((one) => one.table === table.table).map(({ column }) => column),
          new Set(indexed.filter((one) => one.table === table.table).map(({ column }) => column)),
        )
      : null,
  }))
}

/** Big, read from end to end often, and more often than by an index. */
export const isScannedTooOften = ({
  rows,
  sequentialScans,
  rowsPerScan,
  indexScans,
}: Pick<TableState, 'rows' | 'sequentialScans' | 'rowsPerScan' | 'indexScans'>): boolean =>
  rows >= 10_000 && sequentialScans >= 50 && rowsPerScan >= rows / 2 && sequentialScans > indexScans / 10

/** The column that statements compare most in their where, among those that begin no index. */
export function adviseIndex(
  table: string,
  queries: readonly string[],
  columns: readonly string[],
  indexed: ReadonlySet<string>,
): TableState['missingIndex'] {
  const counts = new Map<string, number>()
  for (const query of queries) {
    if (!new RegExp(`\\b${escaped(table)}\\b`).test(query)) continue
    const condition = query.slice(query.search(/\bwhere\b/i))
    for (const column of columns)
      if (
        !indexed.has(column) &&
        new RegExp(`\\b${escaped(column)}\\s*(=|<|>|in\\b|like\\b|any\\b)`, 'i').test(condition)
      )
        counts.set(column, (counts.get(column) ?? 0) + 1)
  }
  const [best] = [...counts].toSorted(([, a], [, b]) => b - a)
  return best ? { column: best[0], name: `${table}_${best[0]}`.slice(0, 60) } : null
}

const escaped = (text: string): string => text.replaceAll(/[^\w]/g, '\\$&')
