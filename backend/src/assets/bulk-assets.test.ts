import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { startLibrary, type Library } from './testing/library.ts'

let library: Library
beforeAll(async () => {
  library = await startLibrary()
})
afterAll(() => library[Symbol.asyncDispose]())

const bulk = (body: object, headers = {}) => library.ask('editor', 'POST', '/dam/assets/bulk/', body, headers)
const tagsOf = async (id: number): Promise<string[]> =>
  (await library.ask('viewer', 'GET', `/dam/assets/${id}/`)).body.tags
const searchCount = async (body: object): Promise<number> =>
  (await library.ask('viewer', 'POST', '/dam/assets/search/', body)).body.count

/** Assets made in one statement, with their documents, as an import would leave them. */
async function addMany(count: number, label: string): Promise<number[]> {
  const sha256 = (
    await library.database.row<{ sha256: string }>(sql`
    insert into blob (sha256, size_bytes) values (encode(sha256(${label}::bytea), 'hex'), 1) on conflict (sha256) do update set size_bytes = 1 returning sha256`)
  )?.sha256
  const rows = await library.database.rows<{ id: number }>(sql`
    with made as (insert into asset (sha256, size_bytes, filename, label, status) select ${sha256}, 1, 'many.jpg', ${label}, 'ready' from generate_series(1, ${count}::integer) returning id),
    documents as (insert into asset_search select id, to_tsvector('simple', ${label}) from made)
    select id from made`)
  return rows.map((row) => row.id)
}

test('tags are added and removed, each asset once, with an event, an audit row and a search document', async () => {
  const ids = await Promise.all([
    library.add({ tags: ['Sea'] }),
    library.add({ tags: ['sea', 'red'] }),
    library.add({}),
  ])
  const added = await bulk({ ids: [...ids, ids[0]], action: 'add_tags', data: { tags: ['SEA', 'Brand new'] } })
  expect(added.body).toEqual({ success: true, dry_run: false, updated: 3, failed: 0, errors: [] })
  expect(await Promise.all(ids.map(tagsOf))).toEqual([
    ['Sea', 'Brand new'],
    ['Sea', 'red', 'Brand new'],
    ['Sea', 'Brand new'],
  ])
  expect(await searchCount({ q: 'brand', filters: { tags: ['brand NEW'] } })).toBe(3)
  expect((await bulk({ ids, action: 'add_tags', data: { tags: ['sea'] } })).body.updated).toBe(0)
  const removed = await bulk({ ids, action: 'remove_tags', data: { tags: ['RED', 'sea'] } })
  expect(removed.body.updated).toBe(3)
  expect(await Promise.all(ids.map(tagsOf))).toEqual([['Brand new'], ['Brand new'], ['Brand new']])
  const trail = await library.database.row(sql`
    select (select count(*) from event where kind = 'asset.updated' and asset_id = any(${ids}::bigint[])) as events,
      (select count(*) from audit where action = 'asset.updated' and object = any(${ids.map((id) => `asset:${id}`)}::text[])) as audits`)
  expect(trail).toEqual({ events: 6, audits: 6 })
})

test('each item that cannot be changed is named; the others are changed', async () => {
  const [one, trashed, full] = await Promise.all([
    library.add({}),
    library.add({}),
    library.add({ tags: Array.from({ length: 200 }, (_, n) => `full ${n}`) }),
  ])
  await library.ask('editor', 'DELETE', `/dam/assets/${trashed}/`)
  const { body } = await bulk({ ids: [one, trashed, 987_654_321, full], action: 'add_tags', data: { tags: ['x'] } })
  expect(body).toMatchObject({ success: false, updated: 1, failed: 3 })
  expect(body.errors.map((item: { id: number }) => item.id).sort()).toEqual([trashed, full, 987_654_321].sort())
  expect(body.errors.every((item: { error: string }) => item.error.length > 10)).toBe(true)
})

