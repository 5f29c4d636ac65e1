import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { startLibrary, type Library } from './testing/library.ts'

let library: Library
beforeAll(async () => {
  library = await startLibrary()
})
afterAll(() => library[Symbol.asyncDispose]())

const get = (id: number, headers = {}) => library.ask('viewer', 'GET', `/dam/assets/${id}/`, undefined, headers)
const patch = (id: number, body: unknown, headers = {}) =>
  library.ask('editor', 'PATCH', `/dam/assets/${id}/`, body, headers)

test('an asset shows everything known about it', async () => {
  const parent = (await library.ask('editor', 'POST', '/collections/', { name: 'Trips' })).body.id
  const child = (await library.ask('editor', 'POST', '/collections/', { name: 'Sea', parent })).body.id
  const sha256 = 'a'.repeat(64)
  const id = await library.add({
    sha256,
    filename: 'sea.jpg',
    collectionId: child,
    fields: { title: 'The sea', camera_model: 'X100' },
  })
  const twin = await library.add({ sha256, filename: 'copy.jpg' })
  await library.database.run(sql`
    insert into rendition (sha256, preset, version, file, mime_type, width, height, size_bytes) values (${sha256}, 'thumbnail', 1, 'aa/aa/x.webp', 'image/webp', 320, 200, 99)`)
  await library.database.run(sql`update asset set preview_state = 'ready', preview_version = 2 where id = ${id}`)
  await library.database.run(sql`update asset_embedded set raw = '{"EXIF:Model": "X100"}' where asset_id = ${id}`)
  const { status, body } = await get(id)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    id,
    filename: 'sea.jpg',
    label: 'sea',
    checksum: sha256,
    versions: 1,
    access_level: 'view',
    size: 1000,
    url: `${library.url}/api/v4/dam/assets/${id}/`,
    metadata: { title: 'The sea', camera_model: 'X100' },
    exif: { 'EXIF:Model': 'X100' },
    collections: [{ id: child, name: 'Sea', path: 'Trips/Sea' }],
    renditions: [
      { preset: 'thumbnail', width: 320, url: `${library.url}/api/v4/dam/assets/${id}/renditions/thumbnail/?v=2` },
    ],
    duplicates: [{ id: twin, filename: 'copy.jpg' }],
  })
})

test('a copy that is current is not sent again, and any change of what is shown makes it outdated', async () => {
  const id = await library.add({ filename: 'etag.jpg' })
  let etag = (await get(id)).headers.get('etag') as string
  expect(etag).toMatch(/^"[\w.-]+"$/)
  expect((await get(id, { 'if-none-match': `"x", W/${etag}` })).status).toBe(304)
  for (const change of [
    sql`update asset set preview_state = 'ready' where id = ${id}`,
    sql`insert into asset_embedded (asset_id, fields) values (${id}, '{"title": "New"}')`,
    sql`update account set display_name = display_name || '!' where username = 'editor'`,
  ]) {
    await library.database.run(change)
    const answer = await get(id, { 'if-none-match': etag })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('etag')).not.toBe(etag)
    etag = answer.headers.get('etag') as string
  }
})

test('an edit over somebody else’s edit is refused and shows the current state; one over a new preview is not', async () => {
  const id = await library.add({ filename: 'conflict.jpg', label: 'First' })
  const etag = (await get(id)).headers.get('etag') as string
  await library.database.run(sql`update asset set preview_state = 'ready', preview_version = 1 where id = ${id}`)
  const mine = await patch(id, { label: 'Mine' }, { 'if-match': etag })
  expect(mine.status).toBe(200)
  expect(mine.body.label).toBe('Mine')
  const theirs = await patch(id, { label: 'Theirs' }, { 'if-match': etag })
  expect(theirs.status).toBe(412)
  expect(theirs.body.error).toMatchObject({
    code: 'edit-conflict',
    details: { current: { id, label: 'Mine', access_level: 'edit' } },
  })
  const again = await patch(id, { label: 'Theirs' }, { 'if-match': mine.headers.get('etag') as string })
  expect(again.status).toBe(200)
  expect((await get(id)).body.label).toBe('Theirs')
  expect((await patch(id, { label: 'x' }, { 'if-match': 'nonsense' })).status).toBe(412)
  expect((await patch(id, { label: 'x' }, { 'if-match': '*' })).status).toBe(200)
})

test('of two edits at once with the same copy exactly one wins', async () => {
  const id = await library.add({ filename: 'race.jpg' })
  const etag = (await get(id)).headers.get('etag') as string
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, n) => patch(id, { label: `Writer ${n}` }, { 'if-match': etag })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412, 412])
})

