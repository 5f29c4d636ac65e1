import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { migrateJobs } from '@dam/platform/jobs'
import { label, migrate, type Migration, readMigrations } from '@dam/platform/migrate'
import { dumpSchema } from '@dam/platform/migrate/dump-schema'
import { startPostgres } from '@dam/platform/postgres/start'
import type { JourneyResult } from '../verification/journey.ts'
import { runJourney } from '../verification/run-journey.ts'
import { ensureSyntheticAccount } from '../verification/synthetic-account.ts'
import { type CopySource, copyDatabase } from './copy-database.ts'
import { startRelease } from './start-release.ts'

export type MigrationTestStep = { name: string; ok: boolean; tookMs: number; message: string }
/** `steps` ends with the first that failed. */
export type MigrationTest = {
  ok: boolean
  /** Migrations the release brings beyond what the environment has. */
  migrations: string[]
  /** What the scratch database was made from. */
  source: string
  steps: MigrationTestStep[]
}

export type MigrationTestOptions = {
  /** Installed folder of the release to test. */
  newRelease: { tag: string; dir: string; nodeProgram?: string }
  /** The release that runs now; null: the first one, there is no old code. */
  oldRelease: { tag: string; dir: string; nodeProgram?: string } | null
  /** What the environment has: its database while small, else the newest backup. Null: the old release's migrations on an empty one. */
  source: CopySource | null
  /** PATH, for pg_restore where a dump needs it. */
  searchPath: string
  now: Date
  log?: (message: string) => void
}

/**
 * The gate "Database migrations tested", on a scratch PostgreSQL of its own: up, the new code's journey, the old code's journey on the
 * new schema, down, the schema as before, up again. Nothing of it touches the environment. Never throws for what a release does wrong.
 */
