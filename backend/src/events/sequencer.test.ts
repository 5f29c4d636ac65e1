import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DamEvent } from '@dam/contract'
import { openDatabase, type Database } from '@dam/platform/database'
import { testDatabase, type TestDatabase } from '@dam/platform/testing/database'
import { openHub } from './hub.ts'
import { recordEvents } from './record.ts'

let own: TestDatabase
let database: Database
beforeAll(async () => {
  own = await testDatabase()
  database = openDatabase({ connectionString: own.connectionString, applicationName: 'test', maxConnections: 16 })
})
afterAll(async () => {
  await database.end()
  await own[Symbol.asyncDispose]()
})

test('two processes that read by number miss no event, whatever order transactions commit in', async () => {
  const hubs = await Promise.all([openHub(database, failed), openHub(database, failed)])
  const seen: DamEvent[][] = [[], []]
  hubs.forEach((hub, n) => hub.subscribe((events) => seen[n]?.push(...events)))
  await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      database.transaction(async (tx) => {
        await recordEvents(tx, [{ kind: 'asset.updated', assetId: n, data: { n } }])
        await new Promise((resolve) => setTimeout(resolve, (n * 7919) % 60))
      }),
    ),
  )
  const deadline = Date.now() + 10_000
  while (seen.some((events) => events.length < 60) && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20))
  for (const events of seen) {
    expect(new Set(events.map((event) => event.asset_id)).size).toBe(60)
    expect(events).toHaveLength(60)
    expect(events.map((event) => event.seq)).toEqual(events.map((event) => event.seq).toSorted((a, b) => a - b))
  }
  await Promise.all(hubs.map((hub) => hub.stop()))
})

const failed = (error: unknown): void => {
  throw error
}
