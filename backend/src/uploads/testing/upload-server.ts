import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Problem } from '@dam/contract'
import type { Role } from '@dam/contract'
import { openDatabase, type Database } from '@dam/platform/database'
import { migrateJobs } from '@dam/platform/jobs'
import { openLog } from '@dam/platform/log'
import { followMaintenanceFile } from '@dam/platform/maintenance-file'
import { testDatabase, type TestDatabase } from '@dam/platform/testing/database'
import { findAssetDetail } from '../../assets/asset-detail.ts'
import { assetHandlers } from '../../assets/asset-routes.ts'
import { downloadHandlers } from '../../assets/download-routes.ts'
import { createRenditionMemory } from '../../assets/rendition-memory.ts'
import { createSummaryCache } from '../../assets/summary-cache.ts'
import { createThumbnailLane } from '../../assets/thumbnail-lane.ts'
import type { Handlers } from '../../http/handler.ts'
import { createOrigins } from '@dam/platform/http/origin'
import { serve } from '../../http/serve.ts'
import { createSignals } from '../../operations/signals.ts'
import { accessLevelOf, visibleAssets } from '../../people/access.ts'
import { insertAccount } from '../../people/account-store.ts'
import { createAuthenticator } from '../../people/authenticate.ts'
import { createSession } from '../../people/session-store.ts'
import { openBlobStore } from '../../storage/open-blob-store.ts'
import { openUploads } from '../open-uploads.ts'
import { applyTusMethod } from '../tus-method.ts'
import type { UploadDeps } from '../upload-deps.ts'
import { uploadHandlers } from '../upload-routes.ts'

export type UploadServer = AsyncDisposable & {
  url: string
  folder: string
  connectionString: string
  database: Database
  uploads: UploadDeps
  /** Authorization header of a new account. */
  signIn(role?: Role): Promise<{ id: number; headers: { authorization: string } }>
  /** Fetches a path below the address of the server, as the default editor unless headers say otherwise. */
  fetch(path: string, options?: RequestInit): Promise<Response>
}

/**
 * The HTTP server with real uploads, assets and downloads on a database and a folder of its own, or on those of another one (which is
 * disposed last).
 */
export async function startUploadServer(
  options: { folder?: string; uploadMaxBytes?: number; diskReservePercent?: number; beside?: UploadServer } = {},
): Promise<UploadServer> {
  const testDb = options.beside ? undefined : await testDatabase()
  const connectionString = options.beside?.connectionString ?? (testDb as TestDatabase).connectionString
  await migrateJobs(connectionString)
  const folder = options.beside?.folder ?? options.folder ?? (await mkdtemp(path.join(tmpdir(), 'dam-uploads-')))
  const database = openDatabase({
    connectionString,
    applicationName: 'dam test',
    maxConnections: 8,
  })
  const log = openLog({ directory: path.join(folder, 'logs'), process: 'web', level: 'warn', stdout: false })
  const onError = (error: unknown): void => log.error('unexpected', { error })
  const authenticator = createAuthenticator({ database, cookieName: 'dam_session', sessionDays: 1, onError })
  const signals = createSignals({
    release: { version: 'test', commit: 'test', tag: null },
    dataDir: folder,
    activeUsers: () => 0,
    pool: () => database.stats(),
    cacheUp: () => true,
    queue: async () => ({ waiting: 0, running: 0, failed: 0, oldestSeconds: 0 }),
    satisfaction: async () => ({ ratio: null, people: 0 }),
    databaseUp: async () => true,
    storageUp: async () => true,
    workers: async () => [],
  })
  const folders = {
    blobs: path.join(folder, 'blobs'),
    incoming: path.join(folder, 'incoming'),
    quarantine: path.join(folder, 'quarantine'),
  }
  const blobs = await openBlobStore({ folders, database, log })
  const uploads = await openUploads({
    database,
    blobs,
    log,
    signals,
    config: {
      uploadMaxBytes: options.uploadMaxBytes ?? 1024 ** 3,
      uploadExpiryHours: 1,
      diskReservePercent: options.diskReservePercent ?? 0,
    },
    readAsset: async (principal, id, origin) => {
      const asset = await findAssetDetail(database, id, visibleAssets(principal, 'all'), {
        origin,
        accessLevel: accessLevelOf(principal),
      })
      if (!asset) throw new Problem('asset-not-found', 'There is no such asset.')
      return asset
    },
  })
  const memory = createRenditionMemory()
  const lane = createThumbnailLane({ database, authenticator, memory, signals, onError })
  const handlers: Partial<Handlers> = {
    ...assetHandlers({ database, summaries: createSummaryCache() }),
    ...uploadHandlers(uploads),
    ...downloadHandlers({
      database,
      blobs,
      renditionsFolder: path.join(folder, 'renditions'),
      memory,
      onAllowed: lane.allow,
      log,
    }),
  }
  const maintenance = followMaintenanceFile(folder)
  let port = 0
  const app = serve({
    handlers: handlers as Handlers,
    database,
    authenticator,
    signals,
    log,
    isHttps: false,
    trustProxy: false,
    isStopping: () => false,
    maintenance: maintenance.now,
    origins: createOrigins({ publicUrl: undefined, host: '127.0.0.1', port: () => port }),
    fastLane: (request, response) => {
      applyTusMethod(request)
      return lane.answer(request, response)
    },
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  port = typeof address === 'object' && address ? address.port : 0
  const url = `http://127.0.0.1:${port}`

  let accounts = 0
  const signIn: UploadServer['signIn'] = async (role = 'editor') => {
    const account = await database.transaction((tx) =>
      insertAccount(tx, {
        username: `person-${++accounts}${options.beside ? '-beside' : ''}`,
        displayName: '',
        email: null,
        passwordHash: 'none',
        role,
      }),
    )
    const token = await createSession(database, {
      accountId: account.id,
      kind: 'token',
      label: 'test',
      lifetimeDays: 1,
    })
    return { id: account.id, headers: { authorization: `Token ${token}` } }
  }
  const editor = await signIn()

  return {
    url,
    folder,
    connectionString,
    database,
    uploads,
    signIn,
    fetch: (target, request = {}) =>
      fetch(target.startsWith('http') ? target : url + target, {
        ...request,
        headers: { ...editor.headers, ...(request.headers as Record<string, string>) },
      }),
    [Symbol.asyncDispose]: async () => {
      maintenance[Symbol.dispose]()
      uploads.locks.interruptAll()
      app.server.closeAllConnections()
      await app.close()
      await uploads.locks[Symbol.asyncDispose]()
      await database.end()
      if (!testDb) return
      await testDb[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
