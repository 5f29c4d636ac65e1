import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { indexAsset, indexTags } from './index-asset.ts'
import { startLibrary, type Library } from '../assets/testing/library.ts'

let library: Library
const id: Record<string, number> = {}
beforeAll(async () => {
  library = await startLibrary()
  id['beach'] = await library.add({
    filename: 'IMG_0042.jpg',
    label: 'Sunset over the beach',
    tags: ['Sea', 'New York'],
    sortDate: '2024-05-17T10:00:00Z',
  })
  id['car'] = await library.add({
    filename: 'redCar.png',
    label: 'A red car',
    description: 'Parked at the beach; photos of cars',
    sortDate: '2023-01-02T00:00:00Z',
  })
  id['clip'] = await library.add({
    filename: 'DSC00042.mov',
    label: 'Surfing',
    type: 'video',
    tags: ['sea'],
    sortDate: '2024-05-18T00:00:00Z',
    fields: { creator: ['Ümit Öztürk'], city: 'İzmir', camera_model: 'ILCE-7M4', keywords: ['waves'] },
  })
  id['кот'] = await library.add({
    filename: 'Зелёный кот.jpg',
    label: 'Кошки на заборе',
    description: 'Белые кошки',
    sortDate: '1999-12-31T00:00:00Z',
  })
  id['trash'] = await library.add({ label: 'beach in the trash' })
  await library.ask('editor', 'DELETE', `/dam/assets/${id['trash']}/`)
})
afterAll(() => library[Symbol.asyncDispose]())

const search = (body: object) => library.ask('viewer', 'POST', '/dam/assets/search/', body)
const found = async (q: string, more: object = {}): Promise<string[]> => {
  const { status, body } = await search({ q, ...more })
  expect(status).toBe(200)
  expect(body.count).toBe(body.results.length)
  return body.results.map((asset: { id: number }) => Object.keys(id).find((name) => id[name] === asset.id)).sort()
}

test.each([
  ['beach', ['beach', 'car']],
  ['BEACHES', ['beach', 'car']],
  ['beach -car', ['beach']],
  ['-beach', ['clip', 'кот']],
  ['"red car"', ['car']],
  ['"car red"', []],
  ['photo car', ['car']],
  ['sunset OR surf', ['beach', 'clip']],
  ['sun', ['beach']],
  ['sun ', []],
  ['IMG_0042', ['beach']],
  ['0042', ['beach']],
  ['42', ['beach', 'clip']],
  ['img0042', ['beach']],
  ['DSC00042.mov', ['clip']],
  ['dsc 00042', ['clip']],
  ['car.png', ['car']],
  ['umit ozturk', ['clip']],
  ['izmir', ['clip']],
  ['ILCE-7M4', ['clip']],
  ['waves', ['clip']],
  ['new york', ['beach']],
  ['sea', ['beach', 'clip']],
  ['кошка', ['кот']],
  ['зеленый', ['кот']],
  ['БЕЛАЯ кошка', ['кот']],
  ['nothing has this word', []],
  ['!!! ((( :*', []],
])('%s finds %j', async (q, expected) => {
  expect(await found(q)).toEqual([...expected].sort())
  const { body } = await library.ask('viewer', 'GET', `/dam/assets/?${new URLSearchParams({ q })}`)
  expect(body.count).toBe(expected.length)
})

test('text and filters together', async () => {
  expect(await found('sea', { filters: { type: ['video'] } })).toEqual(['clip'])
  expect(await found('sea', { filters: { tags: ['SEA', 'new york'] } })).toEqual(['beach'])
  expect(await found('sea', { filters: { tags: ['unknown'] } })).toEqual([])
  expect(await found('beach', { filters: { date_range: { from: '2024-05-17', to: '2024-05-17' } } })).toEqual(['beach'])
  expect(await found('beach', { filters: { date_range: { from: '2024-05-18' } } })).toEqual([])
  expect(await found('beach', { filters: { date_range: { from: '1990-01-01', to: '2023-12-31' } } })).toEqual(['car'])
  expect(await found('', { filters: { custom_metadata: { camera_model: 'ILCE-7M4' } } })).toEqual(['clip'])
  expect(await found('', { filters: { custom_metadata: { keywords: 'waves' } } })).toEqual(['clip'])
})

test('a match in the title comes before one in the description', async () => {
  const { body } = await search({ q: 'beach' })
  expect(body.results.map((asset: { id: number }) => asset.id)).toEqual([id['beach'], id['car']])
  const byName = await search({ q: 'beach', sort: 'label' })
  expect(byName.body.results.map((asset: { id: number }) => asset.id)).toEqual([id['car'], id['beach']])
  expect((await search({ q: 'beach', sort: 'colour' })).body.error.code).toBe('invalid-ordering')
})

