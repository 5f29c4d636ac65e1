import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { migrate, type Migration, parseMigration } from '../migrate.ts'
import { type TestDatabase, testDatabase } from '../testing/database.ts'
import { dumpSchema } from './dump-schema.ts'

let database: TestDatabase
let folder: string
beforeEach(async () => {
  database = await testDatabase({ empty: true })
  folder = mkdtempSync(path.join(tmpdir(), 'dam-migrations-'))
})
afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

type Statements = { up: string[]; down: string[]; header: string }
const textOf = ({ up, down, header }: Statements): string =>
  `-- previous-release-runs: yes (a test)\n${header}-- up\n${up.join(';\n')};\n-- down\n${down.join(';\n')};\n`
const parsed = (name: string, statements: Statements): Migration => parseMigration(name, textOf(statements))

const first: Statements = {
  header: '',
  up: [
    'create table photo (id int generated always as identity primary key, name text not null)',
    `insert into photo (name) select 'photo ' || n from generate_series(1, 200) n`,
  ],
  down: ['drop table photo'],
}
/** What one transaction can do, and what none can. */
const kinds: Record<string, Statements> = {
  'one transaction': {
    header: '',
    up: [
      'alter table photo add column colour text',
      `update photo set colour = 'red' where id <= 100`,
      'create table album (id int)',
      'create index photo_colour on photo (colour)',
    ],
    down: ['drop index photo_colour', 'drop table album', 'alter table photo drop column colour'],
  },
  'statement by statement': {
    header: '-- no-transaction\n',
    up: [
      'alter table photo add column colour text',
      'create index concurrently photo_colour on photo (colour)',
      `insert into photo (name, colour) values ('only once', 'blue')`,
      'create index concurrently photo_name on photo (name)',
      'create table album (id int)',
    ],
    down: [
      'drop table album',
      'drop index concurrently photo_name',
      `delete from photo where name = 'only once'`,
      'drop index concurrently photo_colour',
      'alter table photo drop column colour',
    ],
  },
}

const write = (name: string, statements: Statements): void => writeFileSync(path.join(folder, name), textOf(statements))
const startMigrating = (): ChildProcess =>
  spawn(
    process.execPath,
    [fileURLToPath(new URL('../testing/migrate-main.ts', import.meta.url)), database.connectionString, folder],
    { stdio: 'ignore' },
  )
const options = (migrations: Migration[], target?: string) => ({
  connectionString: database.connectionString,
  app: 'test',
  migrations,
  ...(target ? { target } : {}),
})

async function query(statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows
  } finally {
    await client.end()
  }
}

/** Waits until the migrating session does what `pattern` says, kills its process, and waits until the server has noticed. */
async function killDuring(child: ChildProcess, pattern: string): Promise<void> {
  const session = `from pg_stat_activity where application_name = 'dam: migrate' and datname = current_database()`
  await expect
    .poll(() => query(`select pid ${session} and state = 'active' and query ilike '${pattern}'`), { timeout: 30_000 })
    .toHaveLength(1)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await ended
  await query(`select pg_terminate_backend(pid) ${session}`)
  await expect.poll(() => query(`select pid ${session}`), { timeout: 30_000 }).toHaveLength(0)
}

/** What the previous release does with the table, and what this one does. */
const oldColour = () => query(`insert into photo (name) values ('old') returning id, name`)
const newColour = () => query(`insert into photo (name, colour) values ('new', 'green') returning id, colour`)
const invalidIndexes = () => query('select indexrelid::regclass from pg_index where not indisvalid')

