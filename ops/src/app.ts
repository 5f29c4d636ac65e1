import path from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { answerBuiltFile, readBuiltFiles, type BuiltFile } from '@dam/platform/http/built-files'
import { createOrigins } from '@dam/platform/http/origin'
import { securityHeaders } from '@dam/platform/http/security-headers'
import type { Log } from '@dam/platform/log'
import { openCommandRunner, settleActions } from './actions/run-command.ts'
import type { OpsConfig } from './config.ts'
import { maintenanceSpans, type MaintenanceSpan } from './console/maintenance-spans.ts'
import { operationMetrics, type MetricsRenderer } from './console/metrics.ts'
import { inspectionHandlers } from './console/inspection-handlers.ts'
import { judgeHandlers } from './console/judge-handlers.ts'
import { maintenanceHandlers } from './console/maintenance-handlers.ts'
import { operationHandlers } from './console/operation-handlers.ts'
import { peopleHandlers } from './console/people-handlers.ts'
import { probeEnvironments } from './console/probe-environments.ts'
import { serve } from './console/serve.ts'
import { watchChanges } from './console/watch-changes.ts'
import { deleteOldAnalyses } from './engines/analysis-store.ts'
import { watchHandlers } from './console/watch-handlers.ts'
import type { Environment } from './environments/environment.ts'
import { describeChannel } from './notify/describe-channels.ts'
import { openChannels } from './notify/start-sender.ts'
import { scheduleFeed } from './oncall/ical.ts'
import { findFeed } from './oncall/calendar-feed.ts'
import { readSchedule } from './oncall/oncall-store.ts'
import { findShift, roleInShift } from './oncall/shift-rights.ts'
import type { Policy } from './policy/policy.ts'
import { openBucketReader } from './signals/read-buckets.ts'
import { serveStatus } from './status-page/serve-status.ts'
import { forgetUnconfirmed } from './status-page/subscription-store.ts'
import { addUpUptime } from './status-page/uptime.ts'
import { backupJobs } from './scheduler/backup-jobs.ts'
import { every, startScheduler, type Job } from './scheduler/scheduler.ts'
import { deleteExpiredSessions } from './people/operator-session-store.ts'
import { deleteOldTries } from './people/sign-in-limit.ts'
import type { Store } from './store.ts'

export type AppInput = {
  config: OpsConfig
  store: Store
  environments: () => readonly Environment[]
  log: Log
  version: string
  /** The checkout or release this runs from. */
  root: string
  /** What commands started from the console see. */
  environment: Record<string, string | undefined>
  /** Folder for what such commands print. */
  outputs: string
  policy: () => Policy
  /** Of the policy's file, for those who compare it with what was exported. */
  policyHash?: () => string
  /** Further work and figures of other parts. */
  jobs?: readonly Job[]
  metrics?: readonly MetricsRenderer[]
}

export type App = { http: FastifyInstance; close(): Promise<void> }

/** Puts the ops process together: API, console, changes, scheduler. Needs the store and nothing of the application. */
export function createApp(input: AppInput): App {
  const { config, store, log } = input
  const now = (): Date => new Date()
  const isHttps = config.opsPublicUrl?.startsWith('https:') ?? false
  const cookieName = isHttps ? '__Host-dam_ops' : 'dam_ops'
  const probes = probeEnvironments(input.environments)
  const changes = watchChanges(store)
  const streams = { open: new Set<() => void>() }
  const commands = openCommandRunner(store, {
    program: path.join(input.root, 'command/src/main.ts'),
    cwd: input.root,
    environment: input.environment,
    outputs: input.outputs,
  })
  settleActions(store, now())
  const { policy } = input
  const channels = openChannels(config, config.opsPublicUrl ?? '')
  const windows = (environment: string, from: Date, until: Date): MaintenanceSpan[] =>
    maintenanceSpans(store, environment, from, until)
  const baseUrl = config.opsPublicUrl ?? `http://${config.opsHost}:${config.opsPort}`
  const publicEnvironments = (): string[] =>
    input
      .environments()
      .map(({ name }) => name)
      .filter((name) => config.statusEnvironments.includes(name))
  const http: FastifyInstance = serve({
    handlers: {
      ...peopleHandlers({
        store,
        cookieName,
        isHttps,
        version: input.version,
        isHosted: config.hostDir !== undefined,
        shiftOf: (principal, at) => findShift(store, policy(), principal, at),
      }),
      ...inspectionHandlers({ store, policy, environments: input.environments, commands }),
      ...judgeHandlers({
        store,
        policy,
        prometheusUrl: config.prometheusUrl,
      }),
      ...maintenanceHandlers({
        store,
        policy,
        environments: input.environments,
        commands,
        hostDir: config.hostDir,
        opsDir: path.dirname(input.outputs),
      }),
      ...watchHandlers({
        store,
        policy,
        policyHash: () => input.policyHash?.() ?? null,
        environments: input.environments,
        publicEnvironments,
        windows,
        buckets: openBucketReader(store),
        channelState: (address) =>
          describeChannel(channels, (kind) => config.notifyModes?.get(kind) ?? 'live', address),
        baseUrl,
      }),
      ...operationHandlers({
        store,
        environments: input.environments,
        probes,
        changes,
        streams,
        commands,
        cookieName,
        hostDir: config.hostDir,
        checkout: input.root,
        now,
      }),
    },
    store,
    origins: createOrigins({
      publicUrl: config.opsPublicUrl,
      host: config.opsHost,
      port: () => (http.server.address() as { port: number } | null)?.port ?? config.opsPort,
    }),
    log,
    cookieName,
    isHttps,
    trustProxy: config.trustProxy,
    roleOf: (principal, at) => roleInShift(store, policy(), principal, at),
    now,
  })
  ownHealth(http, input.version, [
    operationMetrics({ store, environments: input.environments, probes }),
    ...(input.metrics ?? []),
  ])
  calendarFeed(http, store, policy, now)
  serveStatus(http, {
    store,
    environments: publicEnvironments,
    probes,
    windows,
    serviceName: () => policy().service.name,
    baseUrl,
    headers: securityHeaders(isHttps).page,
    now,
  })
  consolePages(http, path.join(input.root, 'frontend/dist-console'), securityHeaders(isHttps).page)
  const scheduler = startScheduler({
    store,
    jobs: [
      ...ownJobs(store, publicEnvironments),
      ...backupJobs({
        store,
        environments: input.environments().map(({ name }) => name),
        policy,
        run: commands.finish,
      }),
      ...(input.jobs ?? []),
    ],
    log,
    now,
  })
  return {
    http,
    close: async () => {
      probes[Symbol.dispose]()
      changes[Symbol.dispose]()
      for (const end of streams.open) end()
      await http.close()
      await channels[Symbol.asyncDispose]()
      await scheduler[Symbol.asyncDispose]()
    },
  }
}