test('facets count what is found, and everything where nothing is asked', async () => {
  const facets = ['type', 'tags', 'year']
  expect((await search({ q: 'sea', facets })).body.facets).toEqual({
    type: { image: 1, video: 1 },
    tags: { Sea: 2, 'New York': 1 },
    year: { 2024: 2 },
  })
  expect((await search({ facets })).body.facets).toEqual({
    type: { image: 3, video: 1 },
    tags: { Sea: 2, 'New York': 1 },
    year: { 2024: 2, 2023: 1, 1999: 1 },
  })
  expect((await search({ facets, filters: { type: ['image'] } })).body.facets).toEqual({
    type: { image: 3, video: 1 },
    tags: { Sea: 1, 'New York': 1 },
    year: { 2024: 1, 2023: 1, 1999: 1 },
  })
  expect(
    (
      await search({
        q: 'sea',
        facets,
        filters: { type: ['video'], date_range: { from: '2023-01-01', to: '2023-12-31' } },
      })
    ).body,
  ).toMatchObject({
    count: 0,
    facets: { type: {}, tags: {}, year: { 2024: 1 } },
  })
  expect((await search({ facets, filters: { tags: ['sea'] } })).body.facets.tags).toEqual({ Sea: 2, 'New York': 1 })
  expect((await search({ q: 'nowhere', facets: ['type'] })).body.facets).toEqual({ type: {} })
})

test('pages of a search follow their links with the same body', async () => {
  const first = await search({ q: 'beach', limit: 1 })
  expect(first.body).toMatchObject({
    count: 2,
    previous: null,
    next: `${library.url}/api/v4/dam/assets/search/?limit=1&offset=1`,
  })
  const second = await library.ask('viewer', 'POST', first.body.next, { q: 'beach', limit: 1 })
  expect(second.body.results[0].id).toBe(id['car'])
  expect(second.body.next).toBeNull()
})

test('an edit is found at once, by its new words and not by its old ones', async () => {
  const asset = await library.add({ label: 'Oldword' })
  await library.ask('editor', 'PATCH', `/dam/assets/${asset}/`, { label: 'Newword', tags: ['Freshtag'] })
  expect((await search({ q: 'oldword' })).body.count).toBe(0)
  expect((await search({ q: 'newword' })).body.count).toBe(1)
  expect((await search({ q: 'freshtag' })).body.count).toBe(1)
  expect((await search({ q: 'newword', filters: { tags: ['freshtag'] } })).body.count).toBe(1)
})

test('re-indexing nothing but tags gives the document that indexing everything gives', async () => {
  const asset = await library.add({
    label: 'Harbour at dawn',
    description: 'The harbour',
    tags: ['Harbour', 'Две кошки'],
    fields: { city: 'Harbour City' },
  })
  const document = async () =>
    (
      await library.database.row<{ document: string }>(
        sql`select document::text from asset_search where asset_id = ${asset}`,
      )
    )?.document
  for (const tags of [[], ['Harbour'], ['dawn chorus', 'city', '!!!', "Бе\\лая 'кошка'"], ['x']]) {
    await library.database.run(sql`update asset set tags = ${tags} where id = ${asset}`)
    await library.database.transaction((tx) => indexTags(tx, [asset]))
    const quick = await document()
    await library.database.transaction((tx) => indexAsset(tx, [asset]))
    expect(await document()).toBe(quick)
  }
})

test('tags with quotes and backslashes are found by filter and text', async () => {
  const tag = `o'neil \\ "x"`
  const asset = await library.add({ tags: [tag], label: 'Quoted' })
  const { body } = await search({ q: 'quoted', filters: { tags: [tag] } })
  expect(body.results.map((found: { id: number }) => found.id)).toEqual([asset])
})

test('whatever is typed is answered', async () => {
  const hostile = [
    "'",
    "''",
    '\\',
    ':*',
    '!',
    '&',
    '|',
    '<->',
    '(',
    "a'b:*",
    '-',
    '"',
    '%',
    '$1',
    '\0',
    '\u202e',
    "'; drop table asset; --",
    '0x',
    '1e5',
    'a@b.c',
    'http://x.y/z?q=1',
    '<b>',
    'IMG_',
    '..',
    '\ud800',
  ]
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc
      .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ maxLength: 5 })), { maxLength: 12 })
      .map((parts) => parts.join(' ')),
    fc.array(fc.constantFrom(...hostile), { maxLength: 20 }).map((parts) => parts.join('')),
  )
  await fc.assert(
    fc.asyncProperty(text, async (q) => {
      const { status, body } = await search({ q: q.slice(0, 500), facets: ['type', 'tags', 'year'] })
      expect(status).toBe(200)
      expect(body.count).toBeGreaterThanOrEqual(body.results.length)
      expect(
        (
          await library.ask(
            'viewer',
            'GET',
            `/dam/assets/?${new URLSearchParams({ search: q.slice(0, 500), tags: q.slice(0, 50) })}`,
          )
        ).status,
      ).toBe(200)
    }),
    { numRuns: 250, examples: hostile.map((q) => [q] as [string]) },
  )
})

