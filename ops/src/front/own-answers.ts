import { randomUUID } from 'node:crypto'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { problemStatus, type ProblemBody, type ProblemCode } from '@dam/contract/problem'
import type { Pointer } from './front-api.ts'

/** What the front says itself when no release can or may answer. */
export type OwnAnswer = {
  code: ProblemCode
  title: string
  message: string
  retryAfterSeconds: number | null
  details: Record<string, unknown>
}

export const notInService = (problem: string | null): OwnAnswer => ({
  code: 'not-in-service',
  title: 'DAM is not in service yet',
  message: problem
    ? 'DAM does not know which release to serve. Its operators have been told by the health check; nothing is lost.'
    : 'No release of DAM is in service here at the moment. It comes back by itself with the next deployment.',
  retryAfterSeconds: 10,
  details: {},
})

export const badGateway: OwnAnswer = {
  code: 'bad-gateway',
  title: 'DAM is catching its breath',
  message: 'DAM did not answer just now. Nothing that was saved is lost. Try again in a few seconds.',
  retryAfterSeconds: 3,
  details: {},
}

export const gatewayTimeout: OwnAnswer = {
  code: 'gateway-timeout',
  title: 'DAM takes too long',
  message: 'DAM did not answer in time. Nothing that was saved is lost. Try again in a moment.',
  retryAfterSeconds: 10,
  details: {},
}

export const notFound: OwnAnswer = {
  code: 'not-found',
  title: 'Not found',
  message: 'Not found.',
  retryAfterSeconds: null,
  details: {},
}

export const ambiguous = (message: string): OwnAnswer => ({
  code: 'invalid-request',
  title: 'This request cannot be understood',
  message,
  retryAfterSeconds: null,
  details: {},
})

export function inMaintenance(maintenance: NonNullable<Pointer['maintenance']>, now: Date): OwnAnswer {
  const { mode, reason, until } = maintenance
  const secondsLeft = until === null ? 60 : Math.ceil((Date.parse(until) - now.getTime()) / 1000)
  const end = until === null ? '' : ` It is expected to end at ${until.slice(0, 16).replace('T', ' ')} UTC.`
  const what =
    mode === 'full'
      ? 'DAM is in maintenance.'
      : 'DAM is in maintenance and takes no changes. Browsing, search and download work; uploads go on by themselves afterwards.'
  return {
    code: 'maintenance',
    title: 'DAM is in maintenance',
    message: `${what} Reason: ${reason.replace(/\.?$/, '.')}${end}`,
    retryAfterSeconds: Math.min(3_600, Math.max(10, secondsLeft)),
    details: { mode, reason, until },
  }
}

/** Problem JSON for programs, a page for people. */
export function sendOwnAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: OwnAnswer,
  options: { closes: boolean },
): void {
  const isForProgram =
    (request.url ?? '').startsWith('/api/') || !/text\/html|\*\/\*/.test(request.headers.accept ?? '*/*')
  const body = isForProgram ? JSON.stringify(problemOf(answer)) : pageOf(answer)
  const headers: OutgoingHttpHeaders = {
    'content-type': isForProgram ? 'application/problem+json; charset=utf-8' : 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
  if (!isForProgram) headers['content-security-policy'] = "default-src 'none'; style-src 'unsafe-inline'"
  if (answer.retryAfterSeconds !== null) {
    headers['retry-after'] = String(answer.retryAfterSeconds)
    if (!isForProgram) headers['refresh'] = String(answer.retryAfterSeconds)
  }
  if (options.closes) headers.connection = 'close'
  response.writeHead(problemStatus[answer.code], headers)
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** `/health` during maintenance: the runbook's body, and that it is maintenance. */
export function sendHealthInMaintenance(
  response: ServerResponse,
  pointer: Pointer,
  now: Date,
  options: { closes: boolean },
): void {
  const body = JSON.stringify({
    status: 'healthy',
    version: pointer.active?.tag.replace(/^v/, '') ?? 'unknown',
    timestamp: now.toISOString().replace(/\.\d+Z$/, 'Z'),
    maintenance: true,
    reason: pointer.maintenance?.reason,
    until: pointer.maintenance?.until,
  })
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(options.closes ? { connection: 'close' } : {}),
  })
  response.end(body)
}

const problemOf = ({ code, message, retryAfterSeconds, details }: OwnAnswer): ProblemBody => ({
  detail: message,
  error: {
    code,
    message,
    details: retryAfterSeconds === null ? details : { ...details, retry_after: retryAfterSeconds },
    request_id: randomUUID(),
  },
})

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign)

const pageOf = ({ title, message, retryAfterSeconds }: OwnAnswer): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}</title>
<style>body{font:1rem/1.6 system-ui,sans-serif;margin:18vh auto 0;max-width:34rem;padding:0 1.5rem;color:#222;background:#fafafa}
h1{font-size:1.4rem;font-weight:600}@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}}</style>
<h1>${escape(title)}</h1><p>${escape(message)}</p>${retryAfterSeconds === null ? '' : '<p>This page tries again by itself.</p>'}</html>
`
