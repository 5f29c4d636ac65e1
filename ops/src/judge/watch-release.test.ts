import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import type { Slot } from '../deployments/deployment.ts'
import { latencyBoundsMs, type OutcomeBucket, type Outcomes } from '../front/front-api.ts'
import { readNewErrors } from './new-errors.ts'
import { type ReleaseWatch, watchRelease } from './watch-release.ts'

const cutOverAt = new Date('2026-01-05T10:00:00Z')
const second = cutOverAt.getTime() / 1000
const endsAt = new Date(cutOverAt.getTime() + 900_000)
const at = (seconds: number): Date => new Date(cutOverAt.getTime() + seconds * 1000)

let database: TestDatabase
let server: Server
let isReady = true
beforeAll(async () => {
  database = await testDatabase()
  server = createServer((_, response) => response.writeHead(isReady ? 200 : 503).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.close()
  await database[Symbol.asyncDispose]()
})

const query = async (text: string): Promise<void> => {
  const client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
const bucket = (more: Partial<OutcomeBucket>): OutcomeBucket => ({
  second,
  slot: 'production-2',
  tag: 'v1.1.0',
  routeClass: 'api',
  isSynthetic: false,
  total: 10,
  bad: 0,
  slow: 0,
  clientError: 0,
  throttled: 0,
  aborted: 0,
  latency: [10, ...latencyBoundsMs.map(() => 0)],
  ...more,
})
const slot = (id: string): Slot => ({
  id,
  environment: 'production',
  digest: 'd',
  tag: id === 'production-2' ? 'v1.1.0' : 'v1.0.0',
  releaseDir: '/releases/x',
  port: (server.address() as AddressInfo).port,
  desiredWeb: 'running',
  desiredWorker: 'running',
  fencingToken: 1,
  createdAt: cutOverAt.toISOString(),
  observed: null,
})

let told: Outcomes
let watch: ReleaseWatch
beforeEach(() => {
  isReady = true
  told = { seq: 1, buckets: [], badRequests: [] }
  watch = watchRelease({
    front: { outcomes: async () => told },
    readSlot: slot,
    freshSlot: 'production-2',
    controlSlot: 'production-1',
    cutOverAt,
    connectionString: database.connectionString,
    syntheticSecret: 'secret',
  })
})
afterEach(() => watch.stop())

test('a bucket that grows is counted once', async () => {
  told.buckets = [bucket({ total: 4, bad: 4 })]
  await watch.look(at(1), { endsAt })
  told = {
    seq: 2,
    buckets: [bucket({ total: 6, bad: 6 }), bucket({ second: second + 1, total: 6, bad: 6 })],
    badRequests: [],
  }
  const { judgement, trace } = await watch.look(at(2), { endsAt })
  expect(trace.errors.sum).toMatchObject({ requests: 12, failures: 12 })
  expect(judgement).toMatchObject({ verdict: 'bad', because: 'error-rate' })
})

test('our own journeys count only once the bake was topped up', async () => {
  told.buckets = [bucket({ isSynthetic: true, total: 200 })]
  expect((await watch.look(at(900), { endsAt })).judgement.verdict).toBe('inconclusive')
  expect((await watch.look(at(900), { endsAt, isToppedUp: true })).judgement.verdict).toBe('good')
})

test('a release that is not ready three times in a row is bad, unless the old one is not ready either', async () => {
  isReady = false
  await expect
    .poll(async () => (await watch.look(at(5), { endsAt })).judgement.verdict, { timeout: 10_000 })
    .toBe('environment')
})

test('a front that does not answer is said to be unknown and decides nothing', async () => {
  watch.stop()
  watch = watchRelease({
    front: { outcomes: () => Promise.reject(new Error('nobody there')) },
    readSlot: slot,
    freshSlot: 'production-2',
    controlSlot: null,
    cutOverAt,
    connectionString: database.connectionString,
    syntheticSecret: 'secret',
  })
  const { judgement, unknown } = await watch.look(at(2), { endsAt })
  expect(judgement.verdict).toBe('inconclusive')
  expect(unknown).toContain('requests: nobody there')
})

test('an error is new when no other release has had it', async () => {
  await query(`
    alter table error_log add column if not exists release text, add column if not exists fingerprint text,
      add column if not exists is_fatal boolean not null default false;
    insert into error_log ("timestamp", level, code, message, process, release, fingerprint, is_fatal, user_id)
    select '${at(1).toISOString()}', 'ERROR', 'crash', message, 'web', release, fingerprint, true, user_id
    from (values ('new', 'v1.1.0', 'a', 1), ('new', 'v1.1.0', 'a', 2), ('known', 'v1.1.0', 'b', 1), ('known', 'v1.0.0', 'b', 1),
                 ('ours before releases were noted', 'v1.1.0', 'c', 1), ('ours before releases were noted', null, 'c', 1))
      as given (message, release, fingerprint, user_id)`)
  const asked = { connectionString: database.connectionString, tag: 'v1.1.0', since: cutOverAt }
  expect(await readNewErrors(asked)).toMatchObject({
    databaseAnswers: true,
    errors: [{ fingerprint: 'a', isFatal: true, events: 2, users: 2 }],
  })
  expect((await watch.look(at(2), { endsAt })).judgement).toMatchObject({ verdict: 'bad', because: 'critical-error' })
})

test('a database that does not answer is told from one that answers something else', async () => {
  const asked = { tag: 'v1.1.0', since: cutOverAt, timeoutMs: 500 }
  const nowhere = 'postgresql://127.0.0.1:9/dam'
  expect(await readNewErrors({ ...asked, connectionString: nowhere })).toMatchObject({
    databaseAnswers: false,
    errors: null,
  })
  await using empty = await testDatabase({ empty: true })
  expect(await readNewErrors({ ...asked, connectionString: empty.connectionString })).toMatchObject({
    databaseAnswers: true,
    errors: null,
  })
})
