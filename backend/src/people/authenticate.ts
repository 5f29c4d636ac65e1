import type { IncomingMessage } from 'node:http'
import { syntheticUsername } from '@dam/contract/synthetic'
import type { Database } from '@dam/platform/database'
import type { Principal } from './access.ts'
import { findSessionOwner, touchSession } from './session-store.ts'

/** How a request names its session. Cookies need protection against other sites, headers do not. */
export type Credential = { token: string; via: 'cookie' | 'header' }

export type Authenticator = {
  credentialOf(request: IncomingMessage): Credential | undefined
  /** The principal of a token that is valid now, or undefined. A revoked session ends within `memoryMs`. */
  authenticate(credential: Credential): Promise<Principal | undefined>
  /** What `authenticate` would find without asking the database; undefined when it would have to ask. */
  recall(credential: Credential): Principal | undefined
  /** Forgets at once what it knows of a session, an account or everybody. */
  forget(which: { sessionId?: number; accountId?: number }): void
  /** Accounts that made a request within the last `minutes`. */
  activeUsers(minutes: number): number
}

const memoryMs = 1_000
const touchEveryMs = 60_000
const mostRemembered = 10_000

type Remembered = { principal: Principal; until: number; touchedAt: number }

export function createAuthenticator(options: {
  database: Database
  cookieName: string
  sessionDays: number
  onError: (error: unknown) => void
}): Authenticator {
  const remembered = new Map<string, Remembered>()
  const lastSeen = new Map<number, number>()
  const noteSeen = (principal: Principal, now: number): void => {
    if (principal.username !== syntheticUsername) lastSeen.set(principal.id, now)
  }
  const prefix = `${options.cookieName}=`

  const credentialOf = (request: IncomingMessage): Credential | undefined => {
    const authorization = request.headers.authorization
    if (authorization !== undefined) {
      const match = /^(?:Token|Bearer) +([\w-]{16,100})$/i.exec(authorization)
      return match ? { token: match[1] as string, via: 'header' } : undefined
    }
    const cookies = request.headers.cookie
    if (cookies === undefined) return undefined
    for (const part of cookies.split(';')) {
      const cookie = part.trimStart()
      if (cookie.startsWith(prefix)) return { token: cookie.slice(prefix.length), via: 'cookie' }
    }
    return undefined
  }

  const recall = (credential: Credential): Principal | undefined => {
    const known = remembered.get(credential.token)
    if (!known || known.until < performance.now()) return undefined
    noteSeen(known.principal, performance.now())
    return known.principal
  }

  return {
    credentialOf,
    recall,
    authenticate: async (credential) => {
      const known = recall(credential)
      if (known) return known
      const owner = await findSessionOwner(options.database, credential.token)
      const now = performance.now()
      if (!owner) {
        remembered.delete(credential.token)
        return undefined
      }
      const principal: Principal = {
        id: owner.id,
        username: owner.username,
        displayName: owner.displayName,
        role: owner.role,
        sessionId: owner.sessionId,
      }
      let touchedAt = remembered.get(credential.token)?.touchedAt ?? now - (Date.now() - owner.lastUsedAt.getTime())
      if (now - touchedAt > touchEveryMs) {
        touchedAt = now
        touchSession(options.database, owner.sessionId, options.sessionDays).catch(options.onError)
      }
      if (remembered.size >= mostRemembered) remembered.delete(remembered.keys().next().value as string)
      remembered.set(credential.token, { principal, until: now + memoryMs, touchedAt })
      noteSeen(principal, now)
      return principal
    },
    forget: ({ sessionId, accountId }) => {
      for (const [token, { principal }] of remembered) {
        if (principal.sessionId === sessionId || principal.id === accountId) remembered.delete(token)
      }
    },
    activeUsers: (minutes) => {
      const since = performance.now() - minutes * 60_000
      for (const [id, at] of lastSeen) if (at < since) lastSeen.delete(id)
      return lastSeen.size
    },
  }
}
