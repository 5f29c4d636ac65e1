import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLibrary, type Library } from '../assets/testing/library.ts'

let library: Library
beforeAll(async () => {
  library = await startLibrary()
})
afterAll(() => library[Symbol.asyncDispose]())

const make = async (name: string, parent: number | null = null): Promise<number> =>
  (await library.ask('editor', 'POST', '/collections/', { name, parent })).body.id
const change = (id: number, body: object) => library.ask('editor', 'PATCH', `/collections/${id}/`, body)
const all = async (): Promise<{ id: number; path: string; parent: number | null; asset_count: number }[]> =>
  (await library.ask('viewer', 'GET', '/collections/')).body.results

test('collections are listed in tree order with their paths and counts', async () => {
  const trips = await make('Trips')
  const ten = await make('Day 10', trips)
  const two = await make('Day 2', trips)
  const archive = await make('archive')
  const below = await make('Morning', two)
  const id = await library.add({ collectionId: two })
  await library.add({ collectionId: below })
  expect((await all()).map(({ path, asset_count }) => [path, asset_count])).toEqual([
    ['archive', 0],
    ['Trips', 0],
    ['Trips/Day 2', 1],
    ['Trips/Day 2/Morning', 1],
    ['Trips/Day 10', 0],
  ])
  const inside = await library.ask('viewer', 'GET', `/collections/${trips}/assets/`)
  expect(inside.body.count).toBe(2)
  expect((await library.ask('viewer', 'GET', `/dam/assets/?collection=${two}&ordering=filename`)).body.count).toBe(2)

  expect((await change(two, { name: 'Second day', parent: archive })).body).toMatchObject({
    path: 'archive/Second day',
    parent: archive,
  })
  expect((await library.ask('viewer', 'GET', `/dam/assets/${id}/`)).body.collections).toEqual([
    { id: two, name: 'Second day', path: 'archive/Second day' },
  ])

  expect((await library.ask('editor', 'DELETE', `/collections/${archive}/`)).status).toBe(204)
  expect((await all()).map(({ id }) => id)).toEqual([trips, ten])
  expect((await library.ask('viewer', 'GET', `/dam/assets/${id}/`)).body.collections).toEqual([])
  expect((await library.ask('viewer', 'GET', `/collections/${two}/`)).body.error.code).toBe('collection-not-found')
})

test('a name is taken once in one place, whoever is first', async () => {
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => library.ask('editor', 'POST', '/collections/', { name: 'Only one' })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409])
  const first = answers.find(({ status }) => status === 201)
  expect(first?.headers.get('location')).toBe(first?.body.url)
  expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
    error: { code: 'already-exists' },
    name: [expect.any(String)],
  })
  expect(
    (await library.ask('editor', 'POST', '/collections/', { name: 'Only one', parent: first?.body.id })).status,
  ).toBe(201)
  expect((await library.ask('editor', 'POST', '/collections/', { name: 'x', parent: 999_999 })).status).toBe(404)
  expect((await library.ask('editor', 'POST', '/collections/', { name: ' \u0007 ' })).status).toBe(400)
})

test('no moves, however they cross, make a ring', async () => {
  const nodes: number[] = []
  for (let n = 0; n < 6; n++) nodes.push(await make(`Node ${n}`, nodes[Math.floor(n / 2)] ?? null))
  expect((await change(nodes[0] as number, { parent: nodes[0] as number })).status).toBe(422)
  const move = fc.tuple(fc.nat(5), fc.option(fc.nat(5), { nil: null }))
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 2, maxLength: 6 }), async (moves) => {
      const answers = await Promise.all(
        moves.map(([node, parent]) =>
          change(nodes[node] as number, { parent: parent === null ? null : (nodes[parent] as number) }),
        ),
      )
      for (const { status } of answers) expect([200, 422]).toContain(status)
      const listed = new Set((await all()).map(({ id }) => id))
      expect(nodes.every((node) => listed.has(node))).toBe(true)
    }),
    { numRuns: 25 },
  )
})
