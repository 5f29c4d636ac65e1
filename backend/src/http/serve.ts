import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { apiBase, Problem, problemStatus, type RouteName } from '@dam/contract'
import { problemOfParse } from '@dam/contract/problem-of-parse'
import { endpoints, routes, type Endpoint } from '@dam/contract/endpoints'
import { runInContext, type Context as LogContext } from '@dam/platform/context'
import type { Database } from '@dam/platform/database'
import type { MaintenanceFile } from '@dam/platform/maintenance-file'
import type { Log } from '@dam/platform/log'
import type { Signals } from '../operations/signals.ts'
import { isAtLeast, type Principal } from '../people/access.ts'
import type { Authenticator } from '../people/authenticate.ts'
import { refusedInMaintenance } from '../operations/maintenance.ts'
import { compressJson } from './compress-json.ts'
import type { Context, Handlers } from './handler.ts'
import { once } from './idempotency.ts'
import { limitBodyTime } from './limit-body-time.ts'
import type { Origins } from '@dam/platform/http/origin'
import { problemOf, sendProblem } from './problem-reply.ts'
import { securityHeaders } from '@dam/platform/http/security-headers'
import { followUnusedConnections } from '@dam/platform/http/unused-connections'

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | undefined
    wasRefusedInMaintenance: boolean
  }
}

export type ServeDeps = {
  handlers: Handlers
  database: Database
  authenticator: Authenticator
  origins: Origins
  signals: Signals
  log: Log
  isHttps: boolean
  trustProxy: boolean
  /** Answers a request before the router sees it and says so with true. */
  fastLane?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Refuses new work while the process is stopping. */
  isStopping: () => boolean
  maintenance: () => MaintenanceFile
}

const bodyLimitBytes = 2 * 1024 * 1024
/** Time for such a body to arrive. */
const bodyLimitMs = 60_000

const templateOf = (name: RouteName): string => apiBase + routes[name].path.replace(/\{(\w+)\}/g, ':$1')
const isStream = new Set(
  (Object.keys(endpoints) as RouteName[]).filter((name) => 'bodyType' in endpoints[name]).map(templateOf),
)

/** The HTTP server: every endpoint of the contract with its handler behind parsing, sign-in, access, and one translation of problems. */
export function serve(deps: ServeDeps): FastifyInstance {
  const headers = securityHeaders(deps.isHttps)
  const app = Fastify({
    bodyLimit: bodyLimitBytes,
    // One hop: of the addresses in X-Forwarded-For only the last is our proxy's word, the others are the client's.
    trustProxy: deps.trustProxy && ((_address: string, hop: number) => hop < 1),
    logger: false,
    genReqId: () => randomUUID(),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 300 },
    // Uploads set their own limits on silence; a slow header is cut after 15 seconds.
    requestTimeout: 0,
    connectionTimeout: 0,
    keepAliveTimeout: 65_000,
    http: { headersTimeout: 15_000, maxHeaderSize: 16_384, connectionsCheckingInterval: 5_000 },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  })
  const endUnusedConnections = followUnusedConnections(app.server)
  app.addHook('preClose', (done) => {
    const timer = setInterval(endUnusedConnections, 50)
    app.server.once('close', () => clearInterval(timer))
    done()
  })
  if (deps.fastLane) {
    const { fastLane } = deps
    const [listener] = app.server.listeners('request') as ((
      request: IncomingMessage,
      response: ServerResponse,
    ) => void)[]
    if (listener) {
      app.server.removeAllListeners('request')
      app.server.on('request', (request, response) => {
        if (!fastLane(request, response)) listener(request, response)
      })
    }
  }

  const raw = (_: FastifyRequest, __: IncomingMessage, done: (error: null, body: undefined) => void): void =>
    done(null, undefined)
  app.addContentTypeParser(['application/offset+octet-stream', 'multipart/form-data'], raw)
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))))
  })
  app.decorateRequest('principal', undefined)
  app.decorateRequest('wasRefusedInMaintenance', false)

  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers(headers.api)
    const context: LogContext = { request_id: request.id }
    // Uploads set their own limits on silence; what they leave unread must end, too.
    if (!isStream.has(request.routeOptions.url ?? '')) limitBodyTime(request.raw, bodyLimitMs)
    else reply.raw.once('finish', () => limitBodyTime(request.raw, bodyLimitMs))
    runInContext(context, () => done())
  })
  compressJson(app)
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched'
    // What a maintenance window refused was announced and is no error.
    if (request.wasRefusedInMaintenance) deps.signals.refusedInMaintenance()
    else
      deps.signals.requestDone({
        method: request.method,
        route,
        status: reply.statusCode,
        durationMs: reply.elapsedTime,
      })
    const user = request.principal
      ? { user_id: request.principal.id, ref: `user_id:${request.principal.id} request_id:${request.id}` }
      : {}
    deps.log.info('request', {
      method: request.method,
      path: pathForLog(request.url),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      request_id: request.id,
      ...user,
    })
    done()
  })

  for (const name of Object.keys(endpoints) as RouteName[]) register(app, name, deps)

  app.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply))
  app.setNotFoundHandler((request, reply) => {
    const allowed = methodsOf(request.url)
    if (allowed.length > 0) {
      void reply.header('allow', allowed.join(', '))
      return sendProblem(
        reply,
        new Problem(
          'method-not-allowed',
          `Method ${request.method} is not allowed here. Allowed: ${allowed.join(', ')}.`,
        ),
        request.id,
      )
    }
    return sendProblem(reply, new Problem('not-found', 'Not found.'), request.id)
  })
  return app
}

