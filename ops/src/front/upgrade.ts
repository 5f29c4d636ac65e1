import { request as requestOf, STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { chooseUpstream, sessionKeyOf } from './choose-upstream.ts'
import { exchangeOf, outcomeOf, type Ending } from './exchange.ts'
import { ambiguityOf, forwardingOf, isWithoutBody, pairsOf, requestHeaders, responseHeaders } from './headers.ts'
import type { ProxyParts } from './proxy-parts.ts'

/** Passes a WebSocket: one connection to the upstream for the client's, until either ends. Counts as a stream. */
export function passUpgrade(parts: ProxyParts, request: IncomingMessage, client: Socket, head: Buffer): void {
  const exchange = exchangeOf(parts, request)
  exchange.routeClass = 'stream'
  exchange.bodyEndedAt = exchange.startedAt
  const ending: Ending = { upstreamFailed: false, wasRefused: false, wasEnded: false }
  let upstream: Duplex | null = null
  let status = 0
  client.setTimeout(0)
  client.on('error', () => undefined)
  parts.inFlight.add(exchange)
  exchange.end = () => {
    ending.wasEnded = true
    upstream?.end()
    client.end()
  }
  const count = (): void =>
    parts.outcomes.add(
      outcomeOf(parts, exchange, ending, {
        headersSent: status !== 0,
        statusCode: status,
        writableFinished: status !== 0,
      }),
    )
  client.once('close', () => {
    parts.inFlight.remove(exchange)
    upstream?.destroy()
    if (status === 0) count()
  })
  const answer = (code: number, text: string, headers: readonly [string, string][] = []): void => {
    status = code
    count()
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
    client.write(`HTTP/1.1 ${code} ${text}\r\n${lines}\r\n`, 'latin1')
  }
  const close = (code: number, retryAfter = false): void => {
    answer(code, STATUS_CODES[code] ?? '', [
      ['Connection', 'close'],
      ['Content-Length', '0'],
      ...(retryAfter ? ([['Retry-After', '5']] as [string, string][]) : []),
    ])
    client.end()
  }

  const pointer = parts.pointer()
  const forwarding = forwardingOf(parts.settings.trustedProxies, request)
  const route = chooseUpstream(pointer, () => sessionKeyOf(request, forwarding.clientAddress))
  if (ambiguityOf(request) !== null || !isWithoutBody(request)) return close(400)
  if (pointer.maintenance?.mode === 'full' || !route) {
    ending.wasRefused = pointer.maintenance?.mode === 'full'
    return close(503, true)
  }
  exchange.slot = route.chosen.slot
  exchange.tag = route.chosen.tag
  const outgoing = requestOf({
    host: '127.0.0.1',
    port: route.chosen.port,
    method: request.method,
    path: request.url,
    agent: false,
    headers: [
      ...requestHeaders(request, forwarding),
      'Connection',
      'Upgrade',
      'Upgrade',
      request.headers.upgrade ?? '',
    ],
  })
  client.once('close', () => outgoing.destroy())
  exchange.giveUp = () => outgoing.destroy()
  outgoing.on('error', () => {
    if (status !== 0 || client.destroyed) return
    ending.upstreamFailed = true
    close(502, true)
  })
  outgoing.on('response', (refusal) => {
    exchange.answeredAt = performance.now()
    const list = responseHeaders(refusal)
    answer(refusal.statusCode ?? 502, refusal.statusMessage ?? '', [...pairsOf(list), ['Connection', 'close']])
    refusal.pipe(client)
  })
  outgoing.on('upgrade', (accepted, socket, firstBytes) => {
    exchange.answeredAt = performance.now()
    upstream = socket
    socket.on('error', () => client.destroy())
    socket.once('close', () => client.destroy())
    answer(101, accepted.statusMessage ?? 'Switching Protocols', [
      ...pairsOf(responseHeaders(accepted)),
      ['Connection', 'Upgrade'],
      ['Upgrade', accepted.headers.upgrade ?? ''],
    ])
    if (firstBytes.length > 0) client.write(firstBytes)
    if (head.length > 0) socket.write(head)
    socket.pipe(client)
    client.pipe(socket)
  })
  outgoing.end()
}
