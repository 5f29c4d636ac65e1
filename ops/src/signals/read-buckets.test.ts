import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore, type Store } from '../store.ts'
import { openBucketReader } from './read-buckets.ts'
import { emptySample } from './sample.ts'
import { addSample, foldSamples } from './sample-store.ts'

let folder: string
let store: Store
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-buckets-'))
  store = openStore(folder, { durability: 'none' })
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const hourMs = 3_600_000
const seen = (total: number, bad: number) => ({ ...emptySample(), requests: { total, bad } })

test('long buckets add up what fine steps and folded minutes say, and a gap is a gap', async () => {
  const end = Math.floor(Date.now() / (2 * hourMs)) * 2 * hourMs
  for (const hoursAgo of [9.5, 9.2, 8.5, 1.5]) addSample(store, 'local', new Date(end - hoursAgo * hourMs), seen(10, 1))
  foldSamples(store, new Date(end))
  const read = openBucketReader(store)
  const range = { environment: 'local', from: end - 10 * hourMs, until: end, bucketMs: 2 * hourMs }
  const totals = (await read(range)).map(({ sample }) => sample?.requests.total ?? null)
  expect(totals).toEqual([30, null, null, null, 10])
  // What is settled is remembered; what is new is read again.
  addSample(store, 'local', new Date(end - 1.4 * hourMs), seen(5, 0))
  expect((await read(range)).map(({ sample }) => sample?.requests.total ?? null)).toEqual([30, null, null, null, 15])
})

test('short buckets hold the steps that began in them', async () => {
  const end = Math.floor(Date.now() / 60_000) * 60_000
  for (const secondsAgo of [110, 70, 50, 10]) addSample(store, 'local', new Date(end - secondsAgo * 1_000), seen(1, 0))
  const read = openBucketReader(store)
  const buckets = await read({ environment: 'local', from: end - 120_000, until: end, bucketMs: 60_000 })
  expect(buckets.map(({ sample }) => sample?.requests.total ?? null)).toEqual([2, 2])
})
