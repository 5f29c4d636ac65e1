import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { migrate, parseMigration } from '../migrate.ts'
import { type TestDatabase, testDatabase } from '../testing/database.ts'
import { parseBackfill } from './parse-backfill.ts'

let database: TestDatabase
let client: pg.Client
let folder: string
beforeAll(async () => {
  database = await testDatabase({ empty: true })
  folder = mkdtempSync(path.join(tmpdir(), 'dam-backfill-'))
  client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await database[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const first = `-- previous-release-runs: yes (a test)
-- up
create table photo (id int generated always as identity primary key, name text not null);
insert into photo (name) select 'photo ' || n from generate_series(1, 3000) n;
-- down
drop table photo;
`
const second = `-- previous-release-runs: yes (a test)
-- no-transaction
-- kind: data
-- up
alter table photo add column label text, add column times int not null default 0;
-- backfill photo by id, 100 at a time, pausing 20 ms
update photo set label = upper(name), times = times + 1 where id between $1 and $2;
-- down
alter table photo drop column label, drop column times;
`
const options = () => ({
  connectionString: database.connectionString,
  app: 'test',
  migrations: [parseMigration('0001-first.sql', first), parseMigration('0002-label.sql', second)],
})
const count = async (where: string): Promise<number> =>
  Number((await client.query<{ n: string }>(`select count(*) as n from photo where ${where}`)).rows[0]?.n)
const progress = async (): Promise<number> =>
  Number(
    (await client.query<{ n: string }>('select max(changed_rows) as n from schema_migration_progress')).rows[0]?.n ?? 0,
  )

beforeEach(async () => {
  await migrate({ ...options(), target: 'zero' })
  await migrate({ ...options(), target: '0001' })
})

test('a killed backfill goes on behind its last batch, and no row is changed twice or left out, whatever others write', async () => {
  writeFileSync(path.join(folder, '0001-first.sql'), first)
  writeFileSync(path.join(folder, '0002-label.sql'), second)
  const main = fileURLToPath(new URL('../testing/migrate-main.ts', import.meta.url))
  let isWriting = true
  let longestMs = 0
  let added = 0
  const writer = new pg.Client({ connectionString: database.connectionString })
  await writer.connect()
  const writing = (async () => {
    while (isWriting) {
      const from = performance.now()
      await writer.query(`insert into photo (name) values ('meanwhile')`)
      await writer.query(`update photo set name = name || '!' where id = $1`, [1 + ((added * 37) % 3000)])
      longestMs = Math.max(longestMs, performance.now() - from)
      added++
      await sleep(10)
    }
  })()
  let reached = 0
  for (let round = 1; round <= 2; round++) {
    const child = spawn(process.execPath, [main, database.connectionString, folder], { stdio: 'ignore' })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await expect.poll(progress, { timeout: 30_000, interval: 20 }).toBeGreaterThan(reached + 200)
    child.kill('SIGKILL')
    await ended
    reached = await progress()
    expect(reached).toBeLessThan(3_000)
    expect(await count('times > 0')).toBeGreaterThanOrEqual(reached)
  }
  const said: string[] = []
  await migrate({ ...options(), log: (line) => said.push(line) })
  isWriting = false
  await writing
  await writer.end()
  expect(said.join('\n')).toMatch(/going on after 1 of 2[\s\S]*rows of photo/)
  // Rows that were added behind its end are those of the release that knows the column.
  expect(await count(`times = 1`)).toBeGreaterThanOrEqual(3_000)
  expect(await count(`id <= 3000 and (times <> 1 or label is null)`)).toBe(0)
  expect(await count('times > 1')).toBe(0)
  expect(added).toBeGreaterThan(10)
  expect((await client.query('select from schema_migration_progress')).rowCount).toBe(0)
  expect(longestMs).toBeGreaterThan(0)
})

test('a batch that meets a lock waits and is tried again', async () => {
  const other = new pg.Client({ connectionString: database.connectionString })
  await other.connect()
  await migrate({ ...options(), target: '0001' })
  await other.query('begin; select from photo where id = 150 for update')
  const migrating = migrate({ ...options(), lockTimeoutMs: 100 })
  // The table gets its columns only when nobody holds a row of it.
  await sleep(300)
  await other.query('commit')
  await expect.poll(progress, { timeout: 30_000, interval: 20 }).toBeGreaterThan(500)
  await other.query('begin; select from photo where id = 2500 for update')
  await expect.poll(progress, { timeout: 30_000, interval: 20 }).toBe(2_400)
  await sleep(400)
  expect(await progress()).toBe(2_400)
  await other.query('commit')
  await migrating
  await other.end()
  expect(await count('times <> 1')).toBe(0)
})

test('a backfill that is not in the form is refused before anything is done', () => {
  const file =
    (statement: string, header = '-- no-transaction\n') =>
    () =>
      parseMigration(
        '0002-label.sql',
        `-- previous-release-runs: yes (a test)\n${header}-- up\n${statement}\n-- down\nselect 1;\n`,
      )
  const good = '-- backfill photo by id\nupdate photo set label = name where id between $1 and $2;'
  expect(file(good)).not.toThrow()
  expect(file(good, '')).toThrow('-- no-transaction')
  expect(file('-- backfill photo\nupdate photo set label = name;')).toThrow('-- backfill <table> by <key>')
  expect(file('-- backfill photo by id\nupdate photo set label = name;')).toThrow('between $1 and $2')
  expect(parseBackfill('-- nothing of the kind\nselect 1')).toBeNull()
  expect(parseBackfill('-- backfill a.b by id, 5 at a time\nupdate a.b set c = 1 where id between $1 and $2')).toEqual({
    table: 'a.b',
    key: 'id',
    batchRows: 5,
    pauseMs: 50,
    sql: 'update a.b set c = 1 where id between $1 and $2',
  })
})
