import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { proxy } from './proxy.ts'
import type { ProxyParts } from './proxy-parts.ts'
import { passUpgrade } from './upgrade.ts'

const lookEveryMs = 1_000

/** The HTTP server of the public socket, not yet listening. */
export function createPublicServer(parts: ProxyParts): Server {
  const { settings } = parts
  // Whether a raw answer may still be written to a connection whose request could not be read.
  const underWay = new WeakMap<Socket, ServerResponse>()
  const server = createServer({
    headersTimeout: settings.headersWithinMs,
    // Uploads may take hours; silence is bounded for each connection instead.
    requestTimeout: 0,
    keepAliveTimeout: settings.keepAliveMs,
    connectionsCheckingInterval: 2_000,
    maxHeaderSize: 15_000,
    insecureHTTPParser: false,
    shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
  })
  // Bounded by size. With a bound on their number Node.js would drop the rest in silence.
  server.maxHeadersCount = 0
  server.on('request', (request, response) => {
    underWay.set(request.socket, response)
    proxy(parts, request, response)
  })
  server.on('checkContinue', (request, response) => {
    underWay.set(request.socket, response)
    proxy(parts, request, response)
  })
  server.on('upgrade', (request, socket, head) => passUpgrade(parts, request, socket as Socket, head))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const response = underWay.get(socket)
    const isAnswering = response !== undefined && response.headersSent && !response.writableFinished
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
      socket.destroy()
      return
    }
    const [status, text] = refusals[error.code ?? ''] ?? [400, 'Bad Request']
    socket.end(`HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
  })
  setInterval(() => giveUpOnLate(parts), lookEveryMs).unref()
  return server
}

const refusals: Record<string, [number, string]> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
}

function giveUpOnLate({ inFlight, settings }: ProxyParts): void {
  const at = performance.now()
  for (const exchange of inFlight.all()) {
    if (exchange.answeredAt !== null || exchange.bodyEndedAt === null) continue
    if (at - exchange.bodyEndedAt > settings.answerWithinMs[exchange.routeClass]) exchange.giveUp?.()
  }
}
