import type { FastifyInstance } from 'fastify'
import { sql, type Database } from '@dam/platform/database'
import type { Cache } from '@dam/platform/cache'
import type { Signals } from './signals.ts'

export type HealthDeps = {
  database: Database
  cache: Cache
  signals: Signals
  version: string
  isStopping: () => boolean
  storageReady: () => Promise<boolean>
}

/** True when a connection answers within a second. */
export async function databaseAnswers(database: Database): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), 1_000)
  })
  try {
    return await Promise.race([database.run(sql`select 1`).then(() => true), late])
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The runbook's endpoints, word for word, and the two probes: `/livez` = the event loop turns, `/readyz` = this process can serve.
 * `/health` never looks deeper, so that a database outage does not take every instance out of a load balancer at once.
 */
export function healthRoutes(app: FastifyInstance, deps: HealthDeps): void {
  const timestamp = (): string => new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  app.get('/health', async (_, reply) => {
    void reply.header('cache-control', 'no-store')
    return { status: 'healthy', version: deps.version, timestamp: timestamp() }
  })
  app.get('/api/health', async (_, reply) => {
    const [databaseUp, storageUp] = await Promise.all([
      databaseAnswers(deps.database),
      deps.storageReady().catch(() => false),
    ])
    const cacheUp = deps.cache.isConnected()
    void reply.header('cache-control', 'no-store').code(databaseUp && storageUp ? 200 : 503)
    return {
      status: databaseUp && storageUp ? (cacheUp ? 'healthy' : 'degraded') : 'unhealthy',
      database: databaseUp ? 'connected' : 'disconnected',
      cache: cacheUp ? 'connected' : 'disconnected',
      version: deps.version,
      storage: storageUp ? 'available' : 'unavailable',
    }
  })
  app.get('/livez', async (_, reply) => reply.header('cache-control', 'no-store').type('text/plain').send('alive\n'))
  app.get('/readyz', async (_, reply) => {
    const ready = !deps.isStopping() && (await databaseAnswers(deps.database))
    return reply
      .header('cache-control', 'no-store')
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(ready ? `ready ${deps.version}\n` : 'not ready\n')
  })
  app.get('/metrics', async (_, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type('text/plain; version=0.0.4; charset=utf-8')
      .send(await deps.signals.render()),
  )
}
