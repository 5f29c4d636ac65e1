import type { FastifyInstance } from 'fastify'
import type { Cache } from '@dam/platform/cache'
import type { Database } from '@dam/platform/database'
import type { MaintenanceFile } from '@dam/platform/maintenance-file'
import { databaseAnswers } from './database-answers.ts'
import type { Readiness } from './readiness.ts'
import { releaseName, type Release } from './release.ts'
import type { Signals } from './signals.ts'

export type HealthDeps = {
  database: Database
  cache: Cache
  signals: Signals
  release: Release
  readiness: Readiness
  storageReady: () => Promise<boolean>
  maintenance: () => MaintenanceFile
}

/**
 * The runbook's endpoints, word for word, and the two probes: `/livez` = the event loop turns, `/readyz` = this process can serve; the
 * header `x-dam-release` says which release answered. `/health` never looks deeper, so that a database outage does not take every instance out of a load balancer at once.
 */
export function healthRoutes(app: FastifyInstance, deps: HealthDeps): void {
  const { version } = deps.release
  const identity = { 'cache-control': 'no-store', 'x-dam-release': releaseName(deps.release) }
  const timestamp = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  app.get('/health', async (_, reply) => {
    void reply.headers(identity)
    const { current } = deps.maintenance()
    return { status: 'healthy', version, timestamp: timestamp(), ...(current ? { maintenance: true } : {}) }
  })
  app.get('/api/health', async (_, reply) => {
    const [databaseUp, storageUp] = await Promise.all([
      databaseAnswers(deps.database),
      deps.storageReady().catch(() => false),
    ])
    const cacheUp = deps.cache.isConnected()
    void reply.headers(identity).code(databaseUp && storageUp ? 200 : 503)
    return {
      status: databaseUp && storageUp ? (cacheUp ? 'healthy' : 'degraded') : 'unhealthy',
      database: databaseUp ? 'connected' : 'disconnected',
      cache: cacheUp ? 'connected' : 'disconnected',
      version,
      storage: storageUp ? 'available' : 'unavailable',
    }
  })
  app.get('/livez', async (_, reply) => reply.headers(identity).type('text/plain').send('alive\n'))
  app.get('/readyz', async (_, reply) => {
    const because = await deps.readiness()
    return reply
      .headers(identity)
      .code(because === null ? 200 : 503)
      .type('text/plain')
      .send(because === null ? `ready ${version}\n` : `not ready: ${because}\n`)
  })
  app.get('/metrics', async (_, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type('text/plain; version=0.0.4; charset=utf-8')
      .send(await deps.signals.render()),
  )
}
