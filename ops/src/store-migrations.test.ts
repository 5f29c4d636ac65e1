import { DatabaseSync } from 'node:sqlite'
import { beforeEach, expect, test } from 'vitest'
import { type Migration, parseMigration, readMigrations } from '@dam/platform/migrate'
import { appliedToStore, migrateStore, planStore } from './store-migrations.ts'
import { storeMigrationsDir } from './store.ts'

const migration = (name: string, up: string, down: string): Migration =>
  parseMigration(name, `-- previous-release-runs: yes (a test)\n-- up\n${up}\n-- down\n${down}\n`)
const first = migration('0001-first.sql', 'create table one (id integer);', 'drop table one;')
const second = migration('0002-second.sql', 'create table two (id integer);', 'drop table two;')

let file: DatabaseSync
beforeEach(() => {
  file = new DatabaseSync(':memory:')
})
const tables = (): unknown[] =>
  file
    .prepare(`select name from sqlite_schema where type = 'table' and name <> 'schema_migration' order by 1`)
    .all()
    .map((row) => row['name'])
const words = (steps: { direction: string; number: number }[]): string[] =>
  steps.map(({ direction, number }) => `${direction} ${number}`)

test('a store goes up, down by the way that was applied, and up again', () => {
  expect(words(migrateStore(file, [first, second]))).toEqual(['up 1', 'up 2'])
  expect(migrateStore(file, [first, second])).toEqual([])
  // Also by a release that does not bring it.
  expect(words(migrateStore(file, [first], '0001'))).toEqual(['down 2'])
  expect(tables()).toEqual(['one'])
  expect(words(planStore(file, [first, second]))).toEqual(['up 2'])
  migrateStore(file, [first, second])
  expect(words(migrateStore(file, [first, second], 'zero'))).toEqual(['down 2', 'down 1'])
  expect(tables()).toEqual([])
})

test('a store that is ahead is used as it is', () => {
  migrateStore(file, [first, second])
  expect(migrateStore(file, [first])).toEqual([])
  expect(tables()).toEqual(['one', 'two'])
})

test('a migration that was changed after it was applied is refused, with what to do', () => {
  migrateStore(file, [first])
  const changed = migration('0001-first.sql', 'create table one (id text);', 'drop table one;')
  expect(() => migrateStore(file, [changed, second])).toThrow(
    /0001-first .* was changed after it was applied .* new migration/,
  )
  expect(tables()).toEqual(['one'])
})

test('a store from before the ledger gets one for what it has', () => {
  file.exec('create table one (id integer); pragma user_version = 1')
  expect(words(migrateStore(file, [first, second]))).toEqual(['up 2'])
  expect(appliedToStore(file).map(({ name }) => name)).toEqual(['first', 'second'])
})

test('one that fails leaves everything as it was', () => {
  const broken = migration(
    '0002-second.sql',
    'create table two (id integer); create table one (id integer);',
    'select 1;',
  )
  migrateStore(file, [first])
  expect(() => migrateStore(file, [first, broken])).toThrow('0002-second (up) of the operations store failed')
  expect(tables()).toEqual(['one'])
  expect(words(planStore(file, [first, second]))).toEqual(['up 2'])
})

test("the operations' own migrations go down to nothing, with rows that refer to each other, and up to the same schema", () => {
  const own = readMigrations(storeMigrationsDir)
  const schema = () => file.prepare('select type, name, sql from sqlite_schema order by 1, 2').all()
  file.exec('pragma foreign_keys = on')
  migrateStore(file, own)
  const whole = schema()
  file.exec(
    `insert into release (digest, tag, version, commit_hash, lockfile_hash, schema_min, schema_max, manifest, built_at) values ('d', 'v1.0.0', '1.0.0', 'c', 'l', 1, 1, '{}', '');
     insert into gate_record (kind, digest, verdict, evidence, by_whom, at) values ('tests', 'd', 'pass', '{}', 'a', '')`,
  )
  migrateStore(file, own, 'zero')
  expect(tables().filter((name) => name !== 'sqlite_sequence')).toEqual([])
  migrateStore(file, own)
  expect(schema()).toEqual(whole)
})
