import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readMigrations } from '@dam/platform/migrate'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import { type MigrationTest, testMigrations } from './test-migrations.ts'

const checkout = fileURLToPath(new URL('../../../', import.meta.url))
const root = mkdtempSync(path.join(tmpdir(), 'dam-releases-'))
const newest = readMigrations(path.join(checkout, 'backend/migrations')).length
let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(root, { recursive: true, force: true })
})

/** A release that is this checkout with one migration more. */
function release(tag: string, up: string, down: string): { tag: string; dir: string } {
  const dir = path.join(root, tag)
  mkdirSync(path.join(dir, 'backend'), { recursive: true })
  symlinkSync(path.join(checkout, 'backend/src'), path.join(dir, 'backend/src'))
  cpSync(path.join(checkout, 'backend/migrations'), path.join(dir, 'backend/migrations'), { recursive: true })
  const name = `${String(newest + 1).padStart(4, '0')}-more.sql`
  writeFileSync(
    path.join(dir, 'backend/migrations', name),
    `-- previous-release-runs: yes (says the one who wrote it)\n-- up\n${up}\n-- down\n${down}\n`,
  )
  return { tag, dir }
}
const tested = (newRelease: { tag: string; dir: string }): Promise<MigrationTest> =>
  testMigrations({
    newRelease,
    oldRelease: { tag: 'v1.0.0', dir: checkout },
    source: { kind: 'database', connectionString: database.connectionString },
    searchPath: '',
    now: new Date(),
  })

test('a migration passes with both releases, down and up again', async () => {
  const result = await tested(
    release('v1.1.0', 'alter table asset add column mood text;', 'alter table asset drop column mood;'),
  )
  expect(result.steps.filter(({ ok }) => !ok)).toEqual([])
  expect(result.steps.map(({ name }) => name)).toEqual([
    'scratch copy',
    'up',
    'journey with v1.1.0',
    'journey with v1.0.0 on the new schema',
    'down',
    'schema as before',
    'up again',
    'schema as after the first time',
  ])
  expect(result).toMatchObject({ ok: true, migrations: [`${String(newest + 1).padStart(4, '0')}-more`] })
  expect(result.source).toContain('a copy of the database')
})

test('one that the old code cannot run on fails, whatever it says of itself', async () => {
  const result = await tested(
    release('v1.2.0', 'alter table asset add column owed text not null;', 'alter table asset drop column owed;'),
  )
  expect(result.ok).toBe(false)
  expect(result.steps.at(-1)?.name).toMatch(/^journey with /)
  // Not because it did not start.
  expect(result.steps.at(-1)?.message).toMatch(/^upload/)
})

test('one whose way down leaves something behind fails and says what', async () => {
  const result = await tested(release('v1.3.0', 'alter table asset add column mood text;', 'select 1;'))
  expect(result.steps.at(-1)).toMatchObject({
    name: 'schema as before',
    ok: false,
    message: expect.stringContaining('mood') as string,
  })
})
