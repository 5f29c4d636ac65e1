import { type Dependency, dependencyOf } from '../dependency.ts'
import type { ReadOnlySession } from './database-session.ts'

export type ErrorGroup = {
  route: string
  release: string
  fingerprint: string
  code: string
  dependency: Dependency
  message: string
  count: number
  users: number
  lastAt: string
  isFatal: boolean
  /** Not seen in the day before the window. */
  isNew: boolean
}
export type ErrorSplit = { minutes: number; total: number; totalBefore: number; groups: ErrorGroup[] }

/** Table `error_log` of the last minutes, by route, release and fingerprint. */
export async function readErrors(session: ReadOnlySession, minutes: number): Promise<ErrorSplit> {
  const groups = await session.rows<Omit<ErrorGroup, 'dependency'>>(
    `with recent as (
       select coalesce(route, '') as route, coalesce(release, '') as release, coalesce(fingerprint, '') as fingerprint, code,
              (array_agg(message order by "timestamp" desc))[1] as message, count(*)::float8 as count, count(distinct user_id)::float8 as users,
              max("timestamp")::text as "lastAt", bool_or(is_fatal) as "isFatal"
       from error_log where "timestamp" > now() - make_interval(mins => $1) group by 1, 2, 3, 4)
     select recent.*, not exists (select from error_log e where e.fingerprint = recent.fingerprint
         and e."timestamp" between now() - interval '1 day' and now() - make_interval(mins => $1)) as "isNew"
     from recent order by count desc limit 50`,
    [minutes],
  )
  const [before] = await session.rows<{ count: number }>(
    `select count(*)::float8 as count from error_log where "timestamp" between now() - 2 * make_interval(mins => $1) and now() - make_interval(mins => $1)`,
    [minutes],
  )
  return {
    minutes,
    total: groups.reduce((sum, { count }) => sum + count, 0),
    totalBefore: before?.count ?? 0,
    groups: groups.map((group) => ({ ...group, dependency: dependencyOf(group.code, group.message) })),
  }
}
