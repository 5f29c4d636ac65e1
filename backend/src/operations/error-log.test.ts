import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase, sql, type Database } from '@dam/platform/database'
import { testDatabase, type TestDatabase } from '@dam/platform/testing/database'
import { openErrorLog } from './error-log.ts'

let own: TestDatabase
let database: Database
beforeAll(async () => {
  own = await testDatabase()
  database = openDatabase({ connectionString: own.connectionString, applicationName: 'dam test', maxConnections: 2 })
})
afterAll(async () => {
  await database.end()
  await own[Symbol.asyncDispose]()
})

test('an error is kept with its release, its kind and whether it is fatal', async () => {
  const log = openErrorLog(database, { process: 'web', release: 'v1.2.3' })
  log.add({ code: 'original-damaged', message: 'an original is missing', user_id: 7 })
  log.add({ code: 'storage-full', message: 'no space for upload 12' })
  await log.flush()
  const rows = await database.rows(
    sql`select code, release, length(fingerprint) as digits, is_fatal, user_id from error_log where release = 'v1.2.3' order by id`,
  )
  expect(rows).toEqual([
    { code: 'original-damaged', release: 'v1.2.3', digits: 16, is_fatal: true, user_id: 7 },
    { code: 'storage-full', release: 'v1.2.3', digits: 16, is_fatal: false, user_id: null },
  ])
})

test('the release before, which knows nothing of these columns, still logs and uploads', async () => {
  // The statements of 1.0.0, word for word.
  await database.run(sql`
    insert into error_log ("timestamp", level, code, message, process, route, request_id, user_id, asset_id, stack) values (now(), 'ERROR', 'old', 'from before', 'web', null, null, null::bigint, null::bigint, null)`)
  const account = await database.row<{ id: number }>(
    sql`insert into account (username, password_hash, role) values ('old', 'none', 'editor') returning id`,
  )
  const id = '6f1b0c7e-1111-4222-8333-944445555666'
  await database.run(sql`
    insert into upload (id, owner_id, kind, length_bytes, offset_bytes, crc32, filename, relative_path, collection_id, metadata,
      declared_sha256, part_ids, state, asset_id, expires_at)
    values (${id}, ${account?.id}, 'single', 100, 0, 0, 'a', '', null, '{}'::jsonb, null, null, 'receiving', null, now() + make_interval(hours => 1))`)
  expect(
    await database.run(sql`
      update upload set offset_bytes = 100, crc32 = 1, state = 'finalising', updated_at = now(),
        expires_at = now() + make_interval(hours => 1)
      where id = ${id} and offset_bytes = 0 and state = 'receiving'`),
  ).toBe(1)
  expect(await database.row(sql`select release, fingerprint, is_fatal from error_log where code = 'old'`)).toEqual({
    release: null,
    fingerprint: null,
    is_fatal: false,
  })
})