test('tags keep the first spelling, lose what differs only by case or space, and are counted', async () => {
  const id = await library.add({ tags: ['Größe'] })
  const other = await library.add({})
  const { body } = await patch(other, { tags: ['  GRÖSSE ', 'größe', 'New   York', 'NEW YORK', 'cafe\u0301', 'café'] })
  expect(body.tags).toEqual(['GRÖSSE', 'Größe', 'New York', 'café'])
  const { body: tags } = await library.ask('viewer', 'GET', '/tags/?q=gr')
  expect(tags.results.map((tag: { name: string; asset_count: number }) => [tag.name, tag.asset_count])).toEqual([
    ['Größe', 2],
    ['GRÖSSE', 1],
  ])
  await patch(id, { tags: [] })
  expect((await library.ask('viewer', 'GET', '/tags/?q=GRÖßE')).body.results).toMatchObject([
    { name: 'Größe', asset_count: 1 },
    { name: 'GRÖSSE' },
  ])
})

test('an edit leaves an audit row and an event, and one that changes nothing leaves none', async () => {
  const id = await library.add({ filename: 'trail.jpg', label: 'Old' })
  const trail = async () =>
    library.database.row(sql`
    select (select count(*) from audit where object = ${`asset:${id}`} and action = 'asset.updated') as audits, (select count(*) from event where asset_id = ${id} and kind = 'asset.updated') as events`)
  await patch(id, { label: 'Old', description: '' })
  await patch(id, {})
  expect(await trail()).toEqual({ audits: 0, events: 0 })
  await patch(id, { label: 'New', tags: ['a'] })
  expect(await trail()).toEqual({ audits: 1, events: 1 })
  const { body } = await library.ask('viewer', 'GET', `/dam/assets/${id}/timeline/`)
  expect(body.entries.map((entry: { name: string }) => entry.name)).toEqual(['asset.created', 'asset.updated'])
  expect(body.entries[1]).toMatchObject({
    kind: 'event',
    actor: expect.stringContaining('The editor'),
    detail: { before: { label: 'Old', tags: [] }, after: { label: 'New', tags: ['a'] } },
  })
})

test('PUT replaces all that can be edited; bad input names the field', async () => {
  const id = await library.add({ tags: ['x'], description: 'gone soon' })
  const { body } = await library.ask('editor', 'PUT', `/dam/assets/${id}/`, { label: 'Only a label' })
  expect(body).toMatchObject({ label: 'Only a label', description: '', tags: [] })
  for (const [bad, field] of [
    [{ label: ' ' }, 'label'],
    [{ label: '\0\u0001' }, 'label'],
    [{ tags: ['x'.repeat(101)] }, 'tags.0'],
    [{ colour: 'red' }, 'colour'],
    [{ label: 7 }, 'label'],
  ] as const) {
    const answer = await library.ask('editor', 'PATCH', `/dam/assets/${id}/`, bad)
    expect(answer.status).toBe(400)
    expect(answer.body[field]).toEqual([expect.any(String)])
  }
  const odd = await library.ask('editor', 'PATCH', `/dam/assets/${id}/`, {
    label: 'a\0b\u202e😀',
    description: 'nul\0\r\nline',
    tags: ['t\0ag', '\u200b'],
  })
  expect(odd.status).toBe(200)
  expect(odd.body).toMatchObject({ label: 'ab\u202e😀', description: 'nul\nline', tags: ['t ag'] })
})

test('what may not be seen does not exist: the answer is the same to the byte', async () => {
  const id = await library.add({})
  await library.ask('editor', 'DELETE', `/dam/assets/${id}/`)
  const hidden = await get(id)
  const missing = await get(987_654_321)
  expect([hidden.status, missing.status]).toEqual([404, 404])
  const comparable = ({ body }: typeof hidden) => ({ ...body, error: { ...body.error, request_id: '' } })
  expect(comparable(hidden)).toEqual(comparable(missing))
  expect((await library.ask('editor', 'GET', `/dam/assets/${id}/`)).body.trashed_at).not.toBeNull()
  expect((await patch(id, { label: 'x' })).status).toBe(404)
  for (const path of ['/dam/assets/0/', '/dam/assets/-1/', '/dam/assets/abc/', '/dam/assets/99999999999999999999/']) {
    expect((await library.ask('viewer', 'GET', path)).status).toBe(404)
  }
})

