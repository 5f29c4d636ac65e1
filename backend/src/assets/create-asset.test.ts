import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { startUploadServer, type UploadServer } from '../uploads/testing/upload-server.ts'
import { createAsset, labelOf, type NewAsset } from './create-asset.ts'

let server: UploadServer
let ownerId: number
beforeAll(async () => {
  server = await startUploadServer()
  ownerId = (await server.signIn()).id
})
afterAll(() => server[Symbol.asyncDispose]())

const make = (more: Partial<NewAsset> = {}): Promise<{ id: number }> =>
  server.database.transaction((tx) =>
    createAsset(tx, { ownerId, sha256: 'ab'.repeat(32), sizeBytes: 5, filename: 'a.jpg', ...more }),
  )
const pathsOf = async (id: number): Promise<string[]> => {
  const rows = await server.database.rows<{ path: string }>(sql`
    with recursive up (id, parent_id, path) as (
      select c.id, c.parent_id, c.name from collection c join collection_asset ca on ca.collection_id = c.id where ca.asset_id = ${id}
      union all select p.id, p.parent_id, p.name || '/' || up.path from up join collection p on p.id = up.parent_id)
    select path from up where parent_id is null`)
  return rows.map(({ path }) => path)
}

test.each([
  ['IMG_0001.JPG', 'IMG 0001'],
  ['report (final).v2.docx', 'report (final).v2'],
  ['.hidden.png', '.hidden'],
  ['.png', '.png'],
  ['no extension', 'no extension'],
  ['___', '___'],
  ['trailing dot..jpg.', 'trailing dot..jpg.'],
])('the title of %j is %j', (filename, label) => {
  expect(labelOf(filename)).toBe(label)
})

test('folders are found where they exist and made where they do not', async () => {
  expect(await pathsOf((await make({ folders: ['a', 'b'] })).id)).toEqual(['a/b'])
  expect(await pathsOf((await make({ folders: ['a', 'b', 'c', 'd'] })).id)).toEqual(['a/b/c/d'])
  expect(await pathsOf((await make({ folders: ['a'] })).id)).toEqual(['a'])
  expect(await pathsOf((await make({ folders: ['b'] })).id)).toEqual(['b'])
  expect(await pathsOf((await make()).id)).toEqual([])
  const names = await server.database.rows<{ name: string }>(sql`select name from collection order by name`)
  expect(names.map(({ name }) => name)).toEqual(['a', 'b', 'b', 'c', 'd'])
})

test('folders are made below the collection that was chosen', async () => {
  const parent = await server.database.row<{ id: number }>(
    sql`insert into collection (name) values ('chosen') returning id`,
  )
  const collectionId = parent?.id ?? 0
  expect(await pathsOf((await make({ collectionId, folders: ['x', 'y'] })).id)).toEqual(['chosen/x/y'])
  expect(await pathsOf((await make({ collectionId })).id)).toEqual(['chosen'])
})

test('an asset that cannot be made leaves nothing', async () => {
  const before = await server.database.row(
    sql`select (select count(*) from asset) as assets, (select count(*) from event) as events, (select count(*) from audit) as audits, (select count(*) from graphile_worker._private_jobs) as jobs`,
  )
  await expect(
    server.database.transaction(async (tx) => {
      await createAsset(tx, { ownerId, sha256: 'cd'.repeat(32), sizeBytes: 5, filename: 'b.jpg', folders: ['new'] })
      throw new Error('the power went')
    }),
  ).rejects.toThrow('the power went')
  expect(
    await server.database.row(
      sql`select (select count(*) from asset) as assets, (select count(*) from event) as events, (select count(*) from audit) as audits, (select count(*) from graphile_worker._private_jobs) as jobs`,
    ),
  ).toEqual(before)
  expect(await server.database.row(sql`select id from collection where name = 'new'`)).toBeUndefined()
})
