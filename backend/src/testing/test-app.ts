import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Role } from '@dam/contract'
import { openCache } from '@dam/platform/cache'
import { openDatabase, type Database } from '@dam/platform/database'
import { openLog } from '@dam/platform/log'
import { externalRedisUrl } from '@dam/platform/testing/config'
import { testDatabase, type TestDatabase } from '@dam/platform/testing/database'
import { createApp } from '../app.ts'
import { dataFolders, readConfig } from '../config.ts'
import { openHub } from '../events/hub.ts'
import type { Release } from '../operations/release.ts'
import { satisfactionNow } from '../feedback/feedback-store.ts'
import { createSignals } from '../operations/signals.ts'
import { createAuthenticator } from '../people/authenticate.ts'
import { hashPassword } from '@dam/platform/password'
import { createSession } from '../people/session-store.ts'
import { addAccount } from '../people/setup.ts'
import { openBlobStore } from '../storage/open-blob-store.ts'

export type TestApp = AsyncDisposable & {
  url: string
  database: Database
  connectionString: string
  dataDir: string
  /** Adds a person and gives their API token. */
  person(role: Role): Promise<{ id: number; token: string; browserToken: string; username: string; password: string }>
}

/**
 * The whole web server on a database and a data folder of its own, or on those of another one, as in the middle of a deployment; nothing
 * of ours is replaced. Ingest does not run. Dispose the one beside first.
 */
export async function testApp(
  environment: Record<string, string> = {},
  options: { beside?: Pick<TestApp, 'connectionString' | 'dataDir'>; release?: Release } = {},
): Promise<TestApp> {
  const { beside, release = { version: 'test', commit: 'test', tag: null } } = options
  const own = beside ? undefined : await testDatabase()
  const connectionString = beside?.connectionString ?? (own as TestDatabase).connectionString
  const dataDir = beside?.dataDir ?? (await mkdtemp(path.join(tmpdir(), 'dam-app-')))
  const { config } = readConfig({
    DAM_DATA: dataDir,
    PORT: '0',
    HOST: '127.0.0.1',
    DAM_DISK_RESERVE_PERCENT: '0',
    ...environment,
  })
  const database = openDatabase({
    connectionString,
    applicationName: 'dam test',
    maxConnections: 8,
  })
  const log = openLog({ directory: dataFolders(config).logs, process: 'web', level: 'info', stdout: false })
  const redisUrl = config.redisUrl?.reveal() ?? externalRedisUrl
  const cache = openCache(redisUrl ? { redisUrl } : {})
  const authenticator = createAuthenticator({
    database,
    cookieName: 'dam_session',
    sessionDays: 14,
    onError: () => undefined,
  })
  const signals = createSignals({
    release,
    dataDir,
    activeUsers: () => authenticator.activeUsers(5),
    pool: () => database.stats(),
    queue: async () => ({ waiting: 0, running: 0, failed: 0, oldestSeconds: 0 }),
    satisfaction: () => satisfactionNow(database),
    databaseUp: async () => true,
    storageUp: async () => true,
    cacheUp: () => cache.isConnected(),
    workers: async () => [],
  })
  const hub = await openHub(database, () => undefined)
  const blobs = await openBlobStore({ database, folders: dataFolders(config), log })
  const { app, close } = await createApp({
    config,
    database,
    cache,
    authenticator,
    signals,
    hub,
    blobs,
    log,
    release,
    cookieName: 'dam_session',
    isHttps: false,
    frontendDir: path.join(dataDir, 'no-frontend'),
  })
  await app.listen({ host: '127.0.0.1', port: config.port })
  let people = 0
  const passwordHash = await hashPassword('long enough password')
  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    database,
    connectionString,
    dataDir,
    person: async (role) => {
      const username = `${role}${++people}${beside ? '-beside' : ''}`
      const account = await database.transaction((tx) =>
        addAccount(tx, { username, passwordHash, role, actorId: null }),
      )
      const session = (kind: 'token' | 'browser') =>
        createSession(database, { accountId: account.id, kind, label: 'test', lifetimeDays: 1 })
      return {
        id: account.id,
        username,
        password: 'long enough password',
        token: await session('token'),
        browserToken: await session('browser'),
      }
    },
    [Symbol.asyncDispose]: async () => {
      await close()
      await hub.stop()
      await cache.close()
      await database.end()
      if (!own) return
      await own[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