test('a word that very many assets have answers with a lower bound, newest first, and pages by cursor', async () => {
  await library.database.run(sql`insert into blob (sha256, size_bytes) values (${'b'.repeat(64)}, 1)`)
  await library.database.run(sql`
    with made as (
      insert into asset (sha256, size_bytes, filename, label, status, date_added)
      select ${'b'.repeat(64)}, 1, 'many.jpg', 'Many', 'ready', timestamptz '2001-01-01' + n * interval '1 minute' from generate_series(1, 5200) n
      returning id
    ) insert into asset_search (asset_id, document) select id, 'many:1A' from made`)
  const { body } = await search({ q: 'many', facets: ['type'], limit: 3 })
  expect(body).toMatchObject({ count: 5000, count_is_estimate: true })
  expect(body.results).toHaveLength(3)
  expect(body.results[0].date_added).toBe('2001-01-04T14:40:00.000Z')
  expect(body.facets.type.other).toBeGreaterThanOrEqual(5000)
  const first = (await library.ask('viewer', 'GET', '/dam/assets/?q=many&cursor=&page_size=100')).body
  const second = (await library.ask('viewer', 'GET', first.next)).body
  expect(new Set([...first.results, ...second.results].map((asset: { id: number }) => asset.id)).size).toBe(200)
  expect(second.results[0].date_added < first.results[99].date_added).toBe(true)
})

test('a word that most of a large library has is not gathered, and what is rare beside it is still found exactly', async () => {
  const { database } = library
  await database.run(sql`insert into blob (sha256, size_bytes) values (${'c'.repeat(64)}, 1)`)
  await database.run(sql`
    with made as (
      insert into asset (sha256, size_bytes, filename, label, status, mime_type, tags, date_added, sort_date)
      select ${'c'.repeat(64)}, n, 'flood.jpg', 'Flood', 'ready', case when n = 3 then 'image/rare' else 'image/jpeg' end, case when n % 1000 = 7 then '{Few}'::text[] else '{}' end,
        timestamptz '2010-01-01' + n * interval '1 minute', timestamptz '2010-01-01' + n * interval '1 minute' from generate_series(1, 21000) n
      returning id, size_bytes as n, tags
    ) insert into asset_search (asset_id, document)
      select id, ('flood:1A ' || case when n = 2 then 'ancient:2C ' when n = 20999 then 'recent:2C ' else '' end || case when tags <> '{}' then '/g/Few' else '' end)::tsvector from made`)
  await database.run(sql`insert into tag (name) values ('Few')`)
  await database.run(sql`analyze asset, asset_search`)
  const flood = async (body: object) => (await search({ limit: 5, ...body })).body
  expect(await flood({ q: 'flood ' })).toMatchObject({ count: 5000, count_is_estimate: true })
  expect((await flood({ q: 'floo' })).results[0]).toMatchObject({ date_added: '2010-01-15T14:00:00.000Z' })
  const rare = await flood({ q: 'floo', filters: { tags: ['few'] } })
  expect(rare).toMatchObject({ count: 21, results: expect.any(Array) })
  expect(rare).not.toHaveProperty('count_is_estimate')
  for (const [q, filters] of [
    ['flood ancient', {}],
    ['flood recent', {}],
    ['ancient floo', {}],
    ['floo', { mime_type: ['image/rare'] }],
    ['flood ', { size: { min: 20_999, max: 20_999 } }],
  ] as const) {
    const one = await flood({ q, filters })
    expect([q, one.count, one.results.length]).toEqual([q, 1, 1])
  }
  expect(await flood({ q: '-flood' })).toMatchObject({ count: 5000, count_is_estimate: true })
  expect((await flood({ q: 'flood -flood' })).count).toBe(0)
  const walked = (await library.ask('viewer', 'GET', '/dam/assets/?q=flood&cursor=&page_size=100&ordering=size')).body
  expect(walked.results.map((asset: { size: number }) => asset.size)).toEqual(
    Array.from({ length: 100 }, (_, n) => n + 1),
  )
})
