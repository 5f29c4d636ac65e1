import { randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { Problem, problemBody, problemStatus } from '@dam/contract'
import { opsEndpoints, type OpsEndpoint } from '@dam/contract/ops-endpoints'
import type { OperatorRole } from '@dam/contract/ops-types'
import { opsApiBase, opsRoutes, type OpsRouteName } from '@dam/contract/ops-routes'
import { problemOfParse } from '@dam/contract/problem-of-parse'
import type { Origins } from '@dam/platform/http/origin'
import { securityHeaders } from '@dam/platform/http/security-headers'
import type { Log } from '@dam/platform/log'
import { authenticate, credentialOf, isAtLeast } from '../people/authenticate.ts'
import type { Principal } from '../people/operator-session-store.ts'
import type { Store } from '../store.ts'
import type { Context, Handlers } from './handler.ts'

declare module 'fastify' {
  interface FastifyRequest {
    operator: Principal | undefined
  }
}

export type ServeDeps = {
  handlers: Handlers
  store: Store
  origins: Origins
  log: Log
  cookieName: string
  isHttps: boolean
  trustProxy: boolean
  /** What a person may do at this moment. */
  roleOf: (principal: Principal, now: Date) => OperatorRole
  now: () => Date
}

/** The HTTP server of operations: every endpoint of the contract with its handler behind sign-in, access and parsing. */
export function serve(deps: ServeDeps): FastifyInstance {
  const headers = securityHeaders(deps.isHttps)
  const app = Fastify({
    bodyLimit: 1024 * 1024,
    trustProxy: deps.trustProxy && ((_address: string, hop: number) => hop < 1),
    logger: false,
    genReqId: () => randomUUID(),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    requestTimeout: 60_000,
    keepAliveTimeout: 65_000,
    http: { headersTimeout: 15_000, maxHeaderSize: 16_384 },
    forceCloseConnections: true,
  })
  app.decorateRequest('operator', undefined)
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(headers.api)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    deps.log.debug('request', {
      method: request.method,
      path: request.url.split('?', 1)[0],
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      operator: request.operator?.username,
    })
    done()
  })
  for (const name of Object.keys(opsEndpoints) as OpsRouteName[]) register(app, name, deps)
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error)
    if (problemStatus[problem.code] >= 500 && !request.raw.socket.destroyed)
      deps.log.error(`${request.method} ${request.routeOptions.url ?? ''} failed`, { error: problem.cause ?? problem })
    return sendProblem(reply, problem, request.id)
  })
  app.setNotFoundHandler((request, reply) => sendProblem(reply, new Problem('not-found', 'Not found.'), request.id))
  return app
}

function register(app: FastifyInstance, name: OpsRouteName, deps: ServeDeps): void {
  const endpoint: OpsEndpoint = opsEndpoints[name]
  const { method, path } = opsRoutes[name]
  const handler = deps.handlers[name] as (input: unknown, context: Context) => unknown
  app.route({
    method,
    url: opsApiBase + path.replace(/\{(\w+)\}/g, ':$1'),
    onRequest: async (request, reply) => {
      void reply.header('cache-control', 'private, no-store')
      const credential = credentialOf(request.raw, deps.cookieName)
      if (method !== 'GET' && credential?.via !== 'header')
        deps.origins.demandSameOrigin(request.raw, credential?.via === 'cookie')
      const principal = credential ? authenticate(deps.store, credential, deps.now()) : undefined
      request.operator = principal && { ...principal, role: deps.roleOf(principal, deps.now()) }
      if (endpoint.access === 'public') return
      if (!request.operator) throw new Problem('not-authenticated', 'Sign in to the console, or send an API token.')
      if (!isAtLeast(request.operator.role, endpoint.access)) {
        throw new Problem('not-allowed', `This needs the role ${endpoint.access}; yours is ${request.operator.role}.`)
      }
    },
    handler: (request, reply) => answer(endpoint, handler, deps, request, reply),
  })
}

async function answer(
  endpoint: OpsEndpoint,
  handler: (input: unknown, context: Context) => unknown,
  deps: ServeDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const input: Record<string, unknown> = {}
  for (const part of ['params', 'query', 'body'] as const) {
    const schema = endpoint[part]
    if (!schema) continue
    const parsed = schema.safeParse(part === 'body' ? (request.body ?? {}) : request[part])
    if (!parsed.success) throw problemOfParse(parsed.error, part)
    input[part] = parsed.data
  }
  const body = await handler(input, { principal: request.operator as Principal, request, reply, now: deps.now() })
  if (reply.sent || body === reply) return reply
  void reply.code(body === undefined ? 204 : endpoint.status)
  return body === undefined ? reply.send() : body
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Problem('payload-too-large', 'The request body is too large.')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new Problem('unsupported-media-type', 'Send the body as application/json.')
  if ((typeof code === 'string' && code.startsWith('FST_ERR_CTP_')) || error instanceof SyntaxError)
    return new Problem('invalid-request', 'The request body is not valid JSON.')
  return new Problem('internal-error', 'Something went wrong in the ops process. Its log has the error.', {
    cause: error,
  })
}

function sendProblem(reply: FastifyReply, problem: Problem, requestId: string): FastifyReply {
  const retryAfter = problem.details['retry_after']
  if (typeof retryAfter === 'number') void reply.header('retry-after', String(Math.ceil(retryAfter)))
  return reply
    .code(problemStatus[problem.code])
    .header('cache-control', 'no-store')
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problemBody(problem, requestId)))
}
