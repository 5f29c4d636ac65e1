import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Config } from '@dam/backend/src/config.ts'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import { postgresLayout } from '@dam/platform/postgres/layout'
import { preparePrograms } from '@dam/platform/postgres/programs'
import pg from 'pg'
import type { Finding } from './finding.ts'

const oldestMajor = 15
const extensions = ['pg_trgm', 'unaccent', 'btree_gin', 'pg_stat_statements']

export async function checkDatabase(config: Config): Promise<Finding[]> {
  if (config.databaseUrl) return [await checkServer('external database', config.databaseUrl.reveal())]
  const running = describeRunningPostgres(config.dataDir)
  if (running?.ready) return [await checkServer('built-in database', running.connectionString)]
  return [await checkPrograms(config)]
}

async function checkServer(name: string, connectionString: string): Promise<Finding> {
  const client = new pg.Client({ connectionString, application_name: 'dam: doctor', connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ number: string; version: string; lacking: string[] }>(
      `select current_setting('server_version_num') as number, current_setting('server_version') as version,
              array(select unnest($1::text[]) except select name from pg_available_extensions) as lacking`,
      [extensions],
    )
    const [row] = rows
    const detail = `PostgreSQL ${row?.version} answers`
    if (Number(row?.number) < oldestMajor * 10_000) {
      return { name, state: 'fatal', detail, remedy: `DAM needs PostgreSQL ${oldestMajor} or newer` }
    }
    if (row && row.lacking.length > 0) {
      return {
        name,
        state: 'fatal',
        detail: `${detail} but lacks ${row.lacking.join(', ')}`,
        remedy: "install the server's contrib package (postgresql-contrib)",
      }
    }
    return { name, state: 'ok', detail }
  } catch (error) {
    const reason = error instanceof Error ? error.message || String(error) : String(error)
    return {
      name,
      state: 'fatal',
      detail: `does not answer: ${reason}`,
      remedy: 'check DATABASE_URL, or remove it to use the built-in database',
    }
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function checkPrograms(config: Config): Promise<Finding> {
  const name = 'built-in database'
  const layout = postgresLayout(config.dataDir)
  try {
    const { binDir } = await preparePrograms({ fallbackDir: layout.programsDir })
    const { stdout } = await promisify(execFile)(path.join(binDir, 'postgres'), ['--version'])
    const state = existsSync(layout.clusterDir) ? 'not running' : 'created at the first start'
    return {
      name,
      state: 'ok',
      detail: `${stdout.trim().replace(/^postgres \(PostgreSQL\) /, 'PostgreSQL ')}, ${state}`,
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { name, state: 'fatal', detail: reason, remedy: 'or point DATABASE_URL at a PostgreSQL server' }
  }
}
