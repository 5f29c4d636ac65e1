import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { startLibrary, type Library } from '../assets/testing/library.ts'
import { purgeExpired } from './empty-trash.ts'

let library: Library
beforeAll(async () => {
  library = await startLibrary()
})
afterAll(() => library[Symbol.asyncDispose]())
beforeEach(async () => {
  await library.database.run(sql`delete from asset`)
})

const trash = (id: number) => library.ask('editor', 'DELETE', `/dam/assets/${id}/`)
const inTrash = async (): Promise<number[]> =>
  (await library.ask('editor', 'GET', '/trash/')).body.results.map((asset: { id: number }) => asset.id)
const count = async (): Promise<number> => (await library.ask('viewer', 'GET', '/dam/assets/')).body.count

test('a deleted asset leaves lists, search, collections and counts, and comes back as it was', async () => {
  const collection = (await library.ask('editor', 'POST', '/collections/', { name: 'Trash test' })).body.id
  const id = await library.add({ label: 'Comeback', tags: ['kept'], collectionId: collection })
  expect((await trash(id)).status).toBe(204)
  expect((await trash(id)).status).toBe(204)
  const gone = async () => [
    await count(),
    (await library.ask('viewer', 'POST', '/dam/assets/search/', { q: 'comeback' })).body.count,
    (await library.ask('viewer', 'GET', `/collections/${collection}/assets/`)).body.count,
    (await library.ask('viewer', 'GET', '/tags/?q=kept')).body.count,
    (await library.ask('viewer', 'GET', '/dam/assets/dates/')).body.results.length,
  ]
  expect(await gone()).toEqual([0, 0, 0, 0, 0])
  const { body } = await library.ask('editor', 'GET', '/trash/')
  expect(body).toMatchObject({ count: 1, results: [{ id, trashed_at: expect.any(String) }] })
  await library.ask('editor', 'POST', '/dam/assets/bulk/', { ids: [id], action: 'restore' })
  expect(await gone()).toEqual([1, 1, 1, 1, 1])
  expect((await library.ask('viewer', 'GET', `/dam/assets/${id}/`)).body).toMatchObject({
    trashed_at: null,
    tags: ['kept'],
    collections: [{ id: collection }],
  })
})

test('the trash shows what was trashed last first', async () => {
  const ids = [await library.add({}), await library.add({}), await library.add({})] as const
  for (const id of [ids[1], ids[0], ids[2]]) await trash(id)
  expect(await inTrash()).toEqual([ids[2], ids[0], ids[1]])
})

test('emptying deletes for good and releases bytes that nothing else uses, after it is certain', async () => {
  const shared = 'c'.repeat(64)
  const alone = 'd'.repeat(64)
  const kept = await library.add({ sha256: shared })
  const [twin, single, late] = [
    await library.add({ sha256: shared }),
    await library.add({ sha256: alone }),
    await library.add({}),
  ] as const
  await trash(twin)
  await trash(single)
  const { status, body, headers } = await library.ask('administrator', 'DELETE', '/trash/')
  expect(status).toBe(202)
  await new Promise((resolve) => setTimeout(resolve, 20))
  await trash(late)
  const released: string[][] = []
  await library.work(async (sha256s) => {
    // Whoever releases bytes must find the rows gone already.
    const left = await library.database.row<{ n: number }>(
      sql`select count(*) as n from asset where id = any(${[twin, single]}::bigint[])`,
    )
    expect(left?.n).toBe(0)
    released.push([...sha256s].sort())
  })
  expect(released).toEqual([[shared, alone]])
  expect((await library.ask('administrator', 'GET', headers.get('location') as string)).body).toMatchObject({
    id: body.job_id,
    kind: 'trash.empty',
    state: 'done',
    done: 2,
    result: { deleted: 2 },
  })
  expect(await inTrash()).toEqual([late])
  expect((await library.ask('viewer', 'GET', `/dam/assets/${kept}/`)).body.duplicates).toEqual([])
  expect(await library.database.row(sql`select count(*) as n from event where kind = 'asset.purged'`)).toEqual({ n: 2 })
})

