import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import { latencyBoundsMs, type OutcomeBucket } from '../front/front-api.ts'
import { parsePrometheusText } from '../signals/prometheus-text.ts'
import {
  durationsOfOutcomes,
  findFeedback,
  findHealth,
  findNewErrors,
  findPerformance,
  findSmoke,
} from './find-facts.ts'

let database: TestDatabase
let server: Server
let bodies: Record<string, unknown>
beforeAll(async () => {
  database = await testDatabase()
  server = createServer((request, response) => response.end(JSON.stringify(bodies[request.url ?? ''])))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.close()
  await database[Symbol.asyncDispose]()
})

test('the journey is told by its length, or by the step at which it ended', () => {
  const step = (name: string, message = '') => ({ name, ok: message === '', tookMs: 10, message })
  const journey = { ok: true, startedAt: '', tookMs: 1_500 }
  expect(findSmoke({ ...journey, steps: [step('health'), step('sign in')] })).toEqual({
    state: 'pass',
    evidence: '2 steps in 1.5 s',
  })
  expect(findSmoke({ ...journey, ok: false, steps: [step('health'), step('search', 'found nothing')] })).toEqual({
    state: 'fail',
    evidence: 'search: found nothing',
  })
})

test('only kinds of error that were not there before the cut-over count, those of the journey too', async () => {
  const client = new pg.Client({ connectionString: database.connectionString })
  await client.connect()
  const log = (at: string, message: string, fingerprint: string | null): Promise<unknown> =>
    client.query(
      `insert into error_log ("timestamp", level, code, message, process, fingerprint) values ($1, 'ERROR', 'some', $2, 'web', $3)`,
      [at, message, fingerprint],
    )
  const cutOver = new Date('2026-01-05T10:00:00Z')
  const find = () => findNewErrors(database.connectionString, cutOver)
  await log('2026-01-05T09:00:00Z', 'disk is slow 1', 'aaaa')
  await log('2026-01-05T10:01:00Z', 'disk is slow 2', 'aaaa')
  // From a release that did not know fingerprints.
  await log('2026-01-05T09:00:00Z', 'old words', null)
  await log('2026-01-05T10:01:00Z', 'old words', null)
  expect(await find()).toEqual({ state: 'pass', evidence: 'no new kind of error since 2026-01-05T10:00Z' })
  await log('2026-01-05T10:02:00Z', 'cannot read property', 'bbbb')
  await log('2026-01-05T10:03:00Z', 'cannot read property', 'bbbb')
  expect(await find()).toEqual({ state: 'fail', evidence: 'since 2026-01-05T10:00Z: cannot read property (2)' })
  await client.end()
})

test('a log that cannot be read is not known, never clean', async () => {
  const finding = await findNewErrors('postgres://nobody@127.0.0.1:9/none', new Date())
  expect(finding.state).toBe('unknown')
  expect(finding.evidence).toContain('error_log cannot be read')
})

test('what people say counts from five of them on; until then a person is asked', () => {
  const find = (ratio: string, people: number) =>
    findFeedback(parsePrometheusText(`dam_satisfaction_ratio ${ratio}\ndam_satisfaction_people ${people}\n`), 0.8)
  expect(find('0.9', 10)).toEqual({ state: 'pass', evidence: '90 % of 10 people rate it 4 or 5 of 5, target 80 %' })
  expect(find('0.6', 10)?.state).toBe('fail')
  expect(find('0', 4)).toBeUndefined()
  expect(find('NaN', 0)).toBeUndefined()
  expect(findFeedback([], 0.8)).toBeUndefined()
})

const bucket = (latency: number[], more: Partial<OutcomeBucket> = {}): OutcomeBucket => ({
  second: 1,
  slot: 'staging-1',
  tag: 'v1.0.0',
  routeClass: 'api',
  isSynthetic: false,
  total: 100,
  bad: 0,
  slow: 0,
  clientError: 0,
  throttled: 0,
  aborted: 0,
  latency,
  ...more,
})
const latencyOf = (fast: number, slow: number): number[] =>
  [...latencyBoundsMs, Infinity].map((bound) => (bound === 10 ? fast : bound === 1000 ? slow : 0))

test('p95 of pages and API is held against its target, and few requests say nothing', () => {
  const find = (...buckets: OutcomeBucket[]) => findPerformance(durationsOfOutcomes(buckets), 500, 'today').state
  expect(find(bucket(latencyOf(96, 4)))).toBe('pass')
  expect(find(bucket(latencyOf(94, 6)))).toBe('fail')
  expect(find(bucket(latencyOf(96, 4)), bucket(latencyOf(0, 96), { routeClass: 'upload' }))).toBe('pass')
  expect(find(bucket(latencyOf(3, 0)))).toBe('unknown')
})

test('the health check wants the bodies of the runbook, the version that should serve and no dependency away', async () => {
  const find = (version?: string) =>
    findHealth(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { version })
  const good = {
    '/health': { status: 'healthy', version: '1.1.0', timestamp: '2026-01-05T10:00:00Z' },
    '/api/health': { status: 'healthy', database: 'connected', cache: 'connected', version: '1.1.0' },
  }
  bodies = good
  expect((await find()).state).toBe('pass')
  expect((await find('1.1.0')).state).toBe('pass')
  expect((await find('1.2.0')).evidence).toContain('expected version 1.2.0')
  bodies = { ...good, '/api/health': { ...good['/api/health'], cache: 'disconnected' } }
  expect((await find()).evidence).toContain('/api/health: 200')
  bodies = { ...good, '/health': { status: 'healthy', version: '1.1.0' } }
  expect((await find()).state).toBe('fail')
  expect((await findHealth('http://127.0.0.1:9')).state).toBe('fail')
})
