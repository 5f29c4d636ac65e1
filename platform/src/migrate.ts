import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import {
  type Applied,
  assertUnchanged,
  createLedger,
  readHalfDone,
  readLedger,
  recordDown,
  recordUp,
  unknownTo,
} from './migrate/ledger.ts'
import { label, type Migration } from './migrate/migration.ts'
import { type PlannedStep, runStep, type Step } from './migrate/run-step.ts'

export { label, type Migration, type MigrationKind, parseMigration, readMigrations } from './migrate/migration.ts'
export type { Applied } from './migrate/ledger.ts'
export type { Step } from './migrate/run-step.ts'

/** Django's words: all of them, none of them, or up to and including one given by number or name. */
export type Target = 'latest' | 'zero' | (string & {})

export type MigrateOptions = {
  connectionString: string
  /** Whose migrations, such as `backend`. */
  app: string
  migrations: readonly Migration[]
  target?: Target
  log?: (message: string) => void
  /** How long a statement may wait for a table that others use. Retried; writers behind it wait no longer than this. */
  lockTimeoutMs?: number
}

/** What a migration run would do now, in order. Changes nothing. */
export async function planMigration(options: MigrateOptions): Promise<Step[]> {
  return withClient(options.connectionString, async (client) =>
    plan(options, await readLedger(client, options.app), await readHalfDone(client, options.app)).map(
      ({ direction, number, name, inTransaction }) => ({
        direction,
        number,
        name,
        inTransaction,
      }),
    ),
  )
}

/** Every migration this release brings or the database has, with the moment it was applied or null. */
export async function listMigrations(options: Pick<MigrateOptions, 'connectionString' | 'app' | 'migrations'>) {
  const applied = await withClient(options.connectionString, (client) => readLedger(client, options.app))
  const known = options.migrations.map((migration) => ({
    label: label(migration),
    appliedAt: applied.find((row) => row.number === migration.number)?.appliedAt ?? null,
    fromNewerRelease: false,
  }))
  const newer = unknownTo(options.migrations, applied).map((row) => ({
    label: label(row),
    appliedAt: row.appliedAt,
    fromNewerRelease: true,
  }))
  return [...known, ...newer]
}

/**
 * Brings the schema to `target` and returns the steps taken. Each step is one transaction together with its line in the ledger, or, where
 * no transaction is possible, notes each statement; a killed run continues where it stopped. Two runs at once wait for each other.
 * Throws, saying what to do: when an applied migration was changed, or when the database is ahead of this release and
 * the newer migrations do not say that this release can run on them.
 */
export async function migrate(options: MigrateOptions): Promise<Step[]> {
  return withClient(options.connectionString, async (client) => {
    await waitForTurn(client, options.log)
    await createLedger(client)
    const steps = plan(options, await readLedger(client, options.app), await readHalfDone(client, options.app))
    for (const step of steps) {
      options.log?.(`${step.direction === 'up' ? 'applying' : 'undoing'} ${label(step)}`)
      await runStep(client, { lockTimeoutMs: options.lockTimeoutMs ?? 2_000, log: options.log }, step)
    }
    return steps.map(({ direction, number, name, inTransaction }) => ({ direction, number, name, inTransaction }))
  })
}

function plan(options: MigrateOptions, applied: readonly Applied[], halfDone: readonly number[]): PlannedStep[] {
  const { app, migrations, target = 'latest' } = options
  assertUnchanged(migrations, applied)
  const newest = applied.at(-1)?.number ?? 0
  const skipped = migrations.find(({ number }) => number < newest && !applied.some((row) => row.number === number))
  if (skipped) {
    throw new Error(
      `The database lacks migration ${label(skipped)} but has newer ones. Restore a backup, or start the release that migrated it.`,
    )
  }
  const wanted = numberOfTarget(target, [...migrations, ...(target === 'latest' ? [] : unknownTo(migrations, applied))])
  if (target === 'latest') assertRunnable(unknownTo(migrations, applied))
  const up = migrations
    .filter(({ number }) => number <= wanted && number > newest)
    .map((migration): PlannedStep => ({
      direction: 'up',
      number: migration.number,
      name: migration.name,
      inTransaction: migration.inTransaction,
      app,
      isHalfDone: false,
      sql: migration.up,
      record: (client) => recordUp(client, app, migration),
    }))
  const down = target === 'latest' ? [] : applied.filter(({ number }) => number > wanted).toReversed()
  const abandoned = migrations
    .filter(({ number }) => number > wanted && number > newest && halfDone.includes(number))
    .map((migration): PlannedStep => ({
      direction: 'down',
      number: migration.number,
      name: migration.name,
      inTransaction: false,
      app,
      isHalfDone: true,
      sql: migration.down,
      record: async () => undefined,
    }))
  return [
    ...abandoned.toReversed(),
    ...down.map((row): PlannedStep => ({
      direction: 'down',
      number: row.number,
      name: row.name,
      inTransaction: row.inTransaction,
      app,
      isHalfDone: false,
      sql: row.down,
      record: (client) => recordDown(client, app, row.number),
    })),
    ...up,
  ]
}

/** Number of the migration that a target names among `known`. Throws, naming them all, when it is none or several. */
export function numberOfTarget(target: Target, known: readonly Pick<Migration, 'number' | 'name'>[]): number {
  if (target === 'zero') return 0
  if (target === 'latest') return Math.max(0, ...known.map(({ number }) => number))
  const found = known.filter(
    (candidate) =>
      label(candidate) === target ||
      label(candidate).startsWith(`${target}-`) ||
      (/^\d+$/.test(target) && candidate.number === Number(target)),
  )
  if (found.length === 1 && found[0]) return found[0].number
  throw new Error(`There is no migration "${target}". There are: ${['zero', ...known.map(label)].join(', ')}`)
}

function assertRunnable(newer: readonly Applied[]): void {
  const blocking = newer.filter((row) => !row.previousReleaseRuns)
  if (blocking.length === 0) return
  throw new Error(
    `The database is ahead of this release: ${newer.map(label).join(', ')}. This release cannot run on ${blocking.map(label).join(', ')}. Start the newer release, or undo them first with ./dam migrate <app> <last migration of this release>.`,
  )
}

// Any constant will do, as long as nothing else in this database takes the same.
const turnKey = 4_713_226

async function waitForTurn(client: pg.Client, log: MigrateOptions['log']): Promise<void> {
  const tryTurn = async () =>
    (await client.query<{ mine: boolean }>(`select pg_try_advisory_lock(${turnKey}) as mine`)).rows[0]?.mine === true
  if (await tryTurn()) return
  log?.('another process is migrating this database, waiting for it')
  // Asked for again and again instead of waited for: a waiting session would hold up `create index concurrently`.
  while (!(await tryTurn())) await sleep(100)
}

async function withClient<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString,
    application_name: 'dam: migrate',
    connectionTimeoutMillis: 10_000,
    statement_timeout: 0,
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
