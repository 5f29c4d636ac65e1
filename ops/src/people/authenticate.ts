import type { IncomingMessage } from 'node:http'
import type { OperatorRole } from '@dam/contract/ops-types'
import type { Store } from '../store.ts'
import { findPrincipal, touchSession, type Principal } from './operator-session-store.ts'

/** How a request names its session. Cookies need protection against other sites, headers do not. */
export type Credential = { token: string; via: 'cookie' | 'header' }

/** Days a browser's session lasts without use. */
export const sessionDays = 7
const touchEveryMs = 60_000

export function credentialOf(request: IncomingMessage, cookieName: string): Credential | undefined {
  const { authorization, cookie } = request.headers
  if (authorization !== undefined) {
    const match = /^(?:Token|Bearer) +([\w-]{16,100})$/i.exec(authorization)
    return match ? { token: match[1] as string, via: 'header' } : undefined
  }
  for (const part of cookie?.split(';') ?? []) {
    const trimmed = part.trimStart()
    if (trimmed.startsWith(`${cookieName}=`)) return { token: trimmed.slice(cookieName.length + 1), via: 'cookie' }
  }
  return undefined
}

/** Tokens work in the header only and cookies in the browser only, so that neither can stand in for the other. */
export function authenticate(store: Store, credential: Credential, now: Date): Principal | undefined {
  const principal = findPrincipal(store, credential.token, now)
  if (!principal || (principal.kind === 'token') !== (credential.via === 'header')) return undefined
  if (now.getTime() - Date.parse(principal.lastUsedAt) > touchEveryMs)
    touchSession(store, principal.sessionId, sessionDays, now)
  return principal
}

const rank = { viewer: 0, operator: 1, administrator: 2 } as const

export const isAtLeast = (role: OperatorRole, least: OperatorRole): boolean => rank[role] >= rank[least]
