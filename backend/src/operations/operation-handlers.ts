import { statfs } from 'node:fs/promises'
import type { Capability } from '@dam/contract'
import type { Cache } from '@dam/platform/cache'
import { sql, type Database } from '@dam/platform/database'
import type { MaintenanceFile } from '@dam/platform/maintenance-file'
import type { Handlers } from '../http/handler.ts'
import { openapi } from '../http/openapi.ts'
import { databaseAnswers } from './database-answers.ts'
import { shownMaintenance } from './maintenance.ts'
import { liveWorkers, queueState } from './queue-store.ts'

export type OperationDeps = {
  database: Database
  cache: Cache
  version: string
  dataDir: string
  capabilities: () => Promise<Capability[]>
  storageReady: () => Promise<boolean>
  maintenance: () => MaintenanceFile
}

export function operationHandlers(
  deps: OperationDeps,
): Pick<Handlers, 'getSystemHealth' | 'getSchema' | 'getMaintenance'> {
  const schema = openapi(deps.version)
  const { database } = deps
  return {
    getSchema: async (_, { reply }) => reply.type('application/json; charset=utf-8').send(schema),
    getMaintenance: async (_, { reply }) => {
      void reply.header('cache-control', 'no-store')
      return shownMaintenance(deps.maintenance(), new Date())
    },
    getSystemHealth: async () => {
      const [databaseUp, storageUp, space, capabilities] = await Promise.all([
        databaseAnswers(database),
        deps.storageReady().catch(() => false),
        statfs(deps.dataDir),
        deps.capabilities(),
      ])
      const [server, queue, workers, sums] = databaseUp
        ? await Promise.all([
            database.row<{ version: string }>(sql`select current_setting('server_version') as version`),
            queueState(database),
            liveWorkers(database),
            database.row<{ assets: number; bytes: number; trash: number }>(sql`
              select coalesce(sum(delta) filter (where scope = 'type'), 0)::float8 as assets,
                coalesce(sum(delta) filter (where scope = 'bytes'), 0)::float8 as bytes,
                coalesce(sum(delta) filter (where scope = 'trash'), 0)::float8 as trash
              from asset_tally where scope in ('type', 'bytes', 'trash')`),
          ])
        : [undefined, { waiting: 0, running: 0, failed: 0, oldestSeconds: 0 }, [], undefined]
      const cacheUp = deps.cache.isConnected()
      return {
        status: !databaseUp || !storageUp ? 'unhealthy' : !cacheUp || workers.length === 0 ? 'degraded' : 'healthy',
        version: deps.version,
        database: {
          status: databaseUp ? 'connected' : 'disconnected',
          version: server?.version ?? null,
          pool: database.stats(),
        },
        cache: { status: cacheUp ? 'connected' : 'disconnected', kind: deps.cache.kind },
        storage: {
          path: deps.dataDir,
          free_bytes: space.bavail * space.bsize,
          total_bytes: space.blocks * space.bsize,
          assets: sums?.assets ?? 0,
          asset_bytes: sums?.bytes ?? 0,
          trash: sums?.trash ?? 0,
        },
        queue: {
          waiting: queue.waiting,
          running: queue.running,
          failed: queue.failed,
          oldest_seconds: queue.oldestSeconds,
        },
        workers: workers.map((worker) => ({
          id: worker.id,
          started_at: worker.startedAt.toISOString(),
          renewed_at: worker.renewedAt.toISOString(),
        })),
        capabilities,
      }
    },
  }
}
