import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readPolicy } from '../policy/read-policy.ts'
import { openStore, type Store } from '../store.ts'
import { deleteOldAnalyses, findAnalysis, listCounts } from './analysis-store.ts'
import { askJudge, type Question } from './ask-judge.ts'

let folder: string
let store: Store

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-judge-'))
  store = openStore(folder, { durability: 'none' })
})
afterEach(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

const start = Date.parse('2026-03-01T10:00:00Z')
const { policy } = readPolicy()
type Counts = { total: number; bad: number; slow: number }
const clean = (total: number): Counts => ({ total, bad: 0, slow: 0 })

/** Asks every ten seconds as Argo Rollouts does. */
async function looks(id: string, times: number, fresh: (look: number) => Counts, more: Partial<Question> = {}) {
  let answer: Awaited<ReturnType<typeof askJudge>> | undefined
  for (let look = 0; look < times; look++) {
    const counts = { fresh: fresh(look), control: clean(10) }
    const now = new Date(start + look * 10_000)
    answer = await askJudge(
      { store, policy, prometheusUrl: undefined },
      id,
      { release: 'v1.1.0', counts, ...more },
      now,
    )
    if (answer.verdict === 'good' || answer.verdict === 'bad') return { answer, look }
  }
  if (!answer) throw new Error('no look was asked for')
  return { answer, look: times - 1 }
}

test('calls of one analysis add up, and "good" is said at the end of the bake only', async () => {
  const { answer, look } = await looks('v1.1.0-abc', 200, () => clean(50))
  expect(answer.verdict).toBe('good')
  expect(look * 10).toBe(900)
  expect(answer.sums.errors).toMatchObject({ requests: 91 * 50, failures: 0 })
  expect(answer.control).toEqual({ requests: 910, bad: 0, slow: 0 })
})

test('sums survive a restart of the ops process', async () => {
  await looks('a', 3, () => clean(50))
  store.close()
  store = openStore(folder, { durability: 'none' })
  const { answer } = await looks('a', 1, () => clean(50))
  expect(answer.sums.errors.requests).toBe(200)
})

test('a release that fails is bad within a few looks, and stays bad', async () => {
  const { answer, look } = await looks('v1.1.0-abc', 50, () => ({ total: 50, bad: 10, slow: 0 }))
  expect(answer).toMatchObject({ verdict: 'bad', because: expect.stringContaining('error-rate: ') })
  expect(look).toBeLessThanOrEqual(4)
  const later = await askJudge(
    { store, policy, prometheusUrl: undefined },
    'v1.1.0-abc',
    { release: 'v1.1.0', counts: { fresh: clean(5_000) } },
    new Date(start + 5 * 3_600_000),
  )
  expect(later).toEqual(answer)
})

test('both releases bad is the environment', async () => {
  const worse = { total: 50, bad: 20, slow: 0 }
  const { answer } = await looks('a', 6, () => worse, { counts: { fresh: worse, control: worse } })
  expect(answer.verdict).toBe('environment')
})

test('silence is inconclusive, however long it lasts', async () => {
  const { answer } = await looks('a', 200, () => clean(0))
  expect(answer).toMatchObject({ verdict: 'inconclusive', because: expect.stringContaining('silence') })
})

test('an analysis that was good or given up begins anew an hour later', async () => {
  await looks('a', 200, () => clean(50))
  const again = await askJudge(
    { store, policy, prometheusUrl: undefined },
    'a',
    { release: 'v1.1.0', counts: { fresh: clean(7) } },
    new Date(start + 3 * 3_600_000),
  )
  expect(again).toMatchObject({ verdict: 'inconclusive', sums: { errors: { requests: 7 } } })
})

test('one id judges one release', async () => {
  await looks('a', 1, () => clean(50))
  await expect(looks('a', 1, () => clean(50), { release: 'v9.9.9' })).rejects.toThrow(/judges v1.1.0 by counts/)
})

test('Prometheus that does not answer leaves the verdict open and is named', async () => {
  const deps = { store, policy, prometheusUrl: 'http://127.0.0.1:9' }
  const answer = await askJudge(deps, 'a', { release: 'v1.1.0' }, new Date(start))
  expect(answer.verdict).toBe('inconclusive')
  expect(answer.unknown.at(-1)).toMatch(/^requests: /)
  const without = askJudge({ ...deps, prometheusUrl: undefined }, 'b', { release: 'v1.1.0' }, new Date(start))
  await expect(without).rejects.toThrow(/DAM_PROMETHEUS_URL/)
})

test('analyses are cleared away after 35 days, but those of bad releases', async () => {
  await looks('fine', 3, () => clean(50))
  await looks('bad', 50, () => ({ total: 50, bad: 25, slow: 0 }))
  deleteOldAnalyses(store, new Date(start + 34 * 86_400_000))
  expect(findAnalysis(store, 'fine')).toBeDefined()
  deleteOldAnalyses(store, new Date(start + 36 * 86_400_000))
  expect(findAnalysis(store, 'fine')).toBeUndefined()
  expect(listCounts(store, 'fine', 'fresh')).toEqual([])
  expect(findAnalysis(store, 'bad')).toMatchObject({ verdict: 'bad' })
})
