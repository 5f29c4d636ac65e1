import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { testDatabase } from '@dam/platform/testing/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { shellEnvironment } from '../../config.ts'
import { openStore, type Store } from '../../store.ts'
import { findBackup, type StoredBackup } from '../backup-store.ts'
import { connect } from '../connect.ts'
import { createBackup } from '../create-backup.ts'
import { originalPath } from '../originals.ts'
import { fakeS3 } from '../testing/fake-s3.ts'
import { verifyBackup } from '../verify-backup.ts'
import { fetchBackup } from './fetch-backup.ts'
import { openTarget } from './open-target.ts'
import { rsyncTarget } from './rsync-target.ts'
import { sendBackup } from './send-backup.ts'
import type { Target } from './target.ts'

const home = mkdtempSync(path.join(tmpdir(), 'dam-away-'))
const now = new Date('2025-01-27T10:00:00Z')
const credentials = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' }
const store = openStore(path.join(home, 'ops'))
const deps = { store, backupsDir: path.join(home, 'backups') }
const shas: string[] = []
let backup: StoredBackup

beforeAll(async () => {
  await using database = await testDatabase()
  await using client = await connect(database.connectionString, 'test')
  const dataDir = path.join(home, 'data')
  // The last one is more than one part of an upload to S3.
  for (const bytes of [...Array.from({ length: 12 }, () => randomBytes(1000)), randomBytes(36_000_000)]) {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const file = originalPath(path.join(dataDir, 'blobs'), sha256)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, bytes)
    await client.query('insert into blob (sha256, size_bytes) values ($1, $2)', [sha256, bytes.length])
    shas.push(sha256)
  }
  const environment = {
    name: 'local',
    isLocal: true,
    publicUrl: '',
    host: '',
    port: 0,
    dataDir,
    databaseUrl: null,
    runDir: null,
    settings: {},
  }
  backup = await createBackup(
    { ...deps, connectionString: database.connectionString },
    { environment, kind: 'manual', now, release: '1.0.0', reservePercent: 0 },
  )
}, 60_000)
afterAll(() => {
  store.close()
  rmSync(home, { recursive: true, force: true })
})

let hosts = 0
/** Fetches on a host that has nothing, and reads every byte. */
async function fetchElsewhere(target: Target): Promise<StoredBackup> {
  const other = path.join(home, `host-${hosts++}`)
  using empty: Store = openStore(path.join(other, 'ops'))
  const there = { store: empty, backupsDir: path.join(other, 'backups') }
  await fetchBackup(there, backup.id, target, {})
  return await verifyBackup(there, backup.id, { now })
}

test('a backup goes to S3 through slow-downs, comes back to an empty host through broken connections, and travels once', async () => {
  await using s3 = await fakeS3()
  let asked = 0
  s3.trouble = (method) => (method !== 'STORE' && asked++ % 3 === 0 ? 'slow down' : null)
  const target = openTarget(s3.address, credentials)
  const sent = await sendBackup(deps, backup.id, target, { now })
  expect(sent).toMatchObject({ files: 17, alreadyThere: 0 })
  expect(s3.refused).toBeGreaterThan(10)
  expect(s3.carriedOut.at(-1)).toBe(`PUT dam/backups/${backup.id}/manifest.json`)
  expect(findBackup(store, backup.id)?.facts.copies).toEqual([
    { target: 's3://bucket/dam/backups', at: now.toISOString() },
  ])
  expect(await sendBackup(deps, backup.id, target, { now })).toMatchObject({ files: 0, bytes: 0, alreadyThere: 17 })
  expect(await target.list()).toEqual([backup.id])

  const cutOnce = new Set<string>()
  s3.trouble = (method, key) =>
    method === 'GET' && key !== '' && !cutOnce.has(key) && cutOnce.add(key).size % 3 === 1 ? 'cut' : null
  expect((await fetchElsewhere(target)).state).toBe('verified')
}, 120_000)