test('a dry run says what would happen and changes nothing', async () => {
  const ids = await Promise.all([library.add({ tags: ['dry'] }), library.add({})])
  const before = await library.database.row(
    sql`select (select count(*) from event) as events, (select count(*) from tag) as tags, (select count(*) from audit) as audits`,
  )
  const answer = await bulk({
    ids: [...ids, 987_654_321],
    action: 'add_tags',
    data: { tags: ['Dry', 'unheard of'] },
    dry_run: true,
  })
  expect(answer.body).toMatchObject({ success: false, dry_run: true, updated: 2, failed: 1 })
  expect((await bulk({ ids, action: 'add_tags', data: { tags: ['Dry'] }, dry_run: true })).body).toMatchObject({
    success: true,
    updated: 1,
  })
  expect((await bulk({ filter: { filters: { tags: ['dry'] } }, action: 'delete', dry_run: true })).body).toMatchObject({
    updated: 1,
  })
  expect(
    await library.database.row(
      sql`select (select count(*) from event) as events, (select count(*) from tag) as tags, (select count(*) from audit) as audits`,
    ),
  ).toEqual(before)
})

test('a filter chooses the assets as a search does', async () => {
  const a = await library.add({ label: 'Lighthouse', tags: ['filter'] })
  const b = await library.add({ label: 'Lighthouse keeper', type: 'video', tags: ['filter'] })
  expect(
    (await bulk({ filter: { q: 'lighthouse', filters: { type: ['video'] } }, action: 'delete' })).body.updated,
  ).toBe(1)
  expect((await library.ask('viewer', 'GET', `/dam/assets/${a}/`)).status).toBe(200)
  expect((await library.ask('viewer', 'GET', `/dam/assets/${b}/`)).status).toBe(404)
  expect((await bulk({ filter: { q: 'lighthouse' }, action: 'restore' })).body.updated).toBe(1)
  expect((await library.ask('viewer', 'GET', `/dam/assets/${b}/`)).status).toBe(200)
})

test('assets join and leave a collection, which counts them', async () => {
  const collection = (await library.ask('editor', 'POST', '/collections/', { name: 'Bulk' })).body.id
  const ids = await Promise.all([library.add({}), library.add({}), library.add({})])
  expect((await bulk({ ids, action: 'add_to_collection', data: { collection } })).body.updated).toBe(3)
  expect((await bulk({ ids, action: 'add_to_collection', data: { collection } })).body.updated).toBe(0)
  await library.ask('editor', 'DELETE', `/dam/assets/${ids[0]}/`)
  expect((await library.ask('viewer', 'GET', `/collections/${collection}/`)).body.asset_count).toBe(2)
  expect((await bulk({ ids: [ids[1]], action: 'remove_from_collection', data: { collection } })).body.updated).toBe(1)
  const { body } = await library.ask('viewer', 'GET', `/collections/${collection}/assets/`)
  expect(body.results.map((asset: { id: number }) => asset.id)).toEqual([ids[2]])
  expect((await bulk({ ids, action: 'add_to_collection', data: { collection: 999_999 } })).body.error.code).toBe(
    'collection-not-found',
  )
})

test('a request that lacks what its action needs is refused', async () => {
  const id = await library.add({})
  for (const [body, field] of [
    [{ ids: [id], action: 'add_tags' }, 'data.tags'],
    [{ ids: [id], action: 'remove_tags', data: { tags: ['\u200b'] } }, 'data.tags'],
    [{ ids: [id], action: 'add_to_collection' }, 'data.collection'],
    [{ ids: [id], action: 'explode' }, 'action'],
    [{ ids: [], action: 'delete' }, 'ids'],
  ] as const) {
    const { status, body: problem } = await bulk(body)
    expect([status, Object.keys(problem)]).toEqual([400, expect.arrayContaining([field])])
  }
  expect((await bulk({ ids: [id], filter: {}, action: 'delete' })).status).toBe(400)
  expect((await bulk({ action: 'delete' })).status).toBe(400)
})

