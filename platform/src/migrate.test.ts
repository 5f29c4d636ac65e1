import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listMigrations, migrate, type Migration, parseMigration, planMigration, readMigrations } from './migrate.ts'
import { dumpSchema } from './migrate/dump-schema.ts'
import { splitStatements } from './migrate/statements.ts'
import { type TestDatabase, testDatabase } from './testing/database.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await testDatabase({ empty: true })
})
afterEach(() => database[Symbol.asyncDispose]())

const file = (name: string, up: string, down: string, header = '-- previous-release-runs: yes (a test)') =>
  parseMigration(name, `${header}\n-- up\n${up}\n-- down\n${down}\n`)

const first = file('0001-first.sql', 'create table one (id int);', 'drop table one;')
const second = file('0002-second.sql', 'create table two (id int);', 'drop table two;')

const options = (migrations: Migration[], target?: string) => ({
  connectionString: database.connectionString,
  app: 'test',
  migrations,
  ...(target ? { target } : {}),
})
const words = (steps: { direction: string; number: number }[]) =>
  steps.map((step) => `${step.direction} ${step.number}`)

async function query(statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows
  } finally {
    await client.end()
  }
}
const tables = async () =>
  (
    await query(
      `select tablename from pg_tables where schemaname = 'public' and tablename not like 'schema_migration%' order by 1`,
    )
  ).map((row) => row['tablename'])

describe('migrations', () => {
  test('go up to the newest, once', async () => {
    expect(words(await migrate(options([first, second])))).toEqual(['up 1', 'up 2'])
    expect(words(await migrate(options([first, second])))).toEqual([])
    expect(await tables()).toEqual(['one', 'two'])
  })

  test.each([
    ['0001', ['down 2']],
    ['0001-first', ['down 2']],
    ['1', ['down 2']],
    ['zero', ['down 2', 'down 1']],
    ['0002', []],
  ])('go to %s', async (target, steps) => {
    await migrate(options([first, second]))
    expect(words(await planMigration(options([first, second], target)))).toEqual(steps)
    expect(await tables()).toEqual(['one', 'two'])
    expect(words(await migrate(options([first, second], target)))).toEqual(steps)
    expect(words(await migrate(options([first, second])))).toEqual(
      steps.toReversed().map((step) => step.replace('down', 'up')),
    )
  })

  test('name what there is when the target does not exist', async () => {
    await expect(migrate(options([first], '0007'))).rejects.toThrow('There are: zero, 0001-first')
  })

  test('leave nothing of one that fails and keep those before it', async () => {
    const broken = file('0002-broken.sql', 'create table two (id int);\nselect nonsense;', 'drop table two;')
    await expect(migrate(options([first, broken]))).rejects.toThrow(
      /0002-broken \(up\) failed, line 2 of its section: .*nonsense.*Nothing of it was kept/,
    )
    expect(await tables()).toEqual(['one'])
  })

  test('run statements that no transaction allows', async () => {
    const concurrent = file(
      '0002-index.sql',
      'create index concurrently one_id on one (id);\ncreate index concurrently one_id_again on one (id);',
      'drop index concurrently one_id;\ndrop index concurrently one_id_again;',
      '-- previous-release-runs: yes (an index)\n-- no-transaction',
    )
    await migrate(options([first, concurrent]))
    expect(await query(`select from pg_indexes where tablename = 'one'`)).toHaveLength(2)
    await migrate(options([first, concurrent], '0001'))
    expect(await query(`select from pg_indexes where tablename = 'one'`)).toHaveLength(0)
  })

  test('run once when several processes start at the same moment', async () => {
    const runs = await Promise.all(Array.from({ length: 5 }, () => migrate(options([first, second]))))
    expect(runs.flat()).toHaveLength(2)
  })

  test('wait for a table in use and hold nobody up for longer than their limit', async () => {
    const alter = file('0002-alter.sql', 'alter table one add extra int;', 'alter table one drop extra;')
    await migrate(options([first]))
    const user = new pg.Client({ connectionString: database.connectionString })
    await user.connect()
    await user.query('begin; select * from one')
    const said: string[] = []
    const migration = migrate({ ...options([first, alter]), lockTimeoutMs: 50, log: (message) => said.push(message) })
    while (!said.some((message) => message.includes('a table is in use')))
      await new Promise((resolve) => setTimeout(resolve, 10))
    await user.query('commit')
    await user.end()
    expect(words(await migration)).toEqual(['up 2'])
  })

  test('refuse a file that was changed after it was applied', async () => {
    await migrate(options([first]))
    const changed = file('0001-first.sql', 'create table one (id bigint);', 'drop table one;')
    await expect(migrate(options([changed]))).rejects.toThrow('0001-first was changed after it was applied')
  })

  test('let an older release run on a newer database only when the newer migration says so', async () => {
    await migrate(options([first, second]))
    expect(await migrate(options([first]))).toEqual([])
    const breaking = file(
      '0003-rename.sql',
      'alter table one rename to uno;',
      'alter table uno rename to one;',
      '-- previous-release-runs: no (renames)',
    )
    await migrate(options([first, second, breaking]))
    await expect(migrate(options([first]))).rejects.toThrow(
      /ahead of this release: 0002-second, 0003-rename.*cannot run on 0003-rename/,
    )
  })

  test('can be undone by a release that does not bring them', async () => {
    await migrate(options([first, second]))
    expect(await listMigrations(options([first]))).toMatchObject([
      { label: '0001-first', fromNewerRelease: false },
      { label: '0002-second', fromNewerRelease: true },
    ])
    expect(words(await migrate(options([first], '0001')))).toEqual(['down 2'])
    expect(await tables()).toEqual(['one'])
  })

  test.each([
    ['first.sql', 'is named like'],
    ['0001-first.sql', 'previous-release-runs'],
  ])('are refused when the file is not in the format: %s', (name, reason) => {
    expect(() => parseMigration(name, '-- up\nselect 1;\n-- down\nselect 1;')).toThrow(reason)
  })

  test('that have no way down are refused', () => {
    expect(() => file('0001-first.sql', 'select 1;', '')).toThrow('must both hold statements')
  })
})

describe("DAM's own migrations", () => {
  const own = readMigrations(fileURLToPath(new URL('../../backend/migrations', import.meta.url)))

  test('go up, down to nothing, and up again to the same schema', async () => {
    const empty = await dumpSchema(database.connectionString)
    await migrate(options(own))
    const full = await dumpSchema(database.connectionString)
    expect(full).not.toBe(empty)
    await migrate(options(own, 'zero'))
    expect(withoutExtensions(await dumpSchema(database.connectionString))).toBe(empty)
    await migrate(options(own))
    expect(await dumpSchema(database.connectionString)).toBe(full)
  })

  // Extensions may be shared with others in a database that is not only ours; a way down need not remove them.
  const withoutExtensions = (schema: string) => schema.replaceAll(/create extension \S+;\n\n?/g, '')
})

test('statements end at semicolons that are not quoted or commented', () => {
  expect(splitStatements(`select ';', "a;b" -- ; no\n; /* ; */ do $x$ begin; end $x$;\n  select $$;$$`)).toEqual([
    `select ';', "a;b" -- ; no`,
    '/* ; */ do $x$ begin; end $x$',
    'select $$;$$',
  ])
})