describe.each(Object.entries(kinds))('a migration in %s', (_, second) => {
  const migrations = [parsed('0001-first.sql', first), parsed('0002-second.sql', second)]
  const everyStatement = second.up.map((_statement, index) => index)

  test.each(everyStatement)('killed before statement %i converges', async (k) => {
    await migrate(options(migrations))
    const [whole, rows] = [
      await dumpSchema(database.connectionString),
      await query('select name, colour from photo order by id'),
    ]
    await migrate(options(migrations, 'zero'))

    write('0001-first.sql', first)
    write('0002-second.sql', { ...second, up: second.up.toSpliced(k, 0, 'select pg_sleep(60)') })
    await killDuring(startMigrating(), '%pg_sleep(60)%')
    expect(await query('select number from schema_migration order by 1')).toEqual([{ number: 1 }])
    const [{ id } = {}] = await oldColour()
    await query(`delete from photo where id = ${Number(id)}`)

    expect((await migrate(options(migrations))).map((step) => step.number)).toEqual([2])
    expect(await dumpSchema(database.connectionString)).toBe(whole)
    expect(await query('select name, colour from photo order by id')).toEqual(rows)
    expect(await query('select number from schema_migration order by 1')).toEqual([{ number: 1 }, { number: 2 }])
    expect(await query('select from schema_migration_progress')).toEqual([])
    expect(await invalidIndexes()).toEqual([])
    expect(await oldColour()).toHaveLength(1)
    expect(await newColour()).toHaveLength(1)
  })

  test('that fails in the middle is finished once the reason is gone, or undone', async () => {
    const broken = { ...second, up: second.up.toSpliced(2, 0, 'select 1 / 0') }
    const halfDone = [migrations[0] as Migration, parsed('0002-second.sql', broken)]
    await migrate(options(migrations, '0001'))
    const before = await dumpSchema(database.connectionString)
    await expect(migrate(options(halfDone))).rejects.toThrow('division by zero')
    expect(await oldColour()).toHaveLength(1)
    await migrate(options(halfDone, '0001'))
    expect(await dumpSchema(database.connectionString)).toBe(before)
    expect(await query('select from schema_migration_progress')).toEqual([])
    await migrate(options(migrations))
    expect(await newColour()).toHaveLength(1)
  })
})

test('an index that a killed run left invalid is built again', async () => {
  const second = kinds['statement by statement'] as Statements
  const migrations = [parsed('0001-first.sql', first), parsed('0002-second.sql', second)]
  await migrate(options(migrations, '0001'))
  write('0001-first.sql', first)
  write('0002-second.sql', second)
  // The build waits for whoever may still see the table as it was, and dies waiting.
  const reader = new pg.Client({ connectionString: database.connectionString })
  await reader.connect()
  await reader.query('begin isolation level repeatable read; select count(*) from pg_class')
  await killDuring(startMigrating(), 'create index concurrently photo_colour%')
  await reader.end()
  expect(await invalidIndexes()).toHaveLength(1)
  expect(await oldColour()).toHaveLength(1)
  await migrate(options(migrations))
  expect(await invalidIndexes()).toEqual([])
  expect(await query(`select from pg_indexes where indexname in ('photo_colour', 'photo_name')`)).toHaveLength(2)
})

test('an index that was finished but not noted is not built twice', async () => {
  const second = kinds['statement by statement'] as Statements
  const migrations = [parsed('0001-first.sql', first), parsed('0002-second.sql', second)]
  await migrate(options(migrations))
  const [built] = await query(`select 'photo_name'::regclass::oid as oid`)
  await query(`delete from schema_migration where number = 2;
    insert into schema_migration_progress (app, number, direction, statement) select 'test', 2, 'up', n from unnest(array[0, 1, 2, 4]) n`)
  await migrate(options(migrations))
  expect(await query(`select 'photo_name'::regclass::oid as oid`)).toEqual([built])
})

test('while a table is in use, no write waits longer than the limit', async () => {
  const lockTimeoutMs = 400
  const migrations = [
    parsed('0001-first.sql', first),
    parsed('0002-second.sql', kinds['one transaction'] as Statements),
  ]
  await migrate(options(migrations, '0001'))
  const reader = new pg.Client({ connectionString: database.connectionString })
  const writer = new pg.Client({ connectionString: database.connectionString })
  await Promise.all([reader.connect(), writer.connect()])
  await reader.query('begin; select count(*) from photo')
  let retries = 0
  const migration = migrate({
    ...options(migrations),
    lockTimeoutMs,
    log: (line) => (retries += line.includes('in use') ? 1 : 0),
  })
  let longestMs = 0
  while (retries < 3) {
    const from = performance.now()
    await writer.query(`insert into photo (name) values ('meanwhile')`)
    longestMs = Math.max(longestMs, performance.now() - from)
    await sleep(5)
  }
  await reader.query('commit')
  await migration
  await Promise.all([reader.end(), writer.end()])
  // The limit is the server's; what is above it is this busy machine's.
  expect(longestMs).toBeGreaterThan(lockTimeoutMs / 4)
  expect(longestMs).toBeLessThan(lockTimeoutMs * 4)
})