test('more than a thousand are a task that reports its progress and is told as one change', async () => {
  const ids = await addMany(2_500, 'Herd')
  const { status, body, headers } = await bulk({
    filter: { q: 'herd' },
    action: 'add_tags',
    data: { tags: ['herd animal'] },
  })
  expect(status).toBe(202)
  const task = async () => (await library.ask('editor', 'GET', headers.get('location') as string)).body
  expect(await task()).toMatchObject({
    id: body.job_id,
    kind: 'bulk.add_tags',
    state: 'queued',
    done: 0,
    total: 2500,
    result: null,
  })
  const late = (await addMany(1, 'Herd'))[0] as number
  await library.work()
  expect(await task()).toMatchObject({ state: 'done', done: 2500, total: 2500, result: { updated: 2500, failed: 0 } })
  expect((await library.ask('viewer', 'GET', '/dam/assets/?tags=herd%20animal')).body.count).toBe(2500)
  expect(await tagsOf(late)).toEqual([])
  const events = await library.database.rows<{ kind: string }>(
    sql`select kind from event where asset_id = any(${ids}::bigint[]) or (kind = 'task.changed' and (data ->> 'task_id')::bigint = ${body.job_id}) order by id`,
  )
  expect(new Set(events.map(({ kind }) => kind))).toEqual(new Set(['task.changed']))
  const last = await library.database.row(
    sql`select data from event where kind = 'task.changed' order by id desc limit 1`,
  )
  expect(last).toMatchObject({ data: { state: 'done', done: 2500, updated: 2500 } })
})

test('a worker that dies between batches goes on where it was; a cancelled task stops between batches', async () => {
  const ids = await addMany(3_000, 'Flock')
  const { body } = await bulk({ ids, action: 'add_tags', data: { tags: ['flock'] } })
  // As after a crash: the first batch is committed, the job runs again from the start.
  await library.database.run(sql`update asset set tags = '{flock}' where id = any(${ids.slice(0, 1000)}::bigint[])`)
  await library.database.run(
    sql`update task set state = 'running', done_count = 1000, result = ${JSON.stringify({ after: ids[999], updated: 1000, failed: 0, errors: [] })}::jsonb where id = ${body.job_id}`,
  )
  await library.work()
  expect((await library.ask('editor', 'GET', `/tasks/${body.job_id}/`)).body).toMatchObject({
    state: 'done',
    done: 3000,
    result: { updated: 3000 },
  })

  const second = await bulk({ ids, action: 'remove_tags', data: { tags: ['flock'] } })
  expect((await library.ask('viewer', 'DELETE', `/tasks/${second.body.job_id}/`)).status).toBe(404)
  expect((await library.ask('editor', 'DELETE', `/tasks/${second.body.job_id}/`)).status).toBe(204)
  await library.work()
  expect((await library.ask('editor', 'GET', `/tasks/${second.body.job_id}/`)).body).toMatchObject({
    state: 'cancelled',
    done: 0,
  })
  expect((await library.ask('editor', 'DELETE', `/tasks/${second.body.job_id}/`)).body.error.code).toBe(
    'task-already-ended',
  )
  expect((await library.ask('viewer', 'GET', '/dam/assets/?tags=flock')).body.count).toBe(3000)
})

test('a task does not outlive the rights of who started it', async () => {
  const ids = await addMany(1_001, 'Rights')
  const { body } = await bulk({ ids, action: 'delete' })
  await library.database.run(sql`update account set role = 'viewer' where username = 'editor'`)
  await library.work()
  await library.database.run(sql`update account set role = 'editor' where username = 'editor'`)
  expect((await library.ask('editor', 'GET', `/tasks/${body.job_id}/`)).body).toMatchObject({
    state: 'failed',
    done: 0,
    error: expect.stringContaining('role'),
  })
  expect((await library.ask('viewer', 'GET', '/dam/assets/?q=rights')).body.count).toBe(1001)
})

test('two bulk changes of the same assets at once both happen', async () => {
  const ids = await Promise.all(Array.from({ length: 30 }, () => library.add({})))
  const answers = await Promise.all([
    bulk({ ids, action: 'add_tags', data: { tags: ['left'] } }),
    bulk({ ids: [...ids].reverse(), action: 'add_tags', data: { tags: ['right', 'left'] } }),
    bulk({ ids, action: 'add_tags', data: { tags: ['middle'] } }),
  ])
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  for (const id of ids) expect([...(await tagsOf(id))].sort()).toEqual(['left', 'middle', 'right'])
})

test('the same request with the same idempotency key is done once', async () => {
  const id = await library.add({})
  const request = { ids: [id], action: 'add_tags', data: { tags: ['once'] } }
  const first = await bulk(request, { 'idempotency-key': 'k1' })
  await bulk({ ids: [id], action: 'remove_tags', data: { tags: ['once'] } })
  const again = await bulk(request, { 'idempotency-key': 'k1' })
  expect(again.body).toEqual(first.body)
  expect(await tagsOf(id)).toEqual([])
})
