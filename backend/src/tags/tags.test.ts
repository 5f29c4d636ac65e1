import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLibrary, type Library } from '../assets/testing/library.ts'
import { cleanTag, ensureTags } from './tag-store.ts'

let library: Library
beforeAll(async () => {
  library = await startLibrary()
})
afterAll(() => library[Symbol.asyncDispose]())

test.each([
  ['  New \t York\n', 'New York'],
  ['cafe\u0301', 'café'],
  ['a\0b', 'a b'],
  ['\u200b\u202e', ''],
  ['\u200d', ''],
  ['👨\u200d👩\u200d👧', '👨\u200d👩\u200d👧'],
  ['می\u200cخواهم', 'می\u200cخواهم'],
  ['x'.repeat(150), 'x'.repeat(100)],
])('the tag %j is kept as %j', (text, tag) => {
  expect(cleanTag(text)).toBe(tag)
})

test('cleaning a tag twice changes nothing more, and PostgreSQL can hold the result', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 5 }), async (names) => {
      for (const name of names) expect(cleanTag(cleanTag(name))).toBe(cleanTag(name))
      const kept = await library.database.transaction((tx) => ensureTags(tx, names))
      expect(await library.database.transaction((tx) => ensureTags(tx, kept))).toEqual(kept)
    }),
    { numRuns: 40 },
  )
})

test('many who use the same new tags at once get the same spellings', async () => {
  const spellings = ['Alpha', 'ALPHA', 'alpha', 'Beta', 'BETA', 'Gamma']
  const results = await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      library.database.transaction((tx) => ensureTags(tx, [...spellings.slice(n % 6), ...spellings.slice(0, n % 6)])),
    ),
  )
  for (const kept of results) {
    expect(kept).toHaveLength(3)
    expect([...kept].sort()).toEqual([...(results[0] as string[])].sort())
  }
})

test('tags are listed by use, found by their beginning, their middle and almost', async () => {
  for (let n = 0; n < 3; n++)
    await library.add({ tags: ['Mountain', ...(n < 2 ? ['Fountain'] : []), ...(n < 1 ? ['100%_sure'] : [])] })
  const names = async (q: string) =>
    (await library.ask('viewer', 'GET', `/tags/?${new URLSearchParams({ q })}`)).body.results.map(
      (tag: { name: string }) => tag.name,
    )
  expect(await names('')).toEqual(['Mountain', 'Fountain', '100%_sure'])
  expect(await names('fou')).toEqual(['Fountain'])
  expect(await names('OUNT')).toEqual(['Mountain', 'Fountain'])
  expect((await names('mountian'))[0]).toBe('Mountain')
  expect(await names('%')).toEqual(['100%_sure'])
  expect(await names('\0')).toEqual(['Mountain', 'Fountain', '100%_sure'])
  const page = (await library.ask('viewer', 'GET', '/tags/?page_size=2')).body
  expect(page).toMatchObject({ count: 3, next: `${library.url}/api/v4/tags/?page_size=2&page=2` })
  expect((await library.ask('viewer', 'GET', page.next)).body.results).toHaveLength(1)
  expect((await library.ask('viewer', 'GET', '/tags/?page=9')).body.error.code).toBe('invalid-page')
})
