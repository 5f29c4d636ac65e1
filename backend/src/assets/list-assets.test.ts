import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { orderings } from '@dam/contract/schemas'
import { sql } from '@dam/platform/database'
import { startLibrary, type Library } from './testing/library.ts'

let library: Library
const names = ['IMG_2.jpg', 'IMG_10.jpg', 'img_1.jpg', 'Ärger.png', 'Zebra.png', 'ёлка.png', 'same.jpg', 'same.jpg']
const days = [
  '1969-12-31T23:59:59.999999Z',
  '2020-02-29T12:00:00.123456Z',
  '2020-02-29T12:00:00.123457Z',
  '2023-07-01T00:00:00Z',
  '2023-07-01T00:00:00Z',
]
beforeAll(async () => {
  library = await startLibrary()
  for (let n = 0; n < 60; n++) {
    await library.add({
      filename: names[n % names.length] as string,
      type: (['image', 'video', 'document'] as const)[n % 3] as 'image',
      tags: n % 2 === 0 ? ['even'] : ['odd', `n${n % 5}`],
      sizeBytes: (n * 37) % 11,
      sortDate: days[n % days.length] as string,
      dateAdded: days[(n * 3) % days.length] as string,
      description: n % 4 === 0 ? 'a quarter of them' : '',
    })
  }
})
afterAll(() => library[Symbol.asyncDispose]())

const list = (query: Record<string, string | number>) =>
  library.ask(
    'viewer',
    'GET',
    `/dam/assets/?${new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]))}`,
  )

async function walk(first: string, link: 'next' | 'previous'): Promise<number[][]> {
  const pages: number[][] = []
  for (let url: string | null = first; url !== null;) {
    const { status, body } = await library.ask('viewer', 'GET', url)
    expect(status).toBe(200)
    pages.push(body.results.map((asset: { id: number }) => asset.id))
    if (pages.length > 200) throw new Error('the walk does not end')
    url = body[link]
  }
  return pages
}

const ordering = fc.constantFrom(...orderings.flatMap((name) => [name, `-${name}`]))
const filter = fc.constantFrom<Record<string, string>>(
  {},
  { type: 'image' },
  { tags: 'EVEN' },
  { date: '2023' },
  { q: 'quarter' },
  { size_min: '3', size_max: '8' },
  { type: 'image,video', tags: 'odd' },
)

test('a walk by cursor visits every asset exactly once, there and back, whatever the order, filter and page size', async () => {
  await fc.assert(
    fc.asyncProperty(ordering, filter, fc.integer({ min: 1, max: 17 }), async (order, filters, size) => {
      const query = { ...filters, ordering: order, page_size: String(size) }
      const whole = await list({ ...query, page_size: 100 })
      const expected = whole.body.results.map((asset: { id: number }) => asset.id)
      expect(whole.body.count).toBe(expected.length)
      const there = await walk(`/dam/assets/?${new URLSearchParams({ ...query, cursor: '' })}`, 'next')
      expect(there.flat()).toEqual(expected)
      expect(there.slice(0, -1).every((page) => page.length === size)).toBe(true)

      let last = (await list({ ...query, cursor: '' })).body
      while (last.next) last = (await library.ask('viewer', 'GET', last.next)).body
      if (last.previous) {
        const back = await walk(last.previous, 'previous')
        expect(back.reverse().flat()).toEqual(expected.slice(0, expected.length - last.results.length))
      }
    }),
    { numRuns: 60 },
  )
})

test('rows that come and go during a walk make it neither repeat nor skip those that stay', async () => {
  const stay = (await list({ page_size: 100 })).body.results.map((asset: { id: number }) => asset.id)
  const seen: number[] = []
  const added: number[] = []
  let url: string | null = '/dam/assets/?cursor=&page_size=7'
  while (url !== null) {
    const { body } = await library.ask('viewer', 'GET', url)
    seen.push(...body.results.map((asset: { id: number }) => asset.id))
    added.push(await library.add({ filename: 'newer.jpg' }))
    if (added.length > 2) await library.ask('editor', 'DELETE', `/dam/assets/${added.shift()}/`)
    url = body.next
  }
  expect(seen.filter((id) => stay.includes(id))).toEqual(stay)
  expect(new Set(seen).size).toBe(seen.length)
  for (const id of added) await library.ask('editor', 'DELETE', `/dam/assets/${id}/`)
})

test('numbered pages and offsets cut the same list, and a page past its end is not found', async () => {
  const all = (await list({ page_size: 100, ordering: 'filename' })).body.results.map(
    (asset: { id: number }) => asset.id,
  )
  const pages = await walk('/dam/assets/?page_size=25&ordering=filename', 'next')
  expect(pages.flat()).toEqual(all)
  const offsets = await walk('/dam/assets/?limit=25&offset=0&ordering=filename', 'next')
  expect(offsets.flat()).toEqual(all)
  const second = await list({ page: 2, page_size: 25, ordering: 'filename' })
  expect(second.body.previous).toBe(`${library.url}/api/v4/dam/assets/?page=1&page_size=25&ordering=filename`)
  const past = await list({ page: 99 })
  expect(past.status).toBe(404)
  expect(past.body).toMatchObject({ detail: 'Invalid page.', error: { code: 'invalid-page' } })
})