function register(app: FastifyInstance, name: RouteName, deps: ServeDeps): void {
  const endpoint: Endpoint = endpoints[name]
  const { method } = routes[name]
  const handler = deps.handlers[name] as (input: unknown, context: Context) => Promise<unknown>
  const isUnsafe = !['GET', 'HEAD', 'OPTIONS'].includes(method)

  app.route({
    method,
    url: templateOf(name),
    ...(endpoint.bodyType ? { bodyLimit: Number.MAX_SAFE_INTEGER } : {}),
    exposeHeadRoute: method === 'GET',
    onRequest: async (request, reply) => {
      if (deps.isStopping() && isUnsafe)
        throw new Problem('shutting-down', 'DAM is restarting. Try again in a few seconds.')
      const refusal = refusedInMaintenance(deps.maintenance(), name, new Date())
      if (refusal) {
        request.wasRefusedInMaintenance = true
        throw refusal
      }
      const credential = deps.authenticator.credentialOf(request.raw)
      if (isUnsafe && credential?.via !== 'header')
        deps.origins.demandSameOrigin(request.raw, credential?.via === 'cookie')
      request.principal = credential ? await deps.authenticator.authenticate(credential) : undefined
      if (endpoint.access === 'public') return
      if (!request.principal)
        throw new Problem(
          'not-authenticated',
          'Authentication credentials were not provided or are not valid any more.',
        )
      if (!isAtLeast(request.principal.role, endpoint.access)) {
        throw new Problem('not-allowed', `This needs the role ${endpoint.access}; yours is ${request.principal.role}.`)
      }
      void reply.header('cache-control', 'private, no-store')
    },
    handler: (request, reply) => {
      const context: LogContext = {
        request_id: request.id,
        ...(request.principal ? { user_id: request.principal.id } : {}),
      }
      return runInContext(context, () => answer(endpoint, name, handler, deps, request, reply))
    },
  })
}

async function answer(
  endpoint: Endpoint,
  name: RouteName,
  handler: (input: unknown, context: Context) => Promise<unknown>,
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
  const { principal } = request
  const context: Context = {
    principal: principal as Principal,
    request,
    reply,
    origin: deps.origins.originOf(request.raw),
    get signal() {
      return request.signal
    },
  }
  const key = request.headers['idempotency-key']
  if (typeof key === 'string' && request.method === 'POST' && principal && !endpoint.bodyType && !endpoint.readsOnly) {
    const answered = await once(
      deps.database,
      { accountId: principal.id, key, route: `${name} ${JSON.stringify(request.params)}`, body: request.body },
      async () => {
        const body = await handler(input, context)
        return { status: statusOf(reply, endpoint, body), body }
      },
    )
    void reply.code(answered.status)
    return answered.body === undefined ? reply.send() : answered.body
  }
  const body = await handler(input, context)
  if (reply.sent || body === reply) return reply
  void reply.code(statusOf(reply, endpoint, body))
  return body === undefined ? reply.send() : body
}

/** A handler that set a status other than 200 meant it. */
const statusOf = (reply: FastifyReply, endpoint: Endpoint, body: unknown): number =>
  reply.statusCode !== 200 ? reply.statusCode : body === undefined && endpoint.status === 200 ? 204 : endpoint.status

function answerError(deps: ServeDeps, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error)
  const status = problemStatus[problem.code]
  // The request counts as destroyed as soon as its body was read; the socket tells whether the client is there.
  if (status >= 500 && problem.code !== 'maintenance' && !request.raw.socket.destroyed) {
    const cause = problem.cause ?? problem
    const user = request.principal ? { user_id: request.principal.id } : {}
    runInContext({ request_id: request.id, ...user }, () =>
      deps.log.error(`${request.method} ${request.routeOptions.url ?? pathForLog(request.url)} failed`, {
        error: cause,
        code: problem.code,
        route: request.routeOptions.url ?? '',
      }),
    )
  }
  return sendProblem(reply, problem, request.id)
}

const pathForLog = (url: string): string => (url.split('?', 1)[0] ?? '').slice(0, 200)

const patterns = Object.values(routes).map(({ method, path }) => ({
  method,
  pattern: new RegExp(`^${apiBase}${path.replace(/\/$/, '').replace(/\{\w+\}/g, '[^/]+')}/?$`),
}))

function methodsOf(url: string): string[] {
  const path = url.split('?', 1)[0] ?? ''
  const found = new Set<string>()
  for (const { method, pattern } of patterns) if (pattern.test(path)) found.add(method)
  return [...found]
}
