import { createHash, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { migrateJobs } from '../jobs.ts'
import { migrate, type Migration, readMigrations } from '../migrate.ts'
import { externalDatabaseUrl } from './config.ts'
import { testServer } from './server.ts'

export type TestDatabase = AsyncDisposable & { connectionString: string; name: string }

const migrationsDir = fileURLToPath(new URL('../../../backend/migrations', import.meta.url))

/**
 * A fresh database of one's own, migrated, on real PostgreSQL; dropped when disposed. Call once for each test file.
 * `empty` gives one without any schema.
 */
export async function testDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const name = `dam_test_${randomBytes(6).toString('hex')}`
  const create = async (): Promise<string> => {
    const server = await testServer(externalDatabaseUrl)
    await withAdmin(server, async (admin) => {
      const template = options.empty ? 'template0' : await ensureTemplate(admin, server)
      await admin.query(`create database ${name} template ${template}`)
    })
    return server
  }
  // The shared server may just be ending, unused for a while; the next one is asked then.
  const server = await create().catch((error: unknown) => {
    if (externalDatabaseUrl !== undefined || !isConnectionLost(error)) throw error
    return create()
  })
  const drop = async () => {
    await withAdmin(server, (admin) => admin.query(`drop database if exists ${name} with (force)`))
  }
  return { name, connectionString: withDatabase(server, name), [Symbol.asyncDispose]: drop }
}

const lostCodes = ['57P01', '57P03', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']
const isConnectionLost = (error: unknown): boolean =>
  error instanceof Error &&
  (error.message.startsWith('Connection terminated') || ('code' in error && lostCodes.includes(String(error.code))))

/** One template for each state of the migrations; it gets its name when it is complete. */
async function ensureTemplate(admin: pg.Client, server: string): Promise<string> {
  const migrations = readMigrations(migrationsDir)
  const name = `dam_template_${fingerprint(migrations)}`
  const exists = async () => (await admin.query('select from pg_database where datname = $1', [name])).rowCount === 1
  if (await exists()) return name
  await admin.query(`select pg_advisory_lock(hashtext('dam test template'))`)
  try {
    if (await exists()) return name
    await admin.query(`drop database if exists ${name}_unfinished with (force)`)
    await admin.query(`create database ${name}_unfinished template template0`)
    await migrate({ connectionString: withDatabase(server, `${name}_unfinished`), app: 'backend', migrations })
    await migrateJobs(withDatabase(server, `${name}_unfinished`))
    await admin.query(`alter database ${name}_unfinished rename to ${name}`)
    return name
  } finally {
    await admin.query(`select pg_advisory_unlock(hashtext('dam test template'))`)
  }
}

const fingerprint = (migrations: readonly Migration[]): string =>
  createHash('sha256')
    .update(migrations.map((migration) => migration.checksum).join())
    .digest('hex')
    .slice(0, 16)

function withDatabase(connectionString: string, name: string): string {
  const url = new URL(connectionString)
  url.pathname = `/${name}`
  return url.href
}

async function withAdmin<T>(connectionString: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: withDatabase(connectionString, 'postgres') })
  admin.on('error', () => undefined)
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.end()
  }
}
