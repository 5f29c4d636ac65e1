import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrate, readMigrations } from '@dam/platform/migrate'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import { runJourney } from '../verification/run-journey.ts'
import { ensureSyntheticAccount, type SyntheticAccount } from '../verification/synthetic-account.ts'
import { type RunningRelease, startRelease } from './start-release.ts'

// A release that serves while the next one's migration is killed at each of its statements, and both on the result.
const checkout = fileURLToPath(new URL('../../../', import.meta.url))
const root = mkdtempSync(path.join(tmpdir(), 'dam-two-releases-'))
const next = path.join(root, 'next')
const folder = path.join(next, 'backend/migrations')
const number = readMigrations(path.join(checkout, 'backend/migrations')).length + 1
const up = [
  'create table mood (id bigint primary key, name text not null)',
  `alter table asset add column mood text not null default ''`,
  'alter table asset add constraint mood_short check (length(mood) < 100) not valid',
  'create index error_log_message on error_log (message)',
]
const down = [
  'drop index error_log_message',
  'alter table asset drop constraint mood_short, drop column mood',
  'drop table mood',
]
const write = (statements: readonly string[]): void =>
  writeFileSync(
    path.join(folder, `${String(number).padStart(4, '0')}-mood.sql`),
    `-- previous-release-runs: yes (adds)\n-- up\n${statements.join(';\n')};\n-- down\n${down.join(';\n')};\n`,
  )

let database: TestDatabase
let client: pg.Client
let account: SyntheticAccount
let old: RunningRelease
beforeAll(async () => {
  mkdirSync(path.join(next, 'backend'), { recursive: true })
  symlinkSync(path.join(checkout, 'backend/src'), path.join(next, 'backend/src'))
  cpSync(path.join(checkout, 'backend/migrations'), folder, { recursive: true })
  database = await testDatabase()
  client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
  account = await ensureSyntheticAccount({ connectionString: database.connectionString, runDir: root })
  old = await start(checkout)
})
afterAll(async () => {
  await old.stop()
  await client.end()
  await database[Symbol.asyncDispose]()
  rmSync(root, { recursive: true, force: true })
})

const start = (releaseDir: string): Promise<RunningRelease> =>
  startRelease({ releaseDir, connectionString: database.connectionString, dataDir: path.join(root, 'data') })
const brokenStep = async ({ baseUrl }: RunningRelease): Promise<string> => {
  const { steps } = await runJourney({ baseUrl, ...account, syntheticSecret: 'test' })
  const broken = steps.find(({ ok }) => !ok)
  return broken ? `${broken.name}: ${broken.message}` : ''
}
const isReady = async ({ baseUrl }: RunningRelease): Promise<boolean> => (await fetch(`${baseUrl}/readyz`)).ok

test('the release that serves survives a kill of the migration at every statement, and both serve on the result', async () => {
  for (let k = 0; k <= up.length; k++) {
    write(up.toSpliced(k, 0, 'select pg_sleep(60)'))
    const main = fileURLToPath(new URL('../../../platform/src/testing/migrate-main.ts', import.meta.url))
    const child = spawn(process.execPath, [main, database.connectionString, folder, 'backend'], { stdio: 'ignore' })
    const session = `from pg_stat_activity where application_name = 'dam: migrate' and datname = current_database()`
    const isAsleep = async () => (await client.query(`select ${session} and query like '%pg_sleep(60)%'`)).rowCount
    await expect.poll(isAsleep, { timeout: 60_000 }).toBe(1)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    // The server notices its client's end only when it next speaks to it.
    await client.query(`select pg_terminate_backend(pid) ${session}`)
    expect(await isReady(old), `after statement ${k}`).toBe(true)
    expect(await brokenStep(old), `after statement ${k}`).toBe('')
  }
  write(up)
  await migrate({
    connectionString: database.connectionString,
    app: 'backend',
    migrations: readMigrations(folder),
  })
  const fresh = await start(next)
  try {
    expect(await Promise.all([brokenStep(old), brokenStep(fresh)])).toEqual(['', ''])
    expect([await isReady(old), await isReady(fresh)]).toEqual([true, true])
  } finally {
    await fresh.stop()
  }
}, 300_000)

test('while somebody reads the table for long, no write waits longer than the real lock timeout', async () => {
  const options = { connectionString: database.connectionString, app: 'backend', migrations: readMigrations(folder) }
  await migrate({ ...options, target: String(number - 1) })
  const [reader, writer] = [1, 2].map(() => new pg.Client({ connectionString: database.connectionString }))
  if (!reader || !writer) throw new Error('no clients')
  await Promise.all([reader.connect(), writer.connect()])
  await reader.query('begin; select count(*) from asset')
  let retries = 0
  const migrating = migrate({ ...options, log: (line) => (retries += line.includes('in use') ? 1 : 0) })
  let longestMs = 0
  while (retries < 2) {
    const from = performance.now()
    await writer.query('update asset set label = label where id = 0')
    longestMs = Math.max(longestMs, performance.now() - from)
    await sleep(5)
  }
  await reader.query('commit')
  await migrating
  await Promise.all([reader.end(), writer.end()])
  expect(longestMs).toBeGreaterThan(500)
  // The limit is the server's, 2 s; what is above it is this busy machine's.
  expect(longestMs).toBeLessThan(8_000)
}, 120_000)
