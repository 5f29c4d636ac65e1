import { fileURLToPath } from 'node:url'
import { SettingsError } from '@dam/platform/settings'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import { manifest, readConfig, type Config } from './config.ts'
import { readRelease } from './operations/release.ts'
import { startWebProcess } from './web-process.ts'
import { startWorkerProcess } from './worker-process.ts'

/** One of the two server processes: `node backend/src/main.ts web` or `… worker`. */
const role = process.argv[2]
const start = role === 'web' ? startWebProcess : role === 'worker' ? startWorkerProcess : undefined
if (!start || !role) {
  console.error('Usage: node backend/src/main.ts web|worker   (./dam up starts both)')
  process.exit(2)
}

const stopBoundMs = 30_000

let config: Config
try {
  config = readConfig(process.env).config
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : error)
  process.exit(2)
}

process.title = config.slot === undefined ? `dam: ${role}` : `dam: ${role} ${config.slot}`

const connectionString = config.databaseUrl?.reveal() ?? describeRunningPostgres(config.dataDir)?.connectionString
if (!connectionString) {
  console.error(`No database runs for ${config.dataDir}. Start everything with ./dam up, or set DATABASE_URL.`)
  process.exit(2)
}

const release = readRelease(fileURLToPath(new URL('../../', import.meta.url)), manifest.version)
const running = await start({ config, connectionString, release })
process.send?.('ready')

let stopping = false
const stop = (why: string, code: number): void => {
  if (stopping) return
  stopping = true
  running.log.info('stopping', { why })
  setTimeout(() => {
    running.log.warn('stopping took too long; ending now', { bound_ms: stopBoundMs })
    process.exit(1)
  }, stopBoundMs).unref()
  running.stop().then(
    () => process.exit(code),
    (error: unknown) => {
      running.log.error('stopping failed', { error })
      process.exit(1)
    },
  )
}
process.on('SIGTERM', () => stop('SIGTERM', 0))
process.on('SIGINT', () => stop('SIGINT', 0))
// The supervisor that started us has died.
process.on('disconnect', () => stop('supervisor gone', 0))
// It may have died while we started; without a supervisor `connected` is undefined, not false.
if (process.connected === false) stop('supervisor gone', 0)
process.on('uncaughtException', (error) => {
  running.log.error('unexpected error; this process restarts', { error, code: 'crash' })
  stop('unexpected error', 1)
})
running.failed.then(
  () => stop('work ended', 1),
  (error: unknown) => {
    running.log.error('a part of this process failed; it restarts', { error, code: 'crash' })
    stop('failure', 1)
  },
)