test('names are ordered as people expect', async () => {
  const { body } = await list({ ordering: 'filename', page_size: 100 })
  expect([...new Set(body.results.map((asset: { filename: string }) => asset.filename))]).toEqual([
    'Ärger.png',
    'img_1.jpg',
    'IMG_2.jpg',
    'IMG_10.jpg',
    'same.jpg',
    'Zebra.png',
    'ёлка.png',
  ])
})

test('three names of the ordering parameter mean the same, and an unknown field is refused with the allowed ones', async () => {
  const ids = async (query: Record<string, string>) =>
    (await list(query)).body.results.map((asset: { id: number }) => asset.id)
  expect(await ids({ _ordering: 'size' })).toEqual(await ids({ ordering: 'size' }))
  expect(await ids({ sort: 'size' })).toEqual(await ids({ ordering: 'size' }))
  const wrong = await list({ ordering: '-colour' })
  expect(wrong.status).toBe(400)
  expect(wrong.body.error).toMatchObject({
    code: 'invalid-ordering',
    details: { allowed: expect.arrayContaining(['label', '-date_added']) },
  })
})

test('filters that are not understood are refused and say what is', async () => {
  for (const [query, code] of [
    [{ type: 'picture' }, 'invalid-filter'],
    [{ date: '2024-13' }, 'invalid-filter'],
    [{ date: 'yesterday' }, 'invalid-filter'],
    [{ date: '2024-05-02..2024-05-01' }, 'invalid-filter'],
    [{ checksum: 'abc' }, 'invalid-filter'],
    [{ colour: 'red' }, 'unknown-field'],
    [{ page: '0' }, 'invalid-request'],
    [{ cursor: 'nonsense' }, 'invalid-cursor'],
  ] as const) {
    const { status, body } = await list(query)
    expect([query, status, body.error.code]).toEqual([query, 400, code])
    expect(body.detail.length).toBeGreaterThan(10)
  }
})

test('a cursor that was tampered with is refused or merely leads elsewhere; it never fails', async () => {
  const { body } = await list({ cursor: '', ordering: '-date', page_size: 5 })
  const cursor = new URL(body.next).searchParams.get('cursor') as string
  const [name, key, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string().map((text) => Buffer.from(text).toString('base64url')),
        fc.json().map((text) => Buffer.from(text).toString('base64url')),
        fc
          .tuple(
            fc.constantFrom(name, '-label', 'x'),
            fc.oneof(fc.constant(key), fc.bigInt().map(String), fc.string()),
            fc.oneof(fc.constant(id), fc.integer(), fc.double()),
            fc.constantFrom(0, 1, 2),
          )
          .map((parts) => Buffer.from(JSON.stringify(parts)).toString('base64url')),
        fc.nat(cursor.length - 1).map((at) => cursor.slice(0, at) + 'A' + cursor.slice(at + 1)),
      ),
      async (text) => {
        const answer = await list({ cursor: text.slice(0, 500), ordering: '-date' })
        expect([200, 400]).toContain(answer.status)
      },
    ),
    { numRuns: 150 },
  )
  expect((await list({ cursor, ordering: 'label' })).body.error.code).toBe('invalid-cursor')
})

test('what a list shows is never older than the asset, even from memory', async () => {
  const id = await library.add({ filename: 'fresh.jpg', label: 'Before' })
  const shown = async () =>
    (await list({ page_size: 50 })).body.results.find((asset: { id: number }) => asset.id === id)
  expect(await shown()).toMatchObject({
    label: 'Before',
    thumbnail_url: null,
    owner: { username: 'editor', display_name: 'The editor' },
    access_level: 'view',
  })
  await library.database.run(
    sql`update asset set label = 'After', preview_state = 'ready', preview_version = 3 where id = ${id}`,
  )
  expect(await shown()).toMatchObject({
    label: 'After',
    thumbnail_url: `${library.url}/api/v4/dam/assets/${id}/renditions/thumbnail/?v=3`,
  })
  await library.database.run(sql`update account set display_name = 'Renamed' where username = 'editor'`)
  expect(await shown()).toMatchObject({ owner: { display_name: 'Renamed' } })
  await library.ask('editor', 'DELETE', `/dam/assets/${id}/`)
  expect(await shown()).toBeUndefined()
})

test('the summary of a list equals that of the asset itself', async () => {
  const [listed] = (await list({ page_size: 1, tags: 'even' })).body.results
  const { body } = await library.ask('viewer', 'GET', `/dam/assets/${listed.id}/`)
  expect(body).toMatchObject(listed)
})
