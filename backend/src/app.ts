import type { FastifyInstance } from 'fastify'
import { Problem } from '@dam/contract'
import type { Cache } from '@dam/platform/cache'
import type { Database } from '@dam/platform/database'
import type { Log } from '@dam/platform/log'
import { followMaintenanceFile } from '@dam/platform/maintenance-file'
import { assetHandlers } from './assets/asset-routes.ts'
import { downloadHandlers } from './assets/download-routes.ts'
import { findAssetDetail } from './assets/asset-detail.ts'
import { createRenditionMemory } from './assets/rendition-memory.ts'
import { createSummaryCache } from './assets/summary-cache.ts'
import { createThumbnailLane } from './assets/thumbnail-lane.ts'
import { collectionHandlers } from './collections/collection-routes.ts'
import { dataFolders, type Config } from './config.ts'
import { eventHandlers } from './events/event-handlers.ts'
import type { Hub } from './events/hub.ts'
import { feedbackHandlers } from './feedback/feedback-routes.ts'
import { docsRoutes } from './http/docs-page.ts'
import type { Handlers } from './http/handler.ts'
import { createOrigins } from '@dam/platform/http/origin'
import { securityHeaders } from '@dam/platform/http/security-headers'
import { serve } from './http/serve.ts'
import { webApplication } from './http/web-application.ts'
import { probeCapabilities } from './ingest/capabilities.ts'
import { healthRoutes } from './operations/health-routes.ts'
import { isClosed } from './operations/maintenance.ts'
import { operationHandlers } from './operations/operation-handlers.ts'
import { createReadiness } from './operations/readiness.ts'
import { releaseName, type Release } from './operations/release.ts'
import type { Signals } from './operations/signals.ts'
import { accessLevelOf, visibleAssets } from './people/access.ts'
import type { Authenticator } from './people/authenticate.ts'
import { peopleHandlers } from './people/people-handlers.ts'
import { searchHandlers } from './search/search-routes.ts'
import type { BlobStore } from './storage/blob-store.ts'
import { tagHandlers } from './tags/tag-routes.ts'
import { taskHandlers } from './tasks/task-routes.ts'
import { trashHandlers } from './trash/trash-routes.ts'
import { startJanitor } from './tasks/start-janitor.ts'
import { openUploads } from './uploads/open-uploads.ts'
import { startRecovery } from './uploads/recover-uploads.ts'
import { applyTusMethod } from './uploads/tus-method.ts'
import { uploadHandlers } from './uploads/upload-routes.ts'

export type AppDeps = {
  config: Config
  database: Database
  cache: Cache
  authenticator: Authenticator
  signals: Signals
  hub: Hub
  blobs: BlobStore
  log: Log
  release: Release
  cookieName: string
  isHttps: boolean
  frontendDir: string
}

const apiTokenDays = 365

/** Puts the web server together; listens to nothing yet. `close` ends streams, has uploads keep what arrived, and waits for what is being answered. */
export async function createApp(deps: AppDeps): Promise<{ app: FastifyInstance; close(): Promise<void> }> {
  const { config, database, cache, authenticator, signals, hub, blobs, log, release } = deps
  const { version } = release
  let stopping = false
  const isStopping = (): boolean => stopping
  const streams = new Set<() => void>()
  const storageReady = (): Promise<boolean> => blobs.isReady()
  const capabilities = (): Promise<Awaited<ReturnType<typeof probeCapabilities>>['capabilities']> =>
    cache.remember('capabilities', 30, async () => (await probeCapabilities(config.searchPath)).capabilities)

  const maintenance = followMaintenanceFile(config.dataDir)
  const summaries = createSummaryCache((hits, misses) => {
    if (hits > 0) signals.cacheRead('summaries', true, hits)
    if (misses > 0) signals.cacheRead('summaries', false, misses)
  })
  const memory = createRenditionMemory((hit) => signals.cacheRead('renditions', hit))
  const { page, api } = securityHeaders(deps.isHttps)
  const lane = createThumbnailLane({
    database,
    authenticator,
    memory,
    signals,
    headers: api,
    onError: (error) => log.warn('access to thumbnails not renewed', { error }),
  })
  const uploads = await openUploads({
    config,
    database,
    blobs,
    log,
    signals,
    readAsset: async (principal, id, origin) => {
      const asset = await findAssetDetail(database, id, visibleAssets(principal, 'all'), {
        origin,
        accessLevel: accessLevelOf(principal),
      })
      if (!asset) throw new Problem('asset-not-found', 'There is no such asset.')
      return asset
    },
  })

  const handlers: Handlers = {
    ...assetHandlers({ database, summaries }),
    ...searchHandlers({ database, summaries, signals }),
    ...downloadHandlers({
      database,
      blobs,
      renditionsFolder: dataFolders(config).renditions,
      memory,
      onAllowed: lane.allow,
      log,
    }),
    ...uploadHandlers(uploads),
    ...collectionHandlers({ database, summaries }),
    ...tagHandlers({ database }),
    ...trashHandlers({ database, summaries }),
    ...taskHandlers({ database }),
    ...peopleHandlers({
      database,
      authenticator,
      cookieName: deps.cookieName,
      secureCookie: deps.isHttps,
      sessionDays: config.sessionDays,
      tokenDays: apiTokenDays,
      version,
    }),
    ...feedbackHandlers({ database, release: releaseName(release) }),
    ...eventHandlers({ database, hub, authenticator, streams }),
    ...operationHandlers({
      database,
      cache,
      version,
      dataDir: config.dataDir,
      capabilities,
      storageReady,
      maintenance: maintenance.now,
    }),
  }

  const app = serve({
    handlers,
    database,
    authenticator,
    signals,
    log,
    origins: createOrigins({ publicUrl: config.publicUrl, host: config.host, port: () => config.port }),
    isHttps: deps.isHttps,
    trustProxy: config.trustProxy,
    isStopping,
    maintenance: maintenance.now,
    fastLane: (request, response) => {
      applyTusMethod(request)
      return isClosed(maintenance.now()) ? false : lane.answer(request, response)
    },
  })
  const readiness = createReadiness({ database, isStopping, storageReady })
  healthRoutes(app, { database, cache, signals, release, readiness, storageReady, maintenance: maintenance.now })
  docsRoutes(app, version, page)
  webApplication(app, deps.frontendDir, page)

  const janitor = startJanitor({ database, blobs, locks: uploads.locks, log })
  const recovery = startRecovery(uploads)

  return {
    app,
    close: async () => {
      stopping = true
      for (const end of streams) end()
      uploads.locks.interruptAll()
      await app.close()
      await recovery[Symbol.asyncDispose]()
      await janitor[Symbol.asyncDispose]()
      maintenance[Symbol.dispose]()
      await uploads.locks[Symbol.asyncDispose]()
    },
  }
}