test('roles: who may do what with assets, collections, tags, trash and tasks', async () => {
  const asset = await library.add({})
  const collection = (await library.ask('editor', 'POST', '/collections/', { name: 'Roles' })).body.id
  const cases: [string, string, unknown, Record<'anonymous' | 'viewer' | 'editor' | 'administrator', number>][] = [
    ['GET', '/dam/assets/', undefined, { anonymous: 401, viewer: 200, editor: 200, administrator: 200 }],
    ['GET', `/dam/assets/${asset}/`, undefined, { anonymous: 401, viewer: 200, editor: 200, administrator: 200 }],
    [
      'GET',
      `/dam/assets/${asset}/timeline/`,
      undefined,
      { anonymous: 401, viewer: 200, editor: 200, administrator: 200 },
    ],
    ['GET', '/dam/assets/dates/', undefined, { anonymous: 401, viewer: 200, editor: 200, administrator: 200 }],
    ['POST', '/dam/assets/search/', { q: 'x' }, { anonymous: 401, viewer: 200, editor: 200, administrator: 200 }],
    [
      'PATCH',
      `/dam/assets/${asset}/`,
      { label: 'x' },
      { anonymous: 401, viewer: 403, editor: 200, administrator: 200 },
    ],
    ['PUT', `/dam/assets/${asset}/`, { label: 'x' }, { anonymous: 401, viewer: 403, editor: 200, administrator: 200 }],
    [
      'POST',
      '/dam/assets/bulk/',
      { ids: [asset], action: 'add_tags', data: { tags: ['r'] } },
      { anonymous: 401, viewer: 403, editor: 200, administrator: 200 },
    ],
    ['POST', `/dam/assets/${asset}/replay/`, {}, { anonymous: 401, viewer: 403, editor: 202, administrator: 202 }],
    ['GET', '/collections/', undefined, { anonymous: 401, viewer: 200, editor: 200, administrator: 200 }],
    [
      'GET',
      `/collections/${collection}/assets/`,
      undefined,
      { anonymous: 401, viewer: 200, editor: 200, administrator: 200 },
    ],
    [
      'PATCH',
      `/collections/${collection}/`,
      { name: 'Roles' },
      { anonymous: 401, viewer: 403, editor: 200, administrator: 200 },
    ],
    ['GET', '/tags/', undefined, { anonymous: 401, viewer: 200, editor: 200, administrator: 200 }],
    ['GET', '/trash/', undefined, { anonymous: 401, viewer: 403, editor: 200, administrator: 200 }],
    ['POST', '/trash/restore/', undefined, { anonymous: 401, viewer: 403, editor: 202, administrator: 202 }],
    ['DELETE', '/trash/', undefined, { anonymous: 401, viewer: 403, editor: 403, administrator: 202 }],
    ['DELETE', `/dam/assets/${asset}/`, undefined, { anonymous: 401, viewer: 403, editor: 204, administrator: 204 }],
    [
      'DELETE',
      `/collections/${collection}/`,
      undefined,
      { anonymous: 401, viewer: 403, editor: 204, administrator: 404 },
    ],
  ]
  for (const [method, path, body, expected] of cases) {
    const actual = {
      anonymous: (await library.ask(null, method, path, body)).status,
      viewer: (await library.ask('viewer', method, path, body)).status,
      editor: (await library.ask('editor', method, path, body)).status,
      administrator: (await library.ask('administrator', method, path, body)).status,
    }
    expect([method, path, actual]).toEqual([method, path, expected])
  }
})

test('a replay waits for its job, and its task ends when the flight recorder shows the new run', async () => {
  const id = await library.add({})
  const { status, body, headers } = await library.ask('editor', 'POST', `/dam/assets/${id}/replay/`, {
    from: 'previews',
  })
  expect(status).toBe(202)
  expect(headers.get('location')).toBe(`${library.url}/api/v4/tasks/${body.job_id}/`)
  expect((await get(id)).body.status).toBe('processing')
  const task = () => library.ask('editor', 'GET', `/tasks/${body.job_id}/`)
  expect((await task()).body).toMatchObject({ kind: 'replay', state: 'queued', done: 0, total: 1 })
  expect((await library.ask('viewer', 'GET', `/tasks/${body.job_id}/`)).status).toBe(404)
  const job = await library.database.row(
    sql`select j.payload from graphile_worker._private_jobs j where j.key = ${`replay:${id}`}`,
  )
  expect(job).toEqual({ payload: { assetId: id, from: 'previews' } })
  await library.database.run(sql`
    insert into ingest_stage (asset_id, stage, started_at, ended_at, outcome, worker, detail) values
      (${id}, 'previews', now() - interval '2 seconds', now() - interval '1 second', 'failed', 'worker-1', '{"code": "damaged"}'),
      (${id}, 'index', now() - interval '1 second', now(), 'done', 'worker-1', '{}')`)
  expect((await task()).body).toMatchObject({ state: 'done', done: 1 })
  const { body: timeline } = await library.ask('viewer', 'GET', `/dam/assets/${id}/timeline/`)
  expect(timeline.entries.find((entry: { name: string }) => entry.name === 'previews')).toMatchObject({
    kind: 'stage',
    outcome: 'failed',
    duration_ms: 1000,
    worker: 'worker-1',
    attempt: 1,
    detail: { code: 'damaged' },
  })
})
