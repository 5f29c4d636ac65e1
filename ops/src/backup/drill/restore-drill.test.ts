import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { readMigrations } from '@dam/platform/migrate'
import { testDatabase } from '@dam/platform/testing/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { shellEnvironment } from '../../config.ts'
import type { Environment } from '../../environments/environment.ts'
import { openStore } from '../../store.ts'
import { backupMetrics } from '../backup-metrics.ts'
import { findBackup } from '../backup-store.ts'
import { connect } from '../connect.ts'
import { createBackup } from '../create-backup.ts'
import { backupFiles } from '../manifest.ts'
import { originalPath } from '../originals.ts'
import { predictRestore } from '../predict-restore.ts'
import { pruneBackups } from '../prune-backups.ts'
import { onServer } from '../restore/side-database.ts'
import { restoreDrill } from './restore-drill.ts'

const checkout = path.resolve(import.meta.dirname, '../../../..')
const migrations = readMigrations(path.join(checkout, 'backend/migrations'))
const home = mkdtempSync(path.join(tmpdir(), 'dam-drill-'))
const backupsDir = path.join(home, 'backups')
const store = openStore(path.join(home, 'ops'))
let database: Awaited<ReturnType<typeof testDatabase>>
let environment: Environment

beforeAll(async () => {
  database = await testDatabase()
  environment = {
    name: 'local',
    isLocal: true,
    publicUrl: '',
    host: '',
    port: 0,
    dataDir: path.join(home, 'data'),
    databaseUrl: null,
    runDir: null,
    settings: {},
  }
  await using client = await connect(database.connectionString, 'test')
  for (let n = 0; n < 30; n++) {
    const text = `original ${n}`
    const sha256 = createHash('sha256').update(text).digest('hex')
    const file = originalPath(path.join(environment.dataDir, 'blobs'), sha256)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
    await client.query('insert into blob (sha256, size_bytes) values ($1, $2)', [sha256, text.length])
    await client.query(
      `insert into asset (sha256, size_bytes, filename, label, status) values ($1, $2, 'a.txt', 'a', 'ready')`,
      [sha256, text.length],
    )
  }
}, 60_000)
afterAll(async () => {
  store.close()
  await database[Symbol.asyncDispose]()
  rmSync(home, { recursive: true, force: true })
})

const deps = () => ({ store, backupsDir, connectionString: database.connectionString })
const drill = (now: Date) =>
  restoreDrill(deps(), { environment, applicationDir: checkout, migrations, now, shell: shellEnvironment })
const backupAt = (now: Date) =>
  createBackup(deps(), { environment, kind: 'manual', now, release: '1.0.0', reservePercent: 0 })

test('a drill without a backup fails and says how to make one', async () => {
  expect(predictRestore(store, 'local').minutes).toBeNull()
  const failed = await drill(new Date('2025-01-27T09:00:00Z'))
  expect(failed).toMatchObject({ state: 'failed', report: { message: expect.stringContaining('./dam backup local') } })
})

test('a drill boots the application on the newest backup, compares rows and originals, and leaves nothing behind', async () => {
  const backup = await backupAt(new Date('2025-01-27T10:00:00Z'))
  mkdirSync(path.join(backupsDir, '.drill-local-20250101T000000Z'))
  const passed = await drill(new Date('2025-01-27T11:00:00Z'))
  expect(passed).toMatchObject({
    state: 'passed',
    backupId: backup.id,
    report: {
      message: '',
      unequalTables: [],
      originals: { known: 30, sampled: 30, missing: 0, damaged: 0 },
      downloads: { asked: 20, right: 20 },
    },
  })
  expect(Object.keys(passed.report.phasesMs ?? {})).toEqual([
    'examine',
    'restore',
    'compare',
    'originals',
    'boot',
    'downloads',
    'all',
  ])
  expect(findBackup(store, backup.id)?.state).toBe('verified')
  expect(readdirSync(backupsDir).filter((name) => name.startsWith('.drill'))).toEqual([])
  const left = await onServer(database.connectionString, (admin) =>
    admin.query(`select from pg_database where datname like 'dam_drill_local%'`),
  )
  expect(left.rowCount).toBe(0)

  expect(predictRestore(store, 'local').minutes).toBeGreaterThan(0)
  const metrics = backupMetrics(store, ['local', 'staging'], new Date('2025-01-27T12:00:00Z'))
  expect(metrics).toContain('\ndam_backup_age_seconds{environment="local"} 7200\n')
  expect(metrics).toContain('dam_restore_drill_failed{environment="local"} 0')
  expect(metrics).not.toMatch(/age_seconds\{environment="staging"/)
}, 120_000)

test('a drill fails on a damaged original and on a damaged dump, naming what it found', async () => {
  const backup = await backupAt(new Date('2025-01-28T10:00:00Z'))
  const sha256 = createHash('sha256').update('original 7').digest('hex')
  const kept = originalPath(path.join(backupsDir, 'blobs'), sha256)
  writeFileSync(kept, 'original 8')
  expect(await drill(new Date('2025-01-28T11:00:00Z'))).toMatchObject({
    state: 'failed',
    report: { message: expect.stringMatching(/1 of 30 that were read are damaged/) },
  })
  writeFileSync(kept, 'original 7')
  const dump = path.join(backup.folder, backupFiles.dump)
  const bytes = readFileSync(dump)
  bytes[50] = (bytes[50] ?? 0) ^ 4
  writeFileSync(dump, bytes)
  expect(await drill(new Date('2025-01-28T12:00:00Z'))).toMatchObject({
    state: 'failed',
    report: { message: expect.stringContaining('another checksum') },
  })
}, 120_000)

test('pruning deletes what need not be kept and only originals that no backup refers to', async () => {
  const early = await backupAt(new Date('2025-03-03T08:00:00Z'))
  const sha256 = createHash('sha256').update('original 3').digest('hex')
  await using client = await connect(database.connectionString, 'test')
  await client.query('delete from asset where sha256 = $1', [sha256])
  await client.query('delete from blob where sha256 = $1', [sha256])
  const late = await backupAt(new Date('2025-03-03T20:00:00Z'))
  const retention = { hours: 0, daily: 1, weekly: 0, monthly: 0 }
  const pruned = await pruneBackups({ store, backupsDir }, { now: new Date('2025-03-03T21:00:00Z'), retention })
  expect(pruned.deleted).toContain(early.id)
  expect([existsSync(early.folder), existsSync(late.folder), findBackup(store, early.id)?.state]).toEqual([
    false,
    true,
    'deleted',
  ])
  // The verified backup of January still refers to it.
  expect(existsSync(originalPath(path.join(backupsDir, 'blobs'), sha256))).toBe(true)
  rmSync(path.join(backupsDir, '20250127T100000Z-local'), { recursive: true })
  const again = await pruneBackups({ store, backupsDir }, { now: new Date('2025-03-03T22:00:00Z'), retention })
  expect(again.originalsRemoved).toBe(1)
})
