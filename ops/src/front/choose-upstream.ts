import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Pointer, Upstream } from './front-api.ts'

/**
 * Where a request goes, and whom to ask when that one cannot help. The same session goes to the same release as long as the two
 * compared releases stay the same; another bake holds back other sessions.
 */
export function chooseUpstream(
  pointer: Pointer,
  sessionKey: () => string,
): { chosen: Upstream; other: Upstream | null } | null {
  const { active, control } = pointer
  if (!active) return null
  if (!control || control.upstream.slot === active.slot) return { chosen: active, other: null }
  const isHeldBack =
    control.sharePercent > 0 &&
    shareOf(`${active.slot}\n${control.upstream.slot}\n${sessionKey()}`) < control.sharePercent / 100
  return isHeldBack ? { chosen: control.upstream, other: active } : { chosen: active, other: control.upstream }
}

/** A number from 0 to 1, evenly spread over texts. */
const shareOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32

const cookie = /(?:^|;\s*)(?:__Host-)?dam_session=([^;\s]+)/

/** The session's cookie, else its token; null for neither. */
export const accountKeyOf = ({ headers }: IncomingMessage): string | null =>
  (headers.cookie === undefined ? undefined : cookie.exec(headers.cookie)?.[1]) ?? headers.authorization ?? null

/** What tells one session from another; the address for who has neither cookie nor token. */
export const sessionKeyOf = (request: IncomingMessage, clientAddress: string): string =>
  accountKeyOf(request) ?? clientAddress
