import { mkdir, rename } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { testApp, type TestApp } from '../testing/test-app.ts'
import { createReadiness } from './readiness.ts'

let app: TestApp
beforeAll(async () => {
  app = await testApp({}, { release: { tag: 'v7.8.9', version: '7.8.9', commit: 'abcdef0' } })
})
afterAll(() => app[Symbol.asyncDispose]())
afterEach(() => app.database.run(sql`delete from schema_migration where number >= 9000`))

const newer = (number: number, name: string, previousReleaseRuns: boolean): Promise<number> =>
  app.database.run(sql`
    insert into schema_migration (app, number, name, checksum, previous_release_runs, in_transaction, down_sql)
    values ('backend', ${number}, ${name}, 'x', ${previousReleaseRuns}, true, 'select 1')`)

const ask = (isStopping = false): Promise<string | null> =>
  createReadiness({ database: app.database, isStopping: () => isStopping, storageReady: async () => true })()

test('a process that can serve says so, with its version and its release', async () => {
  const answer = await fetch(`${app.url}/readyz`)
  expect(answer.status).toBe(200)
  expect(await answer.text()).toBe('ready 7.8.9\n')
  expect(answer.headers.get('x-dam-release')).toBe('v7.8.9')
  expect((await (await fetch(`${app.url}/health`)).json()) as object).toMatchObject({
    status: 'healthy',
    version: '7.8.9',
  })
  expect(await (await fetch(`${app.url}/metrics`)).text()).toMatch(
    /dam_build_info\{version="7.8.9",commit="abcdef0",release="v7.8.9",node="[^"]+"\} 1/,
  )
})

test('a newer schema on which this release keeps running does not matter', async () => {
  await newer(9001, 'added', true)
  expect(await ask()).toBeNull()
})

test('a newer schema on which this release cannot run takes it out within seconds', async () => {
  await newer(9001, 'added', true)
  await newer(9002, 'dropped', false)
  expect(await ask()).toBe('schema 9002-dropped is newer and this release cannot run on it')
  let answer = await fetch(`${app.url}/readyz`)
  for (let n = 0; n < 50 && answer.ok; n++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    answer = await fetch(`${app.url}/readyz`)
  }
  expect(answer.status).toBe(503)
  expect(answer.headers.get('x-dam-release')).toBe('v7.8.9')
  expect(await answer.text()).toBe('not ready: schema 9002-dropped is newer and this release cannot run on it\n')
  expect((await fetch(`${app.url}/health`)).status).toBe(200)
})

test('an older schema is not enough', async () => {
  const migrations = [{ number: 1, name: 'first', checksum: 'another' }]
  const readiness = (them: typeof migrations) =>
    createReadiness({
      database: app.database,
      isStopping: () => false,
      storageReady: async () => true,
      migrations: them,
    })()
  expect(await readiness(migrations)).toBe('schema 0001-first in the database is not the 0001-first of this release')
  expect(await readiness([{ number: 77, name: 'wanted', checksum: 'x' }])).toBe('schema 0077-wanted is not applied yet')
})

test('a process that stops is not ready', async () => {
  expect(await ask(true)).toBe('stopping')
})

test('without the folder of originals a process is not ready, and says which', async () => {
  const blobs = path.join(app.dataDir, 'blobs')
  await rename(blobs, `${blobs}-gone`)
  await mkdir(blobs)
  try {
    const answer = await fetch(`${app.url}/readyz`)
    expect(answer.status).toBe(503)
    expect(await answer.text()).toBe('not ready: the folder of originals is not available\n')
  } finally {
    await rename(blobs, `${blobs}-empty`)
    await rename(`${blobs}-gone`, blobs)
  }
})