test('one asset is deleted for good only by an administrator and only from the trash', async () => {
  const bytes = 'a'.repeat(64)
  const [kept, gone] = [await library.add(), await library.add({ sha256: bytes })]
  const purge = (role: 'editor' | 'administrator', id: number) => library.ask(role, 'DELETE', `/trash/${id}/`)
  expect((await purge('administrator', gone)).status).toBe(404)
  await trash(kept)
  await trash(gone)
  expect((await purge('editor', gone)).status).toBe(403)
  expect((await purge('administrator', gone)).status).toBe(204)
  expect((await purge('administrator', gone)).status).toBe(404)
  expect(await inTrash()).toEqual([kept])
  const released: string[] = []
  await library.work(async (sha256s) => released.push(...sha256s))
  expect(released).toEqual([bytes])
})

test('bytes whose release a crash prevented are released when the job runs again', async () => {
  const id = await library.add({ sha256: 'e'.repeat(64) })
  await trash(id)
  const { body } = await library.ask('administrator', 'DELETE', '/trash/')
  await library.work(async () => {
    throw new Error('the power went out')
  })
  expect((await library.ask('administrator', 'GET', `/trash/`)).body.count).toBe(0)
  await library.database.run(sql`update graphile_worker._private_jobs set run_at = now()`)
  const released: string[] = []
  await library.work(async (sha256s) => released.push(...sha256s))
  expect(released).toEqual(['e'.repeat(64)])
  expect((await library.ask('administrator', 'GET', `/tasks/${body.job_id}/`)).body).toMatchObject({
    state: 'done',
    result: { deleted: 1 },
  })
})

test('an asset restored while the trash is being emptied is either restored or gone, never half', async () => {
  const ids = await Promise.all(Array.from({ length: 40 }, () => library.add({})))
  await library.ask('editor', 'POST', '/dam/assets/bulk/', { ids, action: 'delete' })
  await library.ask('administrator', 'DELETE', '/trash/')
  const [, ...restores] = await Promise.all([
    library.work(),
    ...ids.map((id) => library.ask('editor', 'POST', '/dam/assets/bulk/', { ids: [id], action: 'restore' })),
  ])
  const restored = restores.filter(({ body }) => body.updated === 1).length
  expect(restores.every(({ status }) => status === 200)).toBe(true)
  expect(await count()).toBe(restored)
  expect(await library.database.row(sql`select count(*) as n from asset`)).toEqual({ n: restored })
})

test('everything is restored at once by a task', async () => {
  const ids = await Promise.all(Array.from({ length: 5 }, () => library.add({})))
  await library.ask('editor', 'POST', '/dam/assets/bulk/', { ids, action: 'delete' })
  expect(await count()).toBe(0)
  const { status, body } = await library.ask('editor', 'POST', '/trash/restore/')
  expect(status).toBe(202)
  await library.work()
  expect((await library.ask('editor', 'GET', `/tasks/${body.job_id}/`)).body).toMatchObject({
    state: 'done',
    done: 5,
    result: { restored: 5 },
  })
  expect(await count()).toBe(5)
})

test('what has been in the trash past its days is deleted, once, and nothing else', async () => {
  const [old, young] = [await library.add({}), await library.add({})] as const
  await trash(old)
  await trash(young)
  const now = new Date()
  await library.database.run(sql`update asset set trashed_at = now() - interval '31 days' where id = ${old}`)
  expect(await purgeExpired(library.database, { trashDays: 0, now })).toBeUndefined()
  expect(await purgeExpired(library.database, { trashDays: 30, now })).toBeGreaterThan(0)
  expect(await purgeExpired(library.database, { trashDays: 30, now })).toBeUndefined()
  await library.work()
  expect(await inTrash()).toEqual([young])
  expect(await purgeExpired(library.database, { trashDays: 30, now })).toBeUndefined()
})
