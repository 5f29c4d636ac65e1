import { createHash, randomBytes } from 'node:crypto'
import type { OperatorRole } from '@dam/contract/ops-types'
import type { Store } from '../store.ts'

const dayMs = 86_400_000

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Creates a session and gives its token, which is nowhere stored. */
export function createSession(
  store: Store,
  session: { operatorId: number; kind: 'browser' | 'token'; label: string; lifetimeDays: number; now: Date },
): string {
  const token = randomBytes(24).toString('base64url')
  store.run(
    `insert into operator_session (token_hash, operator_id, kind, label, created_at, last_used_at, expires_at)
     values (?, ?, ?, ?, ?, ?, ?)`,
    hashToken(token),
    session.operatorId,
    session.kind,
    session.label.slice(0, 300),
    session.now.toISOString(),
    session.now.toISOString(),
    new Date(session.now.getTime() + session.lifetimeDays * dayMs).toISOString(),
  )
  return token
}

/** Who makes a request. */
export type Principal = {
  sessionId: number
  id: number
  username: string
  displayName: string
  role: OperatorRole
  kind: 'browser' | 'token'
  lastUsedAt: string
}

export const findPrincipal = (store: Store, token: string, now: Date): Principal | undefined =>
  store.row<Principal>(
    `select s.id as "sessionId", o.id, o.username, o.display_name as "displayName", o.role, s.kind, s.last_used_at as "lastUsedAt"
     from operator_session s join operator o on o.id = s.operator_id
     where s.token_hash = ? and s.expires_at > ? and o.active = 1`,
    hashToken(token),
    now.toISOString(),
  )

/** Notes that a session was used; a browser's lives on for `lifetimeDays` from now. */
export function touchSession(store: Store, id: number, lifetimeDays: number, now: Date): void {
  store.run(
    `update operator_session set last_used_at = ?, expires_at = case when kind = 'browser' then ? else expires_at end where id = ?`,
    now.toISOString(),
    new Date(now.getTime() + lifetimeDays * dayMs).toISOString(),
    id,
  )
}

export type TokenRow = { id: number; label: string; createdAt: string; lastUsedAt: string; expiresAt: string }

export const listTokens = (store: Store, operatorId: number, now: Date): TokenRow[] =>
  store.rows<TokenRow>(
    `select id, label, created_at as "createdAt", last_used_at as "lastUsedAt", expires_at as "expiresAt"
     from operator_session where operator_id = ? and kind = 'token' and expires_at > ? order by id desc`,
    operatorId,
    now.toISOString(),
  )

export const deleteSession = (store: Store, operatorId: number, id: number): number =>
  store.run('delete from operator_session where id = ? and operator_id = ?', id, operatorId)

/** Ends every session of an operator but one. */
export const deleteSessions = (store: Store, operatorId: number, exceptId: number | null): number =>
  store.run('delete from operator_session where operator_id = ? and id is not ?', operatorId, exceptId)

export const deleteExpiredSessions = (store: Store, now: Date): number =>
  store.run('delete from operator_session where expires_at < ?', now.toISOString())
