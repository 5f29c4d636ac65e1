import { createHash, randomBytes } from 'node:crypto'
import type { Role } from '@dam/contract'
import { sql, type Querier } from '@dam/platform/database'

export const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest()

/** Creates a session and gives its token, which is nowhere stored. */
export async function createSession(
  db: Querier,
  session: { accountId: number; kind: 'browser' | 'token'; label: string; lifetimeDays: number },
): Promise<string> {
  const token = randomBytes(24).toString('base64url')
  await db.run(sql`
    insert into session (account_id, token_hash, kind, label, expires_at)
    values (${session.accountId}, ${hashToken(token)}, ${session.kind}, ${session.label.slice(0, 300)}, now() + make_interval(days => ${session.lifetimeDays}))`)
  return token
}

export type SessionOwner = {
  sessionId: number
  id: number
  username: string
  displayName: string
  role: Role
  lastUsedAt: Date
}

export const findSessionOwner = (db: Querier, token: string): Promise<SessionOwner | undefined> =>
  db.row<SessionOwner>(sql`
    select s.id as "sessionId", a.id, a.username, a.display_name as "displayName", a.role, s.last_used_at as "lastUsedAt"
    from session s join account a on a.id = s.account_id
    where s.token_hash = ${hashToken(token)} and s.expires_at > now() and a.active`)

/** Notes that a session was used; a browser session lives on for `lifetimeDays` from now. */
export async function touchSession(db: Querier, sessionId: number, lifetimeDays: number): Promise<void> {
  await db.run(sql`
    with touched as (
      update session set last_used_at = now(),
        expires_at = case when kind = 'browser' then now() + make_interval(days => ${lifetimeDays}) else expires_at end
      where id = ${sessionId} returning account_id)
    update account set last_seen_at = now() where id in (select account_id from touched)`)
}

export type SessionRow = {
  id: number
  kind: 'browser' | 'token'
  label: string
  createdAt: Date
  lastUsedAt: Date
  expiresAt: Date
}

export const listSessions = (db: Querier, accountId: number): Promise<SessionRow[]> =>
  db.rows<SessionRow>(sql`
    select id, kind, label, created_at as "createdAt", last_used_at as "lastUsedAt", expires_at as "expiresAt"
    from session where account_id = ${accountId} and expires_at > now() order by last_used_at desc, id desc`)

export const deleteSession = (db: Querier, accountId: number, sessionId: number): Promise<number> =>
  db.run(sql`delete from session where id = ${sessionId} and account_id = ${accountId}`)

export const deleteSessions = (db: Querier, accountId: number, exceptId: number | null): Promise<number> =>
  db.run(sql`delete from session where account_id = ${accountId} and id is distinct from ${exceptId}`)

export const deleteExpiredSessions = (db: Querier): Promise<number> =>
  db.run(sql`delete from session where expires_at < now()`)
