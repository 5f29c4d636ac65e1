import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCache } from '@dam/platform/cache'
import { openDatabase } from '@dam/platform/database'
import { migrateJobs } from '@dam/platform/jobs'
import { openLog } from '@dam/platform/log'
import { openSentry } from '@dam/platform/sentry'
import { createApp } from './app.ts'
import { dataFolders } from './config.ts'
import { openHub } from './events/hub.ts'
import { satisfactionNow } from './feedback/feedback-store.ts'
import { openErrorLog } from './operations/error-log.ts'
import { databaseAnswers } from './operations/database-answers.ts'
import { liveWorkers, queueState } from './operations/queue-store.ts'
import { releaseName } from './operations/release.ts'
import { createSignals, type Signals } from './operations/signals.ts'
import { createAuthenticator } from './people/authenticate.ts'
import { createConfiguredAdministrator } from './people/setup.ts'
import { connectionName, type ProcessInput, type RunningProcess } from './server-process.ts'
import { openBlobStore } from './storage/open-blob-store.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The role `web`: everything that answers HTTP. */
export async function startWebProcess(input: ProcessInput): Promise<RunningProcess> {
  const { config, connectionString, release } = input
  const folders = dataFolders(config)
  let signals: Signals | undefined
  const database = openDatabase({
    connectionString,
    applicationName: connectionName('web', input),
    maxConnections: config.databasePoolSize,
    onError: (error) => log.warn('database connection lost', { error }),
    onQuery: (durationMs) => signals?.queryDone(durationMs),
  })
  const errorLog = openErrorLog(database, { process: 'web', release: releaseName(release) })
  const sentry = config.sentryDsn
    ? openSentry({
        dsn: config.sentryDsn.reveal(),
        process: 'web',
        release: `dam@${releaseName(release)}`,
        environment: config.sentryEnvironment,
      })
    : undefined
  const log = openLog({
    directory: folders.logs,
    process: 'web',
    release: releaseName(release),
    level: config.logLevel,
    stdout: config.logToStdout,
    onError: (entry) => {
      signals?.errorLogged(entry.code)
      errorLog.add(entry)
      sentry?.report(entry)
    },
  })
  await migrateJobs(connectionString)
  if (config.adminUsername && config.adminPassword) {
    const created = await createConfiguredAdministrator(database, {
      username: config.adminUsername,
      password: config.adminPassword,
    })
    if (created) log.info('first administrator created from the configuration', { username: config.adminUsername })
  }
  const cache = openCache({
    ...(config.redisUrl ? { redisUrl: config.redisUrl.reveal() } : {}),
    onHit: (hit) => signals?.cacheRead('shared', hit),
    onError: (error) => log.warn('cache not reachable; going on without', { error }),
  })
  const isHttps = config.publicUrl?.startsWith('https:') ?? false
  const cookieName = isHttps ? '__Host-dam_session' : 'dam_session'
  const authenticator = createAuthenticator({
    database,
    cookieName,
    sessionDays: config.sessionDays,
    onError: (error) => log.warn('last use of a session not noted', { error }),
  })
  const blobs = await openBlobStore({ database, folders, log })
  signals = createSignals({
    release,
    dataDir: config.dataDir,
    activeUsers: () => authenticator.activeUsers(5),
    pool: () => database.stats(),
    queue: () => queueState(database),
    satisfaction: () => satisfactionNow(database),
    databaseUp: () => databaseAnswers(database),
    cacheUp: () => cache.isConnected(),
    storageUp: () => blobs.isReady(),
    workers: () => liveWorkers(database),
  })
  const hub = await openHub(database, (error) => log.warn('events are late', { error }))
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
    cookieName,
    isHttps,
    frontendDir: path.join(root, 'frontend', 'dist'),
  })
  await app.listen({ host: config.host, port: config.port })
  log.info('web process listens', { host: config.host, port: config.port, version: release.version })

  return {
    log,
    failed: new Promise(() => undefined),
    stop: async () => {
      await close()
      await hub.stop()
      await errorLog.flush()
      await sentry?.flush()
      await cache.close()
      await database.end()
    },
  }
}
