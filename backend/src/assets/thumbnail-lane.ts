import type { IncomingMessage, ServerResponse } from 'node:http'
import { apiBase } from '@dam/contract'
import type { Querier } from '@dam/platform/database'
import type { Principal } from '../people/access.ts'
import type { Authenticator } from '../people/authenticate.ts'
import type { Signals } from '../operations/signals.ts'
import { matchesTag } from './byte-range.ts'
import type { RenditionMemory, RememberedRendition } from './rendition-memory.ts'
import { findStillVisible } from './served-asset.ts'
import { userContentHeaders } from './served-type.ts'

export type ThumbnailLane = {
  /** Answers a rendition that is in memory for somebody known to be allowed to see it; false leaves the request to the router. */
  answer(request: IncomingMessage, response: ServerResponse): boolean
  /** The router has just checked that the principal may see the asset. */
  allow(principal: Principal, assetId: number): void
}

const exactAddress = new RegExp(`^${apiBase}/dam/assets/([1-9]\\d{0,14})/renditions/([a-z]{1,40})/?\\?v=(\\d{1,9})$`)
const route = `${apiBase}/dam/assets/:id/renditions/:preset/`

/** A decision is used for a second at most; from half of that on it is being renewed, many at a time. */
const decisionMs = 1_000
const renewAfterMs = 500
const gatherMs = 25
const mostDecisions = 50_000

type Decision = { madeAt: number; renewing: boolean }
type Renewal = { principal: Principal; assetIds: Set<number> }

/** The way past the router for the requests that a gallery makes most. What it may skip is the work, never the access rule. */
export function createThumbnailLane(deps: {
  database: Querier
  authenticator: Pick<Authenticator, 'credentialOf' | 'recall'>
  memory: RenditionMemory
  signals: Pick<Signals, 'requestDone'>
  /** Sent with every answer, such as strict transport security. */
  headers?: Record<string, string>
  onError: (error: unknown) => void
}): ThumbnailLane {
  const decisions = new Map<string, Decision>()
  let renewals = new Map<number, Renewal>()
  const fixed = Object.entries({
    ...deps.headers,
    ...userContentHeaders,
    'cache-control': 'private, max-age=31536000, immutable',
  }).flat()
  const heads = new WeakMap<RememberedRendition, string[]>()

  const allow = (principal: Principal, assetId: number): void => {
    const key = `${principal.sessionId}/${assetId}`
    decisions.delete(key)
    decisions.set(key, { madeAt: performance.now(), renewing: false })
    if (decisions.size > mostDecisions) decisions.delete(decisions.keys().next().value as string)
  }

  const renew = async (): Promise<void> => {
    const due = renewals
    renewals = new Map()
    for (const { principal, assetIds } of due.values()) {
      const visible = new Set((await findStillVisible(deps.database, principal, [...assetIds])).map(({ id }) => id))
      for (const id of assetIds) {
        if (visible.has(id)) allow(principal, id)
        else decisions.delete(`${principal.sessionId}/${id}`)
      }
    }
  }
  const renewSoon = (principal: Principal, assetId: number): void => {
    if (renewals.size === 0) setTimeout(() => void renew().catch(deps.onError), gatherMs)
    const renewal = renewals.get(principal.sessionId) ?? { principal, assetIds: new Set<number>() }
    renewals.set(principal.sessionId, renewal)
    renewal.assetIds.add(assetId)
  }

  const headOf = (rendition: RememberedRendition): string[] => {
    const known = heads.get(rendition)
    if (known) return known
    const head = [
      ...fixed,
      'content-type',
      rendition.mimeType,
      'etag',
      rendition.etag,
      'content-length',
      String(rendition.bytes.length),
    ]
    heads.set(rendition, head)
    return head
  }

  return {
    allow,
    answer: (request, response) => {
      if (request.method !== 'GET') return false
      const address = exactAddress.exec(request.url as string)
      if (!address) return false
      const startedAt = performance.now()
      const credential = deps.authenticator.credentialOf(request)
      const principal = credential && deps.authenticator.recall(credential)
      if (!principal) return false
      const assetId = Number(address[1])
      const rendition = deps.memory.get(assetId, address[2] as string)
      if (!rendition || rendition.previewVersion !== Number(address[3])) return false
      const decision = decisions.get(`${principal.sessionId}/${assetId}`)
      if (!decision) return false
      const age = startedAt - decision.madeAt
      if (age > decisionMs) return false
      if (age > renewAfterMs && !decision.renewing) {
        decision.renewing = true
        renewSoon(principal, assetId)
      }
      const isKnown = matchesTag(request.headers['if-none-match'], rendition.etag)
      if (isKnown) response.writeHead(304, [...fixed, 'etag', rendition.etag]).end()
      else response.writeHead(200, headOf(rendition)).end(rendition.bytes)
      deps.signals.requestDone({
        method: 'GET',
        route,
        status: isKnown ? 304 : 200,
        durationMs: performance.now() - startedAt,
      })
      return true
    },
  }
}
