import { setTimeout as sleep } from 'node:timers/promises'
import type { ReadOnlySession } from './database-session.ts'

export type Session = {
  pid: number
  application: string
  user: string
  state: string
  waits: string
  query: string
  /** Of the transaction, the statement and the present state; null where there is none. */
  transactionSeconds: number | null
  statementSeconds: number | null
  stateSeconds: number | null
  backendStart: string
  /** Sessions that hold what it waits for. */
  blockedBy: number[]
}

/** A session that others wait for, directly or through one another, and that waits for nobody. */
export type Blocker = { session: Session; victims: number; longestWaitSeconds: number; relation: string | null }

export type DatabaseActivity = {
  version: number
  maxConnections: number
  reserved: number
  used: number
  idleInTransaction: number
  /** Most first. */
  byApplication: { application: string; state: string; sessions: number }[]
  sessions: Session[]
  /** Statements that ran at one of several looks, each as it was when it had run longest. */
  running: Session[]
  blockers: Blocker[]
  isReadOnly: boolean
  isStandby: boolean
  readOnlyBecause: string
}

/** Looks several times within `gapMs`, so that a statement that ran for a moment is seen, too; all else is of the last look. */
export async function watchActivity(session: ReadOnlySession, gapMs: number): Promise<DatabaseActivity> {
  const looks = [await readActivity(session)]
  for (let look = 0; look < 3; look++) {
    await sleep(gapMs / 3)
    looks.push(await readActivity(session))
  }
  const longest = new Map<string, Session>()
  for (const one of looks.flatMap(({ running }) => running)) {
    const key = `${one.pid} ${one.query}`
    if ((longest.get(key)?.statementSeconds ?? -1) < (one.statementSeconds ?? 0)) longest.set(key, one)
  }
  const last = looks.at(-1)
  if (!last) throw new Error('There was no look at the sessions.')
  return { ...last, running: [...longest.values()] }
}

/** pg_stat_activity as it is now, with the tree of who waits for whom. Takes no lock. */
export async function readActivity(session: ReadOnlySession): Promise<DatabaseActivity> {
  const [server] = await session
    .rows<{
      version: number
      max: number
      reserved: number
      standby: boolean
      readonly: boolean
      source: string
    }>(
      `select current_setting('server_version_num')::int as version, current_setting('max_connections')::int as max,
            current_setting('superuser_reserved_connections')::int as reserved, pg_is_in_recovery() as standby,
            (select reset_val = 'on' and source <> 'client' from pg_settings where name = 'default_transaction_read_only')
              or exists (select from pg_file_settings where name = 'default_transaction_read_only' and setting in ('on', 'true', '1', 'yes') and applied)
              or exists (select from pg_db_role_setting where 'default_transaction_read_only=on' = any (setconfig)) as readonly,
            coalesce((select sourcefile from pg_file_settings where name = 'default_transaction_read_only' limit 1), '') as source`,
    )
    .catch(() =>
      // Without the right to read the files of settings, what the server itself says has to do.
      session.rows<{
        version: number
        max: number
        reserved: number
        standby: boolean
        readonly: boolean
        source: string
      }>(
        `select current_setting('server_version_num')::int as version, current_setting('max_connections')::int as max,
              current_setting('superuser_reserved_connections')::int as reserved, pg_is_in_recovery() as standby,
              exists (select from pg_db_role_setting where 'default_transaction_read_only=on' = any (setconfig)) as readonly, '' as source`,
      ),
    )
  const rows = await session.rows<Omit<Session, 'blockedBy'> & { blocked: number[] | null; relation: string | null }>(
    `select a.pid, coalesce(a.application_name, '') as application, coalesce(a.usename, '') as "user", coalesce(a.state, '') as state,
            coalesce(a.wait_event_type || ':' || a.wait_event, '') as waits, left(regexp_replace(coalesce(a.query, ''), '\\s+', ' ', 'g'), 300) as query,
            extract(epoch from clock_timestamp() - a.xact_start)::float8 as "transactionSeconds",
            extract(epoch from clock_timestamp() - a.query_start)::float8 as "statementSeconds",
            extract(epoch from clock_timestamp() - a.state_change)::float8 as "stateSeconds",
            a.backend_start::text as "backendStart",
            case when a.wait_event_type = 'Lock' then pg_blocking_pids(a.pid) end as blocked,
            (select c.relname from pg_locks l join pg_class c on c.oid = l.relation where l.pid = a.pid and not l.granted limit 1) as relation
     from pg_stat_activity a where a.backend_type = 'client backend' and a.pid <> pg_backend_pid()`,
  )
  const relationOf = new Map(rows.map(({ pid, relation }) => [pid, relation]))
  const sessions: Session[] = rows.map(({ blocked, relation: _relation, ...rest }) => ({
    ...rest,
    blockedBy: (blocked ?? []).filter((pid) => pid > 0),
  }))
  const groups = Map.groupBy(sessions, ({ application, state }) => `${application}\n${state}`)
  return {
    version: server?.version ?? 0,
    maxConnections: server?.max ?? 0,
    reserved: server?.reserved ?? 0,
    used: sessions.length + 1,
    idleInTransaction: sessions.filter(({ state }) => state.startsWith('idle in transaction')).length,
    byApplication: [...groups.values()]
      .map((group) => ({
        application: group[0]?.application ?? '',
        state: group[0]?.state ?? '',
        sessions: group.length,
      }))
      .toSorted((a, b) => b.sessions - a.sessions),
    sessions,
    running: sessions.filter(({ state }) => state === 'active'),
    blockers: blockersOf(sessions, relationOf),
    isReadOnly: server?.readonly ?? false,
    isStandby: server?.standby ?? false,
    readOnlyBecause: server?.source ?? '',
  }
}

/** The roots of the tree of waits, most victims first. Sessions in a circle count as a root each: PostgreSQL ends such a circle within a second. */
export function blockersOf(sessions: readonly Session[], relationOf: ReadonlyMap<number, string | null>): Blocker[] {
  const byPid = new Map(sessions.map((session) => [session.pid, session]))
  const found = new Map<number, { victims: Set<number>; longest: number; relation: string | null }>()
  for (const victim of sessions) {
    if (victim.blockedBy.length === 0) continue
    const seen = new Set<number>([victim.pid])
    const roots = new Set<number>()
    const climb = (pid: number): void => {
      if (seen.has(pid)) return
      seen.add(pid)
      const holder = byPid.get(pid)
      if (!holder) return
      if (holder.blockedBy.length === 0) roots.add(pid)
      else for (const above of holder.blockedBy) climb(above)
    }
    for (const pid of victim.blockedBy) climb(pid)
    for (const root of roots) {
      const entry = found.get(root) ?? { victims: new Set(), longest: 0, relation: null }
      entry.victims.add(victim.pid)
      entry.longest = Math.max(entry.longest, victim.stateSeconds ?? 0)
      entry.relation ??= relationOf.get(victim.pid) ?? null
      found.set(root, entry)
    }
  }
  return [...found]
    .flatMap(([pid, { victims, longest, relation }]) => {
      const session = byPid.get(pid)
      return session ? [{ session, victims: victims.size, longestWaitSeconds: longest, relation }] : []
    })
    .toSorted((a, b) => b.victims - a.victims || b.longestWaitSeconds - a.longestWaitSeconds)
}
