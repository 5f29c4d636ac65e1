import { setTimeout as sleep } from 'node:timers/promises'
import { NotThere } from '../probe.ts'
import type { ReadOnlySession } from './database-session.ts'

export type Statement = {
  id: string
  query: string
  calls: number
  totalMs: number
  meanMs: number
  maxMs: number
  rows: number
}
export type StatementWindow = {
  /** Since the statistics began, longest total first. */
  slowest: Statement[]
  /** What ran between two looks: mean then beside the mean before. */
  grown: { query: string; calls: number; meanMs: number; usualMs: number }[]
}

/** Column names differ: `total_time` until PostgreSQL 12, `total_exec_time` from 13 on. */
export const statementColumns = (version: number): { total: string; mean: string; max: string } =>
  version >= 130_000
    ? { total: 'total_exec_time', mean: 'mean_exec_time', max: 'max_exec_time' }
    : { total: 'total_time', mean: 'mean_time', max: 'max_time' }

/** Throws NotThere where pg_stat_statements is not installed. */
export async function slowestStatements(session: ReadOnlySession, limit: number): Promise<Statement[]> {
  const [server] = await session.rows<{ version: number; schema: string | null }>(
    `select current_setting('server_version_num')::int as version,
            (select nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'pg_stat_statements') as schema`,
  )
  if (!server?.schema)
    throw new NotThere('pg_stat_statements is not installed in this database: create extension pg_stat_statements')
  const { total, mean, max } = statementColumns(server.version)
  return session.rows<Statement>(
    `select coalesce(queryid::text, '') as id, left(regexp_replace(query, '\\s+', ' ', 'g'), 400) as query, calls::float8 as calls,
            ${total}::float8 as "totalMs", ${mean}::float8 as "meanMs", ${max}::float8 as "maxMs", rows::float8 as rows
     from "${server.schema}".pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())
     order by ${total} desc limit ${Math.trunc(limit)}`,
  )
}

/** Looks twice, so that what is slow now stands apart from what was slow last week. */
export async function readStatements(session: ReadOnlySession, gapMs: number): Promise<StatementWindow> {
  const before = await slowestStatements(session, 2_000)
  await sleep(gapMs)
  const after = await slowestStatements(session, 2_000)
  return { slowest: after.slice(0, 10), grown: grownStatements(before, after) }
}

export function grownStatements(before: readonly Statement[], after: readonly Statement[]): StatementWindow['grown'] {
  const earlier = new Map(before.map((one) => [one.id, one]))
  return after
    .flatMap((now) => {
      const then = earlier.get(now.id)
      const calls = now.calls - (then?.calls ?? 0)
      if (calls <= 0) return []
      const meanMs = (now.totalMs - (then?.totalMs ?? 0)) / calls
      return [{ query: now.query, calls, meanMs, usualMs: then?.meanMs ?? meanMs }]
    })
    .filter(({ meanMs }) => meanMs >= 50)
    .toSorted((a, b) => b.meanMs * b.calls - a.meanMs * a.calls)
    .slice(0, 10)
}
