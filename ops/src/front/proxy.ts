import type { IncomingMessage, ServerResponse } from 'node:http'
import { chooseUpstream, sessionKeyOf } from './choose-upstream.ts'
import { exchangeOf, outcomeOf, type Ending } from './exchange.ts'
import { forward } from './forward.ts'
import { ambiguityOf, forwardingOf, isWithoutBody } from './headers.ts'
import type { Exchange } from './in-flight.ts'
import {
  ambiguous,
  inMaintenance,
  notInService,
  sendHealthInMaintenance,
  sendOwnAnswer,
  type OwnAnswer,
} from './own-answers.ts'
import type { ProxyParts } from './proxy-parts.ts'
import { isSignIn, readsOnly } from './route-class.ts'

/** Answers one request: itself in maintenance and when nothing is in service, else through the release that its session belongs to. */
export function proxy(parts: ProxyParts, request: IncomingMessage, response: ServerResponse): void {
  const exchange = exchangeOf(parts, request)
  const ending: Ending = { upstreamFailed: false, wasRefused: false, wasEnded: false }
  track(parts, exchange, ending, request, response)

  const answer = (own: OwnAnswer): void =>
    sendOwnAnswer(request, response, own, { closes: parts.isLeaving() || !isWithoutBody(request) })
  const ambiguity = ambiguityOf(request)
  if (ambiguity !== null) {
    sendOwnAnswer(request, response, ambiguous(ambiguity), { closes: true })
    return
  }
  const pointer = parts.pointer()
  if (pointer.maintenance) {
    if (exchange.path === '/health' && (request.method === 'GET' || request.method === 'HEAD')) {
      sendHealthInMaintenance(response, pointer, parts.now(), { closes: parts.isLeaving() })
      return
    }
    const isOpen =
      pointer.maintenance.mode === 'read-only' && (readsOnly(exchange.method, exchange.path) || isSignIn(exchange.path))
    // Our own journeys pass: what is deployed in a window is tried in it.
    if (!isOpen && !exchange.isSynthetic) {
      ending.wasRefused = true
      answer(inMaintenance(pointer.maintenance, parts.now()))
      return
    }
  }
  const forwarding = forwardingOf(parts.settings.trustedProxies, request)
  const route = chooseUpstream(pointer, () => sessionKeyOf(request, forwarding.clientAddress))
  if (!route) {
    answer(notInService(parts.pointerProblem()))
    return
  }
  forward({ parts, exchange, ending, request, response, forwarding, ...route })
}

/** Holds the exchange as under way until its end, and counts it then. */
function track(
  parts: ProxyParts,
  exchange: Exchange,
  ending: Ending,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { settings, inFlight } = parts
  const { socket } = request
  inFlight.add(exchange)
  if (isWithoutBody(request)) {
    exchange.bodyEndedAt = exchange.startedAt
    socket.setTimeout(settings.answerSilenceMs)
  } else {
    socket.setTimeout(settings.bodySilenceMs)
    request.once('end', () => {
      exchange.bodyEndedAt = performance.now()
      socket.setTimeout(settings.answerSilenceMs)
    })
  }
  response.once('close', () => {
    inFlight.remove(exchange)
    // Counted when it began.
    if (exchange.routeClass === 'stream' && exchange.answeredAt !== null && response.statusCode < 400) return
    parts.outcomes.add(outcomeOf(parts, exchange, ending, response))
  })
}