test('an interrupted sending goes on with what is missing; until the end nothing is listed', async () => {
  await using s3 = await fakeS3()
  const target = openTarget(s3.address, credentials)
  const controller = new AbortController()
  s3.trouble = () => {
    if (s3.objects.size === 5) controller.abort()
    return null
  }
  await expect(sendBackup(deps, backup.id, target, { now, signal: controller.signal })).rejects.toThrow()
  expect(await target.list()).toEqual([])
  const there = s3.objects.size
  expect(await sendBackup(deps, backup.id, target, { now })).toMatchObject({ alreadyThere: there, files: 17 - there })
}, 120_000)

test('bytes that the server keeps differently than they were sent are noticed at once', async () => {
  await using s3 = await fakeS3()
  s3.trouble = (method, key) => (method === 'STORE' && key.endsWith('database.dump') ? 'damage' : null)
  await expect(sendBackup(deps, backup.id, openTarget(s3.address, credentials), { now })).rejects.toThrow(
    /database.dump did not arrive whole/,
  )
}, 120_000)

test('bytes that changed at the server later do not become a backup here', async () => {
  await using s3 = await fakeS3()
  const target = openTarget(s3.address, credentials)
  await sendBackup(deps, backup.id, target, { now })
  const key = [...s3.objects.keys()].find((name) => name.includes(shas[3] ?? '')) ?? ''
  const object = s3.objects.get(key) ?? expect.fail()
  const bytes = Buffer.from(object.bytes)
  bytes[7] = (bytes[7] ?? 0) ^ 1
  s3.objects.set(key, { ...object, bytes })
  await expect(fetchElsewhere(target)).rejects.toThrow(/is damaged at s3:/)
}, 120_000)

test('secrets in the address of a bucket, and missing ones, are refused', () => {
  expect(() => openTarget('s3://key:secret@bucket/x', {})).toThrow(/do not belong/)
  expect(() => openTarget('s3://bucket/x', {})).toThrow(/not in the environment/)
  const file = path.join(home, 'aws.env')
  writeFileSync(file, 'AWS_ACCESS_KEY_ID=key\nAWS_SECRET_ACCESS_KEY=secret\n')
  expect(openTarget(`s3://bucket/x?credentials=file:${file}`, {}).name).toBe('s3://bucket/x')
})

const hasRsync = ['/usr/bin/rsync', '/usr/local/bin/rsync', '/opt/homebrew/bin/rsync'].some((file) => existsSync(file))
const kinds: [string, (folder: string) => Target][] = [
  ['a folder', (folder) => openTarget(`file://${folder}`, {})],
  ...(hasRsync
    ? [['rsync', (folder: string) => rsyncTarget(folder, shellEnvironment)] as [string, (folder: string) => Target]]
    : []),
]
test.each(kinds)(
  'a backup goes to %s, travels once, comes back whole, and damage there is found',
  async (kind, open) => {
    const folder = path.join(home, `away-${kind.replace(' ', '-')}`)
    mkdirSync(folder)
    const target = open(folder)
    expect(await sendBackup(deps, backup.id, target, { now })).toMatchObject({ files: 17 })
    expect(await sendBackup(deps, backup.id, target, { now })).toMatchObject({ files: 0, alreadyThere: 17 })
    expect(await target.list()).toEqual([backup.id])
    expect((await fetchElsewhere(target)).state).toBe('verified')
    const file = path.join(folder, backup.id, 'database.dump')
    const bytes = readFileSync(file)
    bytes[100] = (bytes[100] ?? 0) ^ 1
    execFileSync('chmod', ['u+w', file])
    writeFileSync(file, bytes)
    await expect(fetchElsewhere(target)).rejects.toThrow(
      /is not the backup that was sent: database.dump has another checksum/,
    )
  },
  120_000,
)

test('a folder that is not mounted is said to be that', async () => {
  await expect(sendBackup(deps, backup.id, openTarget(path.join(home, 'nowhere'), {}), { now })).rejects.toThrow(
    /is not there. Mount it/,
  )
})
