import type { IncomingMessage } from 'node:http'

/** Headers as they travel: name, value, name, value. */
export type HeaderList = string[]

// Of one connection only (RFC 9110, 7.6.1). `trailer` stays: it announces what really follows.
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])
/** A client may not have these taken away by naming them in `Connection`. */
const essential = new Set(['host', 'content-length', 'content-type', 'authorization', 'cookie', 'range', 'expect'])

const namedByConnection = (connection: string | undefined): Set<string> | null => {
  if (!connection || /^(keep-alive|close)$/i.test(connection)) return null
  return new Set(
    connection
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => !essential.has(name)),
  )
}

export type Forwarding = { clientAddress: string; isFromTrustedProxy: boolean }

/** The headers for the upstream. */
export function requestHeaders(request: IncomingMessage, forwarding: Forwarding): HeaderList {
  const named = namedByConnection(request.headers.connection)
  const { rawHeaders, headers } = request
  const list: HeaderList = []
  let hasHost = false
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const lower = name.toLowerCase()
    if (hopByHop.has(lower) || named?.has(lower) || lower === 'x-dam-synthetic' || lower === 'forwarded') continue
    if (lower.startsWith('x-forwarded-')) continue
    if (lower === 'host') hasHost = true
    list.push(name, rawHeaders[index + 1] as string)
  }
  // Only HTTP/1.0 comes without.
  if (!hasHost) list.push('Host', 'localhost')
  const { isFromTrustedProxy: trusted, clientAddress } = forwarding
  const given = (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const before = given('x-forwarded-for')
  // The program behind us believes the last address; a proxy we trust has put the client's there itself.
  const chain = trusted && before ? before : before ? `${before}, ${clientAddress}` : clientAddress
  list.push('X-Forwarded-For', chain)
  list.push('X-Forwarded-Proto', (trusted && given('x-forwarded-proto')) || 'http')
  list.push('X-Forwarded-Host', (trusted && given('x-forwarded-host')) || (headers.host ?? 'localhost'))
  if (headers['transfer-encoding'] !== undefined) list.push('Transfer-Encoding', 'chunked')
  else if (headers['content-length'] === undefined && mayHaveBody(request.method)) list.push('Content-Length', '0')
  return list
}

const mayHaveBody = (method: string | undefined): boolean => method === 'POST' || method === 'PUT' || method === 'PATCH'

/** The headers for the client. */
export function responseHeaders(response: IncomingMessage): HeaderList {
  const named = namedByConnection(response.headers.connection)
  const { rawHeaders } = response
  const list: HeaderList = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const lower = name.toLowerCase()
    if (hopByHop.has(lower) || named?.has(lower)) continue
    list.push(name, rawHeaders[index + 1] as string)
  }
  return list
}

/**
 * Why the request could be read in two ways by two programs, or null. The parser has refused the rest already: Content-Length beside
 * Transfer-Encoding, unequal lengths, spaces before colons, bare line ends.
 */
export function ambiguityOf(request: IncomingMessage): string | null {
  const encoding = request.headers['transfer-encoding']
  if (encoding !== undefined) {
    if (encoding.trim().toLowerCase() !== 'chunked') return 'Transfer-Encoding may only be chunked.'
    if (request.headers['content-length'] !== undefined)
      return 'Content-Length and Transfer-Encoding exclude each other.'
    if (request.httpVersion === '1.0') return 'HTTP/1.0 has no Transfer-Encoding.'
  }
  let hosts = 0
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  if (hosts > 1) return 'There may be only one Host.'
  const url = request.url ?? ''
  if (!url.startsWith('/') && url !== '*') return 'The target must begin with a slash.'
  return null
}

export const pairsOf = (list: readonly string[]): [string, string][] => {
  const pairs: [string, string][] = []
  for (let index = 0; index < list.length; index += 2) pairs.push([list[index] as string, list[index + 1] as string])
  return pairs
}

/** Who asks: behind a proxy that is trusted, whom that one names. */
export function forwardingOf(trustedProxies: readonly string[], request: IncomingMessage): Forwarding {
  const peer = (request.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, '')
  if (!trustedProxies.includes(peer)) return { clientAddress: peer, isFromTrustedProxy: false }
  const named = request.headers['x-forwarded-for']
  const last = (typeof named === 'string' ? named : '').split(',').at(-1)?.trim()
  return { clientAddress: last || peer, isFromTrustedProxy: true }
}

/** Whether the head of the request says that no body follows. */
export const isWithoutBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