export async function testMigrations(options: MigrationTestOptions): Promise<MigrationTest> {
  const scratch = mkdtempSync(path.join(tmpdir(), 'dam-migration-test-'))
  try {
    await using postgres = await startPostgres({
      dataDir: path.join(scratch, 'postgres'),
      log: { info: () => undefined, warn: (message: string) => options.log?.(message) },
      durability: 'none',
    })
    return await walk(options, await freshDatabase(postgres.connectionString), scratch)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function walk(options: MigrationTestOptions, connectionString: string, scratch: string): Promise<MigrationTest> {
  const { newRelease, oldRelease, log, searchPath, now } = options
  const app = 'backend'
  const migrationsOf = (dir: string): Migration[] => readMigrations(path.join(dir, 'backend/migrations'))
  const steps: MigrationTestStep[] = []
  const step = async (name: string, work: () => Promise<string>): Promise<boolean> => {
    if (steps.some((earlier) => !earlier.ok)) return false
    const from = performance.now()
    const [ok, message] = await work().then(
      (said) => [true, said] as const,
      (error: unknown) => [false, error instanceof Error ? error.message : String(error)] as const,
    )
    steps.push({ name, ok, tookMs: Math.round(performance.now() - from), message })
    log?.(`${ok ? 'ok    ' : 'FAILED'} ${name}${message === '' ? '' : `: ${message}`}`)
    return ok
  }
  const up = async (): Promise<string> => {
    const timings: string[] = []
    let [name, from] = ['', 0]
    const close = (): void => {
      if (name !== '') timings.push(`${name} ${Math.round(performance.now() - from)} ms`)
    }
    await migrate({
      connectionString,
      app,
      migrations,
      log: (message) => {
        close()
        ;[name, from] = [message.replace('applying ', ''), performance.now()]
      },
    })
    close()
    await migrateJobs(connectionString)
    return timings.join(', ')
  }
  const journeyOf = (release: { tag: string; dir: string; nodeProgram?: string }) => async (): Promise<string> => {
    const account = await ensureSyntheticAccount({ connectionString, runDir: scratch })
    await using running = await startRelease({
      releaseDir: release.dir,
      connectionString,
      dataDir: path.join(scratch, `data-${release.tag}`),
      ...(release.nodeProgram === undefined ? {} : { nodeProgram: release.nodeProgram }),
    })
    return succeeded(await runJourney({ baseUrl: running.baseUrl, ...account, syntheticSecret: 'migration-test' }))
  }

  let migrations: Migration[] = []
  let [source, before, target, brought]: [string, string, string, string[]] = ['', '', 'zero', []]
  await step('scratch copy', async () => {
    migrations = migrationsOf(newRelease.dir)
    if (options.source)
      source = await copyDatabase({
        source: options.source,
        target: connectionString,
        folder: scratch,
        searchPath,
        now,
      })
    else if (oldRelease) {
      await migrate({ connectionString, app, migrations: migrationsOf(oldRelease.dir) })
      source = `the schema of ${oldRelease.tag}`
    } else source = 'an empty database'
    const applied = await appliedLabels(connectionString, app)
    target = applied.at(-1) ?? 'zero'
    brought = migrations.map(label).filter((name) => !applied.includes(name))
    before = await dumpSchema(connectionString)
    return source
  })
  await step('up', up)
  const after = steps.at(-1)?.ok ? await dumpSchema(connectionString) : ''
  await step(`journey with ${newRelease.tag}`, journeyOf(newRelease))
  if (oldRelease) {
    const mayRefuse = migrations.filter((each) => brought.includes(label(each)) && !each.previousReleaseRuns)
    if (mayRefuse.length === 0) await step(`journey with ${oldRelease.tag} on the new schema`, journeyOf(oldRelease))
    else {
      await step(
        `${oldRelease.tag} on the new schema`,
        async () => `not asked: ${mayRefuse.map(label).join(', ')} say that it cannot run`,
      )
    }
  }
  await step('down', async () => {
    await migrate({ connectionString, app, migrations, target })
    return `to ${target}`
  })
  await step('schema as before', async () => {
    const schema = await dumpSchema(connectionString)
    // Extensions may serve others; a way down need not remove them.
    if (withoutExtensions(schema) !== withoutExtensions(before))
      throw new Error(`down leaves a difference: ${difference(before, schema)}`)
    return ''
  })
  await step('up again', up)
  await step('schema as after the first time', async () => {
    const schema = await dumpSchema(connectionString)
    if (schema !== after) throw new Error(`the second way up differs: ${difference(after, schema)}`)
    return ''
  })
  return { ok: steps.every(({ ok }) => ok), migrations: brought, source, steps }
}

const withoutExtensions = (schema: string): string => schema.replaceAll(/create extension \S+;\n\n?/g, '').trim()

/** Lines that only one of two schemas has; a comma at the end only says that another line follows. */
function difference(one: string, other: string): string {
  const linesOf = (schema: string): string[] => schema.split('\n').map((line) => line.trim().replace(/,$/, ''))
  const onlyIn = (these: string[], those: string[]): string => {
    const known = new Set(those)
    const own = these.filter((line) => line !== '' && !known.has(line))
    return own.slice(0, 3).join(' | ') + (own.length > 3 ? ` and ${own.length - 3} lines more` : '')
  }
  const [before, after] = [linesOf(one), linesOf(other)]
  const [missing, added] = [onlyIn(before, after), onlyIn(after, before)]
  if (missing === '' && added === '') return 'the same lines in another order or number'
  return [missing && `missing: ${missing}`, added && `there now: ${added}`].filter(Boolean).join('; ')
}

function succeeded(result: JourneyResult): string {
  const failed = result.steps.find(({ ok }) => !ok)
  if (failed) throw new Error(`${failed.name}: ${failed.message}`)
  return `${result.steps.length} steps in ${result.tookMs} ms`
}

async function appliedLabels(connectionString: string, app: string): Promise<string[]> {
  return withClient(connectionString, async (client) => {
    const exists = await client.query(`select from pg_tables where tablename = 'schema_migration'`)
    if (exists.rowCount === 0) return []
    const { rows } = await client.query<{ number: number; name: string }>(
      'select number, name from schema_migration where app = $1 order by number',
      [app],
    )
    return rows.map(label)
  })
}

async function freshDatabase(server: string): Promise<string> {
  const name = `dam_scratch_${randomBytes(4).toString('hex')}`
  await withClient(server, (client) => client.query(`create database ${name} template template0`))
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString, application_name: 'dam: migration test' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
