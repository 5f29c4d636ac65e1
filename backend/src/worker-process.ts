import { openDatabase } from '@dam/platform/database'
import { migrateJobs } from '@dam/platform/jobs'
import { openLog } from '@dam/platform/log'
import { openSentry } from '@dam/platform/sentry'
import { followMaintenanceFile } from '@dam/platform/maintenance-file'
import type { TaskList } from 'graphile-worker'
import { foldTally } from './assets/tally.ts'
import { dataFolders } from './config.ts'
import { deleteOldEvents } from './events/sequencer.ts'
import { deleteOldIdempotencyKeys } from './http/idempotency.ts'
import { openIngest } from './ingest/open-ingest.ts'
import { openErrorLog } from './operations/error-log.ts'
import { releaseName } from './operations/release.ts'
import { startUpkeep } from './operations/upkeep.ts'
import { deleteExpiredSessions } from './people/session-store.ts'
import { deleteOldSignInFailures } from './people/sign-in-limit.ts'
import { connectionName, type ProcessInput, type RunningProcess } from './server-process.ts'
import { openBlobStore } from './storage/open-blob-store.ts'
import { releaseBlobs } from './storage/release-blobs.ts'
import { deleteOldTasks } from './tasks/task-store.ts'
import { taskList } from './tasks/task-list.ts'
import { purgeExpired } from './trash/empty-trash.ts'
import { pauseWhile } from './pause-worker.ts'
import { isClosed } from './operations/maintenance.ts'
import { startWorker } from './worker.ts'

/** The role `worker`: everything that happens in the background. */
export async function startWorkerProcess(input: ProcessInput): Promise<RunningProcess> {
  const { config, connectionString, release } = input
  const folders = dataFolders(config)
  const database = openDatabase({
    connectionString,
    applicationName: connectionName('worker', input),
    maxConnections: Math.max(config.databasePoolSize, config.workerConcurrency + 4),
    statementTimeoutMs: 10 * 60_000,
    onError: (error) => log.warn('database connection lost', { error }),
  })
  const errorLog = openErrorLog(database, { process: 'worker', release: releaseName(release) })
  const sentry = config.sentryDsn
    ? openSentry({
        dsn: config.sentryDsn.reveal(),
        process: 'worker',
        release: `dam@${releaseName(release)}`,
        environment: config.sentryEnvironment,
      })
    : undefined
  const log = openLog({
    directory: folders.logs,
    process: 'worker',
    release: releaseName(release),
    level: config.logLevel,
    stdout: config.logToStdout,
    onError: (entry) => {
      errorLog.add(entry)
      sentry?.report(entry)
    },
  })
  await migrateJobs(connectionString)
  const blobs = await openBlobStore({ database, folders, log })
  const ingest = await openIngest({
    database,
    blobsFolder: folders.blobs,
    blobPath: (sha256) => blobs.blobPath(sha256),
    renditionsFolder: folders.renditions,
    concurrency: config.workerConcurrency,
    searchPath: config.searchPath,
    worker: `worker-${process.pid}`,
    warn: (message, fields) => log.warn(message, fields),
  })
  const missing = ingest.capabilities.filter(({ available }) => !available).map(({ name }) => name)
  if (missing.length > 0) log.warn('some tools are missing; ./dam doctor tells how to install them', { missing })
  const recovered = await ingest.recover()
  if (recovered.abandoned + recovered.requeued > 0) log.info('ingest recovered', recovered)

  const maintenance = followMaintenanceFile(config.dataDir)
  const tasks: TaskList = {
    ingest: (payload, { job }) => ingest.task(payload, job),
    ...taskList({
      database,
      releaseBlobs: (sha256s) => releaseBlobs({ database, blobs, renditionsFolder: folders.renditions, log }, sha256s),
    }),
  }
  const worker = await pauseWhile(
    () => isClosed(maintenance.now()),
    () => startWorker({ database, log, concurrency: config.workerConcurrency + 1, tasks }),
    log,
  )
  const upkeep = startUpkeep(
    [
      { name: 'fold counts', everyMinutes: 1, run: () => foldTally(database) },
      ...(config.trashDays > 0
        ? [
            {
              name: 'trash past its days',
              everyMinutes: 60,
              run: () => purgeExpired(database, { trashDays: config.trashDays, now: new Date() }),
            },
          ]
        : []),
      { name: 'expired sessions', everyMinutes: 60, run: () => deleteExpiredSessions(database) },
      { name: 'old sign-in failures', everyMinutes: 60, run: () => deleteOldSignInFailures(database) },
      { name: 'old idempotency keys', everyMinutes: 60, run: () => deleteOldIdempotencyKeys(database) },
      { name: 'old events', everyMinutes: 60, run: () => deleteOldEvents(database) },
      { name: 'old tasks', everyMinutes: 360, run: () => deleteOldTasks(database) },
      { name: 'old error log', everyMinutes: 360, run: () => errorLog.prune() },
    ],
    log,
  )
  log.info('worker started', { concurrency: config.workerConcurrency })

  return {
    log,
    failed: worker.ended,
    stop: async () => {
      maintenance[Symbol.dispose]()
      await Promise.all([upkeep.stop(), worker.stop()])
      await ingest[Symbol.asyncDispose]()
      await errorLog.flush()
      await sentry?.flush()
      // A job that was handed back may still hold a connection; the end of the process closes it.
      await Promise.race([database.end(), new Promise((resolve) => setTimeout(resolve, 2_000))])
    },
  }
}
