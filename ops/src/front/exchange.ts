import type { IncomingMessage, ServerResponse } from 'node:http'
import { accountKeyOf } from './choose-upstream.ts'
import { frontSlot, type RouteClass } from './front-api.ts'
import type { FrontSettings } from './front-settings.ts'
import type { Exchange } from './in-flight.ts'
import type { Outcome } from './outcomes.ts'
import type { ProxyParts } from './proxy-parts.ts'
import { routeClassOf } from './route-class.ts'

/** How a request ended, where status and connection do not say it. */
export type Ending = { upstreamFailed: boolean; wasRefused: boolean; wasEnded: boolean }

/** The request as it is counted; it belongs to the front until an upstream is chosen. */
export function exchangeOf(parts: Pick<ProxyParts, 'isSynthetic'>, request: IncomingMessage): Exchange {
  const method = request.method ?? 'GET'
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const synthetic = request.headers['x-dam-synthetic']
  return {
    slot: frontSlot,
    tag: '',
    routeClass: routeClassOf(method, path),
    isSynthetic: synthetic !== undefined && parts.isSynthetic(typeof synthetic === 'string' ? synthetic : undefined),
    client: accountKeyOf(request),
    method,
    path,
    startedAt: performance.now(),
    bodyEndedAt: null,
    answeredAt: null,
    requestId: null,
    end: null,
    giveUp: null,
  }
}

/** What the request counts as, now that it has ended. */
export function outcomeOf(
  { settings, now, repeats }: Pick<ProxyParts, 'settings' | 'now' | 'repeats'>,
  exchange: Exchange,
  ending: Ending,
  response: Pick<ServerResponse, 'headersSent' | 'statusCode' | 'writableFinished'>,
): Outcome {
  const { slot, tag, routeClass, isSynthetic, method, path, startedAt, bodyEndedAt } = exchange
  const at = performance.now()
  const hasAnswer = response.headersSent
  const answeredAt = exchange.answeredAt ?? (hasAnswer ? at : null)
  const waitsSince = bodyEndedAt ?? (routeClass === 'upload' ? null : startedAt)
  const waitedMs = waitsSince === null ? 0 : Math.max(0, (answeredAt ?? at) - waitsSince)
  const clientLeft = !response.writableFinished && !ending.upstreamFailed && !ending.wasEnded
  const status = hasAnswer ? response.statusCode : 0
  const kind = kindOf(status, { clientLeft, ...ending })
  const slow = kind !== 'refused' && isSlow(settings, routeClass, waitedMs)
  const repeated = repeats.note(exchange.client, path, { isBad: kind === 'bad', isSlow: slow }, at)
  return {
    endedAt: now().getTime(),
    slot,
    tag,
    routeClass,
    isSynthetic,
    kind,
    isSlow: slow,
    isRepeatedBad: repeated.isBad,
    isRepeatedSlow: repeated.isSlow,
    latencyMs: answeredAt === null ? null : waitedMs,
    badRequest:
      kind !== 'bad'
        ? null
        : {
            at: now().toISOString(),
            slot,
            tag,
            method,
            path: path.slice(0, 300),
            status: ending.upstreamFailed && status < 500 ? 0 : status,
            durationMs: Math.round(at - startedAt),
            requestId: exchange.requestId,
          },
  }
}

const isSlow = (settings: FrontSettings, routeClass: RouteClass, waitedMs: number): boolean =>
  routeClass !== 'stream' && waitedMs > settings.slowAboveMs[routeClass]

function kindOf(status: number, how: Ending & { clientLeft: boolean }): Outcome['kind'] {
  if (how.wasRefused) return 'refused'
  if (how.clientLeft) return 'aborted'
  if (how.upstreamFailed || status >= 500) return 'bad'
  if (status === 429) return 'throttled'
  return status >= 400 ? 'clientError' : 'good'
}
