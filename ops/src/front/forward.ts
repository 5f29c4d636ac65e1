import { request as requestOf, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Upstream } from './front-api.ts'
import { outcomeOf, type Ending } from './exchange.ts'
import { isWithoutBody, pairsOf, requestHeaders, responseHeaders, type Forwarding } from './headers.ts'
import type { Exchange } from './in-flight.ts'
import { badGateway, gatewayTimeout, notFound, sendOwnAnswer, type OwnAnswer } from './own-answers.ts'
import type { ProxyParts } from './proxy-parts.ts'
import { isSafeMethod } from './route-class.ts'

export type ForwardInput = {
  parts: ProxyParts
  exchange: Exchange
  ending: Ending
  request: IncomingMessage
  response: ServerResponse
  forwarding: Forwarding
  chosen: Upstream
  other: Upstream | null
}

const refusedPausesMs = [50, 150, 400]
/** What a client still sends after its answer was complete is taken that long. */
const lingerMs = 30_000

/**
 * Passes the request to the upstream and its answer back, both as they come. Nothing is sent twice that could have been worked on:
 * only a connection that was refused, or a safe request without body on a connection that had been idle, is tried again. Everything
 * else gets a connection of its own, so that none is lost to an idle one that the upstream just closed.
 */
export function forward({ parts, exchange, ending, request, response, forwarding, chosen, other }: ForwardInput): void {
  const headers = requestHeaders(request, forwarding)
  const hasBody = !isWithoutBody(request)
  const isSafe = isSafeMethod(exchange.method)
  const mayRepeat = isSafe && !hasBody
  const isHashedFile = isSafe && exchange.path.startsWith('/assets/')
  let outgoing: ClientRequest | null = null
  let timesRefused = 0
  let wasRepeated = false
  let otherWasAsked = other === null
  let wasMissing = false
  let isOver = false

  const fail = (own: OwnAnswer): void => {
    ending.upstreamFailed = own !== notFound
    if (response.headersSent) {
      response.destroy()
      return
    }
    request.unpipe()
    sendOwnAnswer(request, response, own, { closes: parts.isLeaving() || !request.complete })
    if (!request.complete) request.resume()
  }

  const send = (to: Upstream, isFresh: boolean): void => {
    exchange.slot = to.slot
    exchange.tag = to.tag
    const attempt = requestOf({
      host: '127.0.0.1',
      port: to.port,
      method: exchange.method,
      path: request.url,
      headers,
      agent: isFresh || !mayRepeat ? parts.connections.fresh : parts.connections.agentOf(to),
    })
    outgoing = attempt
    let incoming: IncomingMessage | null = null
    let gaveUp = false
    exchange.giveUp = () => {
      gaveUp = true
      attempt.destroy()
    }
    attempt.on('response', (answer) => {
      incoming = answer
      if (answer.statusCode === 404 && isHashedFile && other !== null && !otherWasAsked) {
        otherWasAsked = true
        wasMissing = true
        answer.resume()
        send(to === other ? chosen : other, false)
        return
      }
      passBack(answer)
    })
    attempt.on('information', ({ statusCode, headers: hints }) => {
      if (response.headersSent || request.httpVersion === '1.0') return
      if (statusCode === 102) response.writeProcessing()
      else if (statusCode === 103 && hints.link) response.writeEarlyHints({ link: hints.link })
    })
    attempt.on('error', (error: NodeJS.ErrnoException) => {
      // An answer that has begun tells by itself that it broke.
      if (isOver || incoming || attempt !== outgoing) return
      if (error.code === 'ECONNREFUSED' && !gaveUp) {
        if (isSafe && other !== null && !otherWasAsked) {
          otherWasAsked = true
          send(to === other ? chosen : other, false)
          return
        }
        const pauseMs = refusedPausesMs[timesRefused++]
        if (pauseMs !== undefined && !wasMissing) {
          setTimeout(() => {
            if (!isOver) send(to, true)
          }, pauseMs)
          return
        }
      } else if (mayRepeat && attempt.reusedSocket && !wasRepeated && !gaveUp) {
        wasRepeated = true
        send(to, true)
        return
      }
      fail(wasMissing ? notFound : gaveUp ? gatewayTimeout : badGateway)
    })
    if (!hasBody) {
      attempt.end()
      return
    }
    if (request.headers.expect !== undefined) attempt.on('continue', () => response.writeContinue())
    // Nothing of the body is taken before there is somebody to give it to: a refused connection costs nothing.
    attempt.once('socket', (socket) => {
      socket.once('connect', () => {
        attempt.flushHeaders()
        request.once('end', () => {
          if (request.rawTrailers.length > 0) attempt.addTrailers(pairsOf(request.rawTrailers))
        })
        request.pipe(attempt)
      })
    })
    attempt.once('close', () => {
      if (attempt !== outgoing || request.complete) return
      // The upstream has answered without wanting the rest.
      request.unpipe(attempt)
      if (isOver || incoming) request.resume()
    })
  }

  const passBack = (incoming: IncomingMessage): void => {
    exchange.answeredAt = performance.now()
    const requestId = incoming.headers['x-request-id']
    exchange.requestId = typeof requestId === 'string' ? requestId.slice(0, 100) : null
    const isEventStream = incoming.headers['content-type']?.startsWith('text/event-stream') ?? false
    if (isEventStream) exchange.routeClass = 'stream'
    const list = responseHeaders(incoming)
    if (parts.isLeaving()) list.push('Connection', 'close')
    response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage ?? '', list)
    if (isEventStream || incoming.headers['content-length'] === undefined) response.flushHeaders()
    if (exchange.routeClass === 'stream') {
      exchange.end = () => {
        ending.wasEnded = true
        incoming.unpipe(response)
        response.end()
        outgoing?.destroy()
      }
      if (response.statusCode < 400)
        parts.outcomes.add(
          outcomeOf(parts, exchange, ending, {
            headersSent: true,
            statusCode: response.statusCode,
            writableFinished: true,
          }),
        )
    }
    incoming.once('end', () => {
      if (incoming.rawTrailers.length > 0 && response.chunkedEncoding)
        response.addTrailers(pairsOf(incoming.rawTrailers))
    })
    incoming.on('error', () => undefined)
    incoming.once('close', () => {
      if (incoming.complete || isOver || ending.wasEnded) return
      ending.upstreamFailed = true
      response.destroy()
    })
    incoming.pipe(response)
  }

  response.once('close', () => {
    isOver = true
    if (!response.writableFinished) outgoing?.destroy()
    else if (!request.complete) lingerOn(request)
  })
  send(chosen, false)
}

/** A request whose answer is complete but whose body still comes: taken for a while, so that the client reads its answer. */
function lingerOn(request: IncomingMessage): void {
  const timer = setTimeout(() => request.socket.destroy(), lingerMs)
  request.once('close', () => clearTimeout(timer))
  request.once('end', () => clearTimeout(timer))
}
