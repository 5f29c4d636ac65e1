import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readMigrations } from '@dam/platform/migrate'
import { dumpSchema } from '@dam/platform/migrate/dump-schema'
import { testDatabase } from '@dam/platform/testing/database'
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest'
import type { Environment } from '../environments/environment.ts'
import { openStore, type Store } from '../store.ts'
import { findBackup, latestBackup, saveBackup } from './backup-store.ts'
import { connect, databaseOf, onDatabase } from './connect.ts'
import { createBackup } from './create-backup.ts'
import { backupFiles } from './manifest.ts'
import { originalPath } from './originals.ts'
import { restoreBackup } from './restore/restore-backup.ts'
import { databaseExists, dropDatabase } from './restore/side-database.ts'
import { dropReplacedDatabases, replacedDatabases, swapDatabase, undoSwap } from './restore/swap-database.ts'
import { addSampleRows } from './testing/sample-rows.ts'
import { verifyBackup } from './verify-backup.ts'

const migrations = readMigrations(path.resolve(import.meta.dirname, '../../../backend/migrations'))
const now = new Date('2025-01-27T10:00:00Z')
const root = mkdtempSync(path.join(tmpdir(), 'dam-backup-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let database: Awaited<ReturnType<typeof testDatabase>>
beforeAll(async () => {
  database = await testDatabase()
  await addSampleRows(database.connectionString)
  await using client = await connect(database.connectionString, 'test')
  await client.query('delete from asset; delete from blob')
}, 60_000)
afterAll(() => database[Symbol.asyncDispose]())

let home: string
let store: Store
let environment: Environment
beforeEach(() => {
  home = mkdtempSync(path.join(root, 'host-'))
  store = openStore(path.join(home, 'ops'))
  environment = {
    name: 'local',
    isLocal: true,
    publicUrl: '',
    host: '',
    port: 0,
    dataDir: path.join(home, 'data'),
    databaseUrl: database.connectionString,
    runDir: null,
    settings: {},
  }
})
afterEach(async () => {
  store.close()
  await using client = await connect(database.connectionString, 'test')
  await client.query('delete from blob')
})

const deps = () => ({ store, backupsDir: path.join(home, 'backups'), connectionString: database.connectionString })
const options = () => ({ environment, kind: 'manual' as const, now, release: '1.0.0', reservePercent: 0 })
const live = (sha256: string) => originalPath(path.join(environment.dataDir, 'blobs'), sha256)

async function addOriginal(text: string): Promise<string> {
  const sha256 = createHash('sha256').update(text).digest('hex')
  mkdirSync(path.dirname(live(sha256)), { recursive: true })
  writeFileSync(live(sha256), text)
  await using client = await connect(database.connectionString, 'test')
  await client.query('insert into blob (sha256, size_bytes) values ($1, $2)', [sha256, text.length])
  return sha256
}

test('a backup holds the database and every original, and stays what it is when the live original goes', async () => {
  const sha256 = await addOriginal('a photo')
  const backup = await createBackup(deps(), options())
  expect(backup).toMatchObject({
    id: '20250127T100000Z-local',
    state: 'ok',
    schemaNumber: migrations.at(-1)?.number,
    message: '',
  })
  expect(readdirSync(backup.folder).toSorted()).toEqual(Object.values(backupFiles).toSorted())
  const kept = originalPath(path.join(home, 'backups', 'blobs'), sha256)
  expect(statSync(kept).ino).toBe(statSync(live(sha256)).ino)
  rmSync(live(sha256))
  expect(readFileSync(kept, 'utf8')).toBe('a photo')
  expect((await verifyBackup(deps(), backup.id, { now })).state).toBe('verified')
  expect(latestBackup(store, 'local')?.id).toBe(backup.id)
})

test('an original that lost its last asset after the snapshot is taken from quarantine', async () => {
  const sha256 = await addOriginal('deleted while the backup runs')
  mkdirSync(path.join(environment.dataDir, 'quarantine'))
  renameSync(live(sha256), path.join(environment.dataDir, 'quarantine', `${sha256}.1`))
  const backup = await createBackup(deps(), options())
  expect(backup.message).toBe('')
  expect(existsSync(originalPath(path.join(home, 'backups', 'blobs'), sha256))).toBe(true)
})

test('originals that the live store has lost or that are damaged are named, not passed over', async () => {
  const [lost, damaged] = [await addOriginal('lost'), await addOriginal('damaged')]
  rmSync(live(lost))
  writeFileSync(live(damaged), 'dXmaged')
  const backup = await createBackup(deps(), options())
  expect(backup.message).toMatch(/^2 of 2 originals were missing or damaged/)
  const manifest = JSON.parse(readFileSync(path.join(backup.folder, backupFiles.manifest), 'utf8')) as {
    originals: unknown
  }
  expect(manifest.originals).toMatchObject({ missing: [lost], damaged: [damaged] })
})

test('one changed byte anywhere in a backup makes it corrupt', async () => {
  const sha256 = await addOriginal('precious')
  const backup = await createBackup(deps(), options())
  const files = [
    ...Object.values(backupFiles).map((name) => path.join(backup.folder, name)),
    originalPath(path.join(home, 'backups', 'blobs'), sha256),
  ]
  for (const file of files) {
    const bytes = readFileSync(file)
    for (const share of [0, 0.3, 0.999]) {
      const changed = Buffer.from(bytes)
      const at = Math.floor(bytes.length * share)
      changed[at] = (changed[at] ?? 0) ^ 1
      writeFileSync(file, changed)
      expect(await verifyBackup(deps(), backup.id, { now })).toMatchObject({ state: 'corrupt' })
    }
    writeFileSync(file, bytes)
  }
  expect((await verifyBackup(deps(), backup.id, { now })).state).toBe('verified')
})

test('a cancelled backup leaves a failed row and nothing on the disk', async () => {
  const controller = new AbortController()
  const creating = createBackup(deps(), { ...options(), signal: controller.signal, say: () => controller.abort() })
  await expect(creating).rejects.toThrow()
  expect(findBackup(store, '20250127T100000Z-local')).toMatchObject({ state: 'failed', message: 'It was cancelled.' })
  expect(readdirSync(path.join(home, 'backups')).filter((name) => name.includes('20250127'))).toEqual([])
})

test('a backup is refused, with figures, when the disk would fall below its reserve', async () => {
  await expect(createBackup(deps(), { ...options(), reservePercent: 100 })).rejects.toThrow(
    /GB are free and .* \(100 %\) stay reserved/,
  )
  expect(findBackup(store, '20250127T100000Z-local')?.state).toBe('failed')
})

test('what a killed backup left is removed by the next one; one that got its name counts', async () => {
  const whole = await createBackup(deps(), options())
  saveBackup(store, { ...whole, state: 'running' })
  saveBackup(store, {
    ...whole,
    id: '20250127T093000Z-local',
    folder: path.join(home, 'backups', '20250127T093000Z-local'),
    state: 'running',
  })
  mkdirSync(path.join(home, 'backups', '.20250127T093000Z-local.unfinished'))
  await createBackup(deps(), { ...options(), now: new Date('2025-01-27T11:00:00Z') })
  expect(findBackup(store, whole.id)?.state).toBe('ok')
  expect(findBackup(store, '20250127T093000Z-local')).toMatchObject({
    state: 'failed',
    message: expect.stringContaining('interrupted'),
  })
  expect(existsSync(path.join(home, 'backups', '.20250127T093000Z-local.unfinished'))).toBe(false)
})

test('a restore goes into a database beside the live one, brings originals back, and takes its place and back within one step', async () => {
  // A database of its own, because it is renamed.
  await using mine = await testDatabase()
  const sha256 = await addOriginal('will be lost')
  await using before = await connect(mine.connectionString, 'test')
  await before.query(
    `insert into tag (name) values ('then'); insert into blob (sha256, size_bytes) values ('${sha256}', 12)`,
  )
  const own = { ...deps(), connectionString: mine.connectionString }
  const backup = await createBackup(own, options())
  await before.query(`insert into tag (name) values ('later')`)
  rmSync(live(sha256))

  const restore = (more: { into?: string } = {}) =>
    restoreBackup({
      environment,
      connectionString: mine.connectionString,
      backupsDir: own.backupsDir,
      source: { kind: 'backup', folder: backup.folder },
      migrations,
      searchPath: '',
      now,
      ...more,
    })
  const report = await restore()
  expect(report).toMatchObject({
    restoredWith: 'here',
    migrationsMissing: [],
    originals: { checked: 1, broughtBack: 1, missing: [] },
  })
  expect(readFileSync(live(sha256), 'utf8')).toBe('will be lost')
  expect(await dumpSchema(report.connectionString)).toBe(await dumpSchema(mine.connectionString))

  const tags = async (connectionString: string) => {
    await using client = await connect(connectionString, 'test')
    return (await client.query<{ name: string }>('select name from tag order by id')).rows.map(({ name }) => name)
  }
  const kept = await swapDatabase(mine.connectionString, report.database, now)
  expect(await tags(mine.connectionString)).toEqual(['then'])
  expect(await tags(onDatabase(mine.connectionString, kept))).toEqual(['then', 'later'])
  const undone = await undoSwap(mine.connectionString, now)
  expect(undone.restored).toBe(kept)
  expect(await tags(mine.connectionString)).toEqual(['then', 'later'])
  const redone = await undoSwap(mine.connectionString, now)
  expect(redone).toEqual({ restored: undone.kept, kept: expect.not.stringMatching(undone.kept) as string })
  expect(await tags(mine.connectionString)).toEqual(['then'])

  expect(await dropReplacedDatabases(mine.connectionString, new Date('2025-02-02T00:00:00Z'))).toEqual([])
  expect(await dropReplacedDatabases(mine.connectionString, new Date('2025-02-04T00:00:00Z'))).toEqual([redone.kept])
  expect(await replacedDatabases(mine.connectionString)).toEqual([])
})

test('a damaged backup is refused before anything is restored, and nothing is left of the attempt', async () => {
  const backup = await createBackup(deps(), options())
  const file = path.join(backup.folder, backupFiles.dump)
  const bytes = readFileSync(file)
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1
  writeFileSync(file, bytes)
  const into = `${databaseOf(database.connectionString)}_side`
  const attempt = {
    environment,
    connectionString: database.connectionString,
    backupsDir: deps().backupsDir,
    into,
    migrations,
    searchPath: '',
    now,
  }
  await expect(restoreBackup({ ...attempt, source: { kind: 'backup', folder: backup.folder } })).rejects.toThrow(
    /another checksum/,
  )
  await expect(restoreBackup({ ...attempt, source: { kind: 'file', file } })).rejects.toThrow()
  expect(await databaseExists(database.connectionString, into)).toBe(false)
  await dropDatabase(database.connectionString, into)
})
