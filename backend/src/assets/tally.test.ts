import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { foldTally, monthCounts } from './tally.ts'
import { startLibrary, type Library } from './testing/library.ts'

let library: Library
beforeAll(async () => {
  library = await startLibrary()
})
afterAll(() => library[Symbol.asyncDispose]())

type Step = {
  kind: 'add' | 'trash' | 'restore' | 'purge' | 'type' | 'tags' | 'date' | 'collect' | 'discard' | 'fold'
  a: number
  b: number
}
const step = fc.record<Step>({
  kind: fc.constantFrom(
    'add',
    'add',
    'trash',
    'restore',
    'purge',
    'type',
    'tags',
    'date',
    'collect',
    'discard',
    'fold',
  ),
  a: fc.nat(20),
  b: fc.nat(5),
})
const types = ['image', 'video', 'audio', 'document', 'font', 'other']

async function take({ kind, a, b }: Step): Promise<void> {
  const { database } = library
  const some = sql`id % 7 = ${a % 7}`
  switch (kind) {
    case 'add':
      await library.add({
        tags: [`t${a % 4}`, `T${b}`],
        sortDate: `20${10 + b}-0${1 + (a % 9)}-01T00:00:00Z`,
        sizeBytes: a,
        ...(b === 0 ? { collectionId: 1 } : {}),
      })
      break
    case 'trash':
      await database.run(sql`update asset set trashed_at = now() where ${some} and trashed_at is null`)
      break
    case 'restore':
      await database.run(sql`update asset set trashed_at = null where ${some}`)
      break
    case 'purge':
      await database.run(sql`delete from asset where ${some} and trashed_at is not null`)
      break
    case 'type':
      await database.run(sql`update asset set type = ${types[b]} where ${some}`)
      break
    case 'tags':
      await database.run(sql`update asset set tags = array['t9', ${`t${b}`}] where ${some}`)
      break
    case 'date':
      await database.run(sql`update asset set sort_date = sort_date + ${b} * interval '20 days' where ${some}`)
      break
    case 'collect':
      await database.run(
        sql`insert into collection_asset (collection_id, asset_id) select 1, id from asset where ${some} on conflict do nothing`,
      )
      break
    case 'discard':
      await database.run(sql`delete from collection_asset where asset_id % 7 = ${b}`)
      break
    case 'fold':
      await foldTally(database)
      break
  }
}

const counted = sql`
  select 'type' as scope, type as key, count(*) as n from asset where trashed_at is null group by type
  union all select 'bytes', type, sum(size_bytes)::bigint from asset where trashed_at is null group by type
  union all select 'trash', '', count(*) from asset where trashed_at is not null having count(*) > 0
  union all select 'month', to_char(sort_date at time zone 'UTC', 'YYYY-MM'), count(*) from asset where trashed_at is null group by 2
  union all select 'tag', lower(t), count(*) from asset, unnest(tags) t where trashed_at is null group by 2
  union all select 'collection', collection_id::text, count(*) from collection_asset group by 2`

test('the stored totals equal a count of the rows after any changes, folded or not', async () => {
  const { database } = library
  await database.run(sql`insert into collection (id, name) overriding system value values (1, 'one')`)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      for (const one of steps) await take(one)
      const differences = await database.rows(sql`
        with truth as (${counted}), stored as (select scope, key, sum(delta) as n from asset_tally group by scope, key having sum(delta) <> 0)
        select * from truth full join stored using (scope, key) where coalesce(truth.n, 0) <> coalesce(stored.n, 0)`)
      expect(differences).toEqual([])
    }),
    { numRuns: 15 },
  )
  await foldTally(database)
  expect(
    await database.row(sql`select max(n) as most from (select count(*) as n from asset_tally group by scope, key) k`),
  ).toEqual({ most: 1 })
})

test('folding while others write loses no change', async () => {
  const { database } = library
  const before = (await library.ask('viewer', 'GET', '/dam/assets/')).body.count
  const writers = Array.from({ length: 4 }, async () => {
    for (let n = 0; n < 15; n++) await library.add({})
  })
  const folder = (async () => {
    for (let n = 0; n < 25; n++) await foldTally(database)
  })()
  await Promise.all([...writers, folder])
  expect((await library.ask('viewer', 'GET', '/dam/assets/')).body.count).toBe(before + 60)
  const rows = await database.row<{ n: number }>(sql`select count(*) as n from asset where trashed_at is null`)
  expect(rows?.n).toBe(before + 60)
})

test('months are listed newest first and add up to the library', async () => {
  const months = await monthCounts(library.database)
  expect(months.map(({ month }) => month)).toEqual(
    months
      .map(({ month }) => month)
      .toSorted()
      .toReversed(),
  )
  const { body } = await library.ask('viewer', 'GET', '/dam/assets/dates/')
  expect(body.results).toEqual(months)
  const total = (await library.ask('viewer', 'GET', '/dam/assets/')).body.count
  expect(months.reduce((sum, { asset_count }) => sum + asset_count, 0)).toBe(total)
})