const hourMs = 3_600_000

const ownJobs = (store: Store, publicEnvironments: () => readonly string[]): Job[] => [
  {
    name: 'uptime of the status page',
    next: every(hourMs),
    boundMs: 5 * 60_000,
    run: async ({ now }) => {
      for (const environment of publicEnvironments()) await addUpUptime(store, environment, now)
    },
  },
  {
    name: 'console upkeep',
    next: every(hourMs),
    boundMs: 60_000,
    run: async ({ now }) => {
      deleteExpiredSessions(store, now)
      deleteOldTries(store, now)
      deleteOldAnalyses(store, now)
      forgetUnconfirmed(store, now)
    },
  },
]

function ownHealth(http: FastifyInstance, version: string, metrics: readonly MetricsRenderer[]): void {
  http.get('/health', (_, reply) =>
    reply.header('cache-control', 'no-store').send({
      status: 'healthy',
      version,
      timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    }),
  )
  for (const probe of ['/livez', '/readyz'])
    http.get(probe, (_, reply) => reply.header('cache-control', 'no-store').type('text/plain').send('alive\n'))
  http.get('/metrics', (_, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type('text/plain; version=0.0.4; charset=utf-8')
      .send(metrics.map((render) => render(new Date())).join('')),
  )
}

const feedDays = 120

/** Calendars send no cookie: the token in the address is the key, and opens nothing but this. */
function calendarFeed(http: FastifyInstance, store: Store, policy: () => Policy, now: () => Date): void {
  http.get('/api/ops/v1/oncall.ics', (request, reply) => {
    const { token } = request.query as Record<string, unknown>
    const feed = typeof token === 'string' ? findFeed(store, token) : undefined
    if (!feed) return reply.callNotFound()
    const { people, service } = policy()
    const at = now()
    return reply
      .header('cache-control', 'private, max-age=300')
      .type('text/calendar; charset=utf-8')
      .send(
        scheduleFeed(readSchedule(store, policy(), at), {
          people,
          ...(feed.person === null ? {} : { person: feed.person }),
          now: at,
          days: feedDays,
          host: new URL(service.productionUrl).hostname,
        }),
      )
  })
}

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>DAM operations</title><body><h1>The console is not built</h1><p>Run <code>./dam build</code> and load this page again. The API and ./dam work meanwhile.</p></body></html>`

/** The console as it was built when it was first asked for; files are read only then. */
function consolePages(http: FastifyInstance, directory: string, pageHeaders: Record<string, string>): void {
  let files: Map<string, BuiltFile> | undefined
  const send = (file: BuiltFile, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { status, headers, body } = answerBuiltFile(file, request.headers)
    return reply.code(status).headers(pageHeaders).headers(headers).send(body)
  }
  http.get('/*', (request, reply) => {
    if (!files?.size) files = readBuiltFiles(directory)
    const pathname = request.url.split('?', 1)[0] ?? ''
    const file = files.get(pathname)
    if (file) return send(file, request, reply)
    if (pathname.startsWith('/api/') || /\.[a-z0-9]{1,12}$/i.test(pathname)) return reply.callNotFound()
    const index = files.get('/index.html')
    if (index) return send(index, request, reply)
    return reply.code(503).headers(pageHeaders).type('text/html; charset=utf-8').send(notBuilt)
  })
}
