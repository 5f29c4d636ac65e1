import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase, sql, type Database } from '@dam/platform/database'
import { Secret } from '@dam/platform/settings'
import { testDatabase, type TestDatabase } from '@dam/platform/testing/database'
import { createAuthenticator } from './authenticate.ts'
import { hashPassword, verifyPassword } from '@dam/platform/password'
import { createConfiguredAdministrator, ensureSetupLink, setUp } from './setup.ts'
import { createSession, deleteSession } from './session-store.ts'
import { clearSignIn, countSignIn, signInLimits } from './sign-in-limit.ts'

let own: TestDatabase
let database: Database
beforeAll(async () => {
  own = await testDatabase()
  database = openDatabase({ connectionString: own.connectionString, applicationName: 'test', maxConnections: 8 })
})
afterAll(async () => {
  await database.end()
  await own[Symbol.asyncDispose]()
})

test('a password is verified only by itself, and an unknown account never matches', async () => {
  const hash = await hashPassword('correct horse battery')
  expect(hash).toMatch(/^\$argon2id\$v=19\$/)
  expect(await verifyPassword('correct horse battery', hash)).toBe(true)
  expect(await verifyPassword('correct horse batterz', hash)).toBe(false)
  expect(await verifyPassword('anything', undefined)).toBe(false)
})

test('of many that use the set-up link at once exactly one becomes administrator, and the link is used up', async () => {
  const link = await ensureSetupLink(database, 'http://localhost:8080')
  const token = new URL(link as string).searchParams.get('token') as string
  await expect(setUp(database, { token: 'wrong', username: 'eve', password: 'long enough pw' })).rejects.toMatchObject({
    code: 'setup-link-invalid',
  })
  const tries = await Promise.allSettled(
    Array.from({ length: 5 }, (_, n) => setUp(database, { token, username: `admin${n}`, password: 'long enough pw' })),
  )
  expect(tries.filter((t) => t.status === 'fulfilled')).toHaveLength(1)
  expect(await database.row(sql`select count(*) as n from account`)).toEqual({ n: 1 })
  expect(await ensureSetupLink(database, 'http://localhost:8080')).toBeNull()
  expect(
    await createConfiguredAdministrator(database, { username: 'other', password: new Secret('long enough pw') }),
  ).toBe(false)
})

test('a revoked session is refused within a second even where it was remembered', async () => {
  const account = (await database.row<{ id: number }>(sql`select id from account limit 1`)) as { id: number }
  const authenticator = createAuthenticator({
    database,
    cookieName: 'dam_session',
    sessionDays: 1,
    onError: () => undefined,
  })
  const token = await createSession(database, {
    accountId: account.id,
    kind: 'browser',
    label: 'test',
    lifetimeDays: 1,
  })
  const credential = { token, via: 'cookie' as const }
  const principal = await authenticator.authenticate(credential)
  expect(principal).toMatchObject({ id: account.id, role: 'administrator' })
  expect(authenticator.activeUsers(5)).toBe(1)
  await deleteSession(database, account.id, principal?.sessionId as number)
  authenticator.forget({ sessionId: principal?.sessionId as number })
  expect(await authenticator.authenticate(credential)).toBeUndefined()
})

test('guesses beyond the limit are refused before the password is looked at, and success clears the count', async () => {
  for (let n = 0; n < signInLimits.perAccount; n++) await countSignIn(database, 'Victim', '10.0.0.1')
  await expect(countSignIn(database, 'victim', '10.0.0.1')).rejects.toMatchObject({ code: 'too-many-requests' })
  await countSignIn(database, 'victim', '10.0.0.2')
  await clearSignIn(database, 'victim', '10.0.0.1')
  await countSignIn(database, 'victim', '10.0.0.1')
})
