import { cpus } from 'node:os'
import path from 'node:path'
import { parseDsn } from '@dam/platform/sentry'
import { address, integer, oneOf, readSettings, Secret, type ValuesOf } from '@dam/platform/settings'

/** Every setting of DAM; `.env.example` is checked against this table. */
export const settings = {
  dataDir: {
    variable: 'DAM_DATA',
    describe: 'The one folder that holds all state: database, originals, renditions, logs',
    default: './data',
    parse: (text: string) => path.resolve(text),
  },
  host: {
    variable: 'HOST',
    describe: 'Address to listen on; 0.0.0.0 opens DAM to the network',
    default: 'localhost',
    parse: (text: string) => text,
  },
  port: { variable: 'PORT', describe: 'Port to listen on', default: '8080', parse: integer(0, 65535) },
  publicUrl: {
    variable: 'DAM_PUBLIC_URL',
    describe: 'Address users see, where a proxy stands in front; https makes cookies Secure',
    parse: (text: string) => address('http:', 'https:')(text).replace(/\/+$/, ''),
  },
  trustProxy: {
    variable: 'DAM_TRUST_PROXY',
    describe: 'yes: believe X-Forwarded-For of the proxy in front',
    default: 'no',
    parse: (text: string) => oneOf('yes', 'no')(text) === 'yes',
  },
  databaseUrl: {
    variable: 'DATABASE_URL',
    describe: 'External PostgreSQL >= 15; without it DAM runs its own',
    secret: true,
    parse: (text: string) => new Secret(address('postgres:', 'postgresql:')(text)),
  },
  databasePoolSize: {
    variable: 'DAM_DATABASE_POOL',
    describe: 'Database connections for each process',
    default: '10',
    parse: integer(2, 200),
  },
  redisUrl: {
    variable: 'REDIS_URL',
    describe: 'Redis as a shared cache; without it the cache is in the process',
    secret: true,
    parse: (text: string) => new Secret(address('redis:', 'rediss:', 'unix:')(text)),
  },
  adminUsername: {
    variable: 'DAM_ADMIN_USERNAME',
    describe: 'Name of the first administrator, created without a person when no account exists',
    parse: (text: string) => text,
  },
  adminPassword: {
    variable: 'DAM_ADMIN_PASSWORD',
    describe: 'Password of that first administrator, at least 10 characters',
    secret: true,
    parse: (text: string) => {
      if (text.length < 10) throw new Error('expected at least 10 characters')
      return new Secret(text)
    },
  },
  searchPath: {
    variable: 'PATH',
    describe: 'Where exiftool, ffmpeg and friends are looked for',
    default: '/usr/local/bin:/usr/bin:/bin',
    parse: (text: string) => text,
  },
  logLevel: {
    variable: 'DAM_LOG_LEVEL',
    describe: 'Least severe level that is logged',
    default: 'info',
    parse: oneOf('debug', 'info', 'warn', 'error'),
  },
  logToStdout: {
    variable: 'DAM_LOG_STDOUT',
    describe: 'yes: log lines also on standard output',
    default: 'yes',
    parse: (text: string) => oneOf('yes', 'no')(text) === 'yes',
  },
  logDir: {
    variable: 'DAM_LOG_DIR',
    describe: 'Folder of app.log; default is logs below the data folder',
    parse: (text: string) => path.resolve(text),
  },
  sentryDsn: {
    variable: 'SENTRY_DSN',
    describe: 'Sentry project that gets errors of web and worker processes: https://<key>@<host>/<project>',
    secret: true,
    parse: (text: string) => {
      parseDsn(text)
      return new Secret(text)
    },
  },
  sentryEnvironment: {
    variable: 'SENTRY_ENVIRONMENT',
    describe: 'Name of the environment in Sentry',
    default: 'production',
    parse: (text: string) => text,
  },
  slot: {
    variable: 'DAM_SLOT',
    describe:
      'Name of the place in which a deployed release runs, for ps and the database; empty outside of deployments',
    parse: (text: string) => {
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/.test(text))
        throw new Error('expected at most 40 letters, digits, dots, hyphens and underscores')
      return text
    },
  },
  uploadMaxBytes: {
    variable: 'DAM_UPLOAD_MAX_BYTES',
    describe: 'Largest file that is accepted, bytes',
    default: String(50 * 1024 ** 3),
    parse: integer(1, Number.MAX_SAFE_INTEGER),
  },
  uploadExpiryHours: {
    variable: 'DAM_UPLOAD_EXPIRY_HOURS',
    describe: 'Hours an unfinished upload is kept',
    default: '168',
    parse: integer(1, 8760),
  },
  diskReservePercent: {
    variable: 'DAM_DISK_RESERVE_PERCENT',
    describe: 'Share of the disk that uploads leave free',
    default: '5',
    parse: integer(0, 50),
  },
  workerConcurrency: {
    variable: 'DAM_WORKER_CONCURRENCY',
    describe: 'Files processed at once',
    default: String(Math.max(1, Math.min(8, cpus().length))),
    parse: integer(1, 64),
  },
  sessionDays: {
    variable: 'DAM_SESSION_DAYS',
    describe: 'Days a sign-in lasts without use',
    default: '14',
    parse: integer(1, 365),
  },
  trashDays: {
    variable: 'DAM_TRASH_DAYS',
    describe: 'Days an asset stays in the trash before it is deleted for good; 0 keeps it until the trash is emptied',
    default: '0',
    parse: integer(0, 3650),
  },
} as const

export type Config = ValuesOf<typeof settings>

/** Reads the environment once. Throws SettingsError naming every mistake. */
export function readConfig(environment: Record<string, string | undefined>) {
  const { values, sources } = readSettings(settings, environment)
  return { config: values, sources }
}

/** Folders below the data directory. */
export const dataFolders = (config: Config) => ({
  database: path.join(config.dataDir, 'postgres'),
  blobs: path.join(config.dataDir, 'blobs'),
  renditions: path.join(config.dataDir, 'renditions'),
  incoming: path.join(config.dataDir, 'incoming'),
  scratch: path.join(config.dataDir, 'scratch'),
  quarantine: path.join(config.dataDir, 'quarantine'),
  logs: config.logDir ?? path.join(config.dataDir, 'logs'),
})

/** Version of this release. */
export { default as manifest } from '../../package.json' with { type: 'json' }
