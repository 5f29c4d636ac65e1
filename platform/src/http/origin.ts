import { hostname, networkInterfaces } from 'node:os'
import type { IncomingMessage } from 'node:http'
import { Problem } from '@dam/contract'

export type Origins = {
  /** Scheme, host and port for absolute links. A Host header that is not ours is never reflected. */
  originOf(request: IncomingMessage): string
  /** Throws unless an unsafe request that a cookie vouches for comes from our own pages. */
  demandSameOrigin(request: IncomingMessage, viaCookie: boolean): void
}

export function createOrigins(options: { publicUrl: string | undefined; host: string; port: () => number }): Origins {
  const names = new Set(['localhost', '127.0.0.1', '[::1]', hostname().toLowerCase(), options.host.toLowerCase()])
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family } of addresses ?? []) names.add(family === 'IPv6' ? `[${address}]` : address)
  }
  const isOurs = (host: string): boolean => {
    const match = /^(\[[0-9a-f:.]+\]|[^:]+)(?::\d{1,5})?$/i.exec(host)
    return match !== null && names.has((match[1] as string).toLowerCase())
  }
  const originOf = (request: IncomingMessage): string => {
    if (options.publicUrl !== undefined) return options.publicUrl
    const host = request.headers.host
    return host !== undefined && isOurs(host) ? `http://${host}` : `http://localhost:${options.port()}`
  }
  return {
    originOf,
    demandSameOrigin: (request, viaCookie) => {
      const site = request.headers['sec-fetch-site']
      const { origin } = request.headers
      const rejected =
        site === undefined
          ? origin === undefined
            ? viaCookie
            : origin !== new URL(originOf(request)).origin
          : site !== 'same-origin' && site !== 'none'
      if (rejected) {
        throw new Problem(
          'origin-rejected',
          'This request did not come from DAM itself. Programs send an API token in the Authorization header instead of a cookie.',
        )
      }
    },
  }
}
