import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listAudit } from '../../audit/audit.ts'
import type { Environment } from '../../environments/environment.ts'
import { openStore, type Store } from '../../store.ts'
import type { CdnConfig } from '../cdn/purge-cdn.ts'
import { diagnose } from '../diagnose.ts'
import { keepDiagnosis } from '../diagnosis-store.ts'
import { beginInjection, cleanUpInjections } from '../drills/injection-store.ts'
import { openSessions } from '../drills/sessions.ts'
import { openPlace } from '../open-place.ts'
import { readActivity } from '../probes/database-activity.ts'
import { openReadOnlySession } from '../probes/database-session.ts'
import { readErrors } from '../probes/error-log.ts'
import { readTables } from '../probes/database-tables.ts'
import { carryOutFix, dryRunFix, findFix, type FixDeps, mayCarryOut } from './run-fix.ts'

let database: TestDatabase
let folder: string
let store: Store
beforeAll(async () => {
  database = await testDatabase()
  folder = mkdtempSync(path.join(tmpdir(), 'dam-fix-'))
  store = openStore(folder, { durability: 'none' })
})
afterAll(async () => {
  store.close()
  rmSync(folder, { recursive: true })
  await database[Symbol.asyncDispose]()
})
const place = () => {
  const environment: Environment = {
    name: 'staging',
    isLocal: false,
    publicUrl: 'http://127.0.0.1:1',
    host: '127.0.0.1',
    port: 1,
    dataDir: folder,
    databaseUrl: database.connectionString,
    runDir: null,
    settings: {},
  }
  return openPlace({ environment, store, shell: {}, cdnUrl: null, gapMs: 100, now: new Date() })
}
const deps = (): FixDeps => ({
  place: place(),
  cdn: { cdnProvider: undefined, cdnToken: undefined, cdnZone: undefined, cdnApiUrl: undefined } satisfies CdnConfig,
  runCommand: () => Promise.reject(new Error('no command is run here')),
})

test('a lock is found, the dry run changes nothing, and with consent its session ends and is put on record', async () => {
  const holder = await openSessions(database.connectionString, {
    count: 1,
    application: 'report',
    statements: ['begin', 'lock table public.asset in access exclusive mode'],
  })
  const victim = new pg.Client({ connectionString: database.connectionString, application_name: 'dam web' })
  await victim.connect()
  const answered = victim.query('select count(*) from asset').then(() => 'answered')
  await new Promise((resolve) => setTimeout(resolve, 1_300))

  const diagnosis = await diagnose(place(), 'slow')
  const rank = diagnosis.causes.findIndex(({ cause }) => cause === 'lock-blocker') + 1
  const top = diagnosis.causes[rank - 1]
  expect(top).toMatchObject({ cause: 'lock-blocker', action: { kind: 'terminate-session', risk: 'disruptive' } })
  expect(top?.evidence[0]).toMatch(/report.*idle in transaction.*blocks 1 session on asset/)
  expect(diagnosis.findings.health).toMatchObject({ state: 'known', value: { database: 'unknown' } })

  const id = keepDiagnosis(store, diagnosis, { who: 'anna', now: new Date() })
  const fix = findFix(store, `${id}.${rank}`)
  if (!fix) throw new Error('the action is not kept')
  expect(await dryRunFix(deps(), fix)).toMatchObject({ isPossible: true })
  await expect(carryOutFix(deps(), fix, { who: 'anna', isConfirmed: false })).rejects.toThrow('--yes')
  expect(await carryOutFix(deps(), fix, { who: 'anna', isConfirmed: true })).toBe('1 session ended')
  expect(await answered).toBe('answered')
  expect(await dryRunFix(deps(), fix)).toMatchObject({ isPossible: false })
  expect(listAudit(store, { limit: 10, action: 'fix.' })[0]).toMatchObject({
    who: 'anna',
    subject: `fix:${id}.${rank}`,
  })
  await victim.end()
  await holder.close()
})

test('what destroys is done only with its name typed', () => {
  const action = {
    kind: 'end-foreign-process',
    risk: 'destructive',
    title: '',
    command: '',
    subject: {},
    typedName: 'blender',
  } as const
  expect(mayCarryOut(action, { isConfirmed: true })).toBe(false)
  expect(mayCarryOut(action, { isConfirmed: false, typed: 'blend' })).toBe(false)
  expect(mayCarryOut(action, { isConfirmed: false, typed: 'blender' })).toBe(true)
})

test('a probe can change nothing and waits for no lock', async () => {
  await using session = await openReadOnlySession(database.connectionString)
  await expect(session.rows(`insert into tag (name) values ('x')`)).rejects.toThrow('read-only')
  const holder = await openSessions(database.connectionString, {
    count: 1,
    application: 'report',
    statements: ['begin', 'lock table public.error_log in access exclusive mode'],
  })
  await expect(readErrors(session, 10)).rejects.toThrow('lock timeout')
  expect((await readTables(session)).map(({ table }) => table)).toContain('error_log')
  expect((await readActivity(session)).isReadOnly).toBe(false)
  await holder.close()
})

test('errors are split by route, release, fingerprint and what they are about', async () => {
  const client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
  await client.query(`insert into error_log (level, code, message, process, route, release, fingerprint)
    select 'ERROR', 'internal-error', 'relation "tag" does not exist', 'web', '/api/v4/tags/', 'v1.1.0', 'aa' from generate_series(1, 4)
    union all select 'ERROR', 'internal-error', 'x is undefined', 'web', '/api/v4/users/', 'v1.0.0', 'bb' from generate_series(1, 2)`)
  await client.end()
  await using session = await openReadOnlySession(database.connectionString)
  const { total, groups } = await readErrors(session, 10)
  expect(total).toBe(6)
  expect(
    groups.map(({ route, release, count, dependency, isNew }) => [route, release, count, dependency, isNew]),
  ).toEqual([
    ['/api/v4/tags/', 'v1.1.0', 4, 'schema', true],
    ['/api/v4/users/', 'v1.0.0', 2, 'program', true],
  ])
})

test('what a killed game day has left behind is taken back by whoever finds it', async () => {
  const client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
  await client.query('alter table tag rename column name to name_drill')
  beginInjection(store, {
    environment: 'staging',
    issue: 'errors',
    variant: 'renamed-column',
    undo: [
      {
        kind: 'sql',
        connectionString: database.connectionString,
        statement: 'alter table tag rename column name_drill to name',
      },
    ],
    who: 'anna',
    now: new Date(),
  })
  expect(await cleanUpInjections(store, new Date())).toEqual([])
  store.run(`update injection set process = '{"pid":1,"startedAt":"of another boot"}'`)
  expect(await cleanUpInjections(store, new Date())).toEqual(['errors/renamed-column of staging'])
  expect(await cleanUpInjections(store, new Date())).toEqual([])
  expect((await client.query('select name from tag')).rows).toEqual([])
  await client.end()
})
