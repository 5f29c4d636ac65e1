import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { latencyBoundsMs, type OutcomeBucket } from '../front/front-api.ts'
import { openStore, type Store } from '../store.ts'
import { attest, validAttestations } from './attestation-store.ts'
import type { Finding } from './checklist.ts'
import { evaluateChecklist, exitCodeOf } from './evaluate-checklist.ts'
import { findErrorRate, findHealth, findPerformance } from './find-facts.ts'

const dir = mkdtempSync(path.join(tmpdir(), 'dam-checklist-'))
let store: Store
beforeAll(() => {
  store = openStore(dir)
})
afterAll(() => {
  store.close()
  rmSync(dir, { recursive: true, force: true })
})

const now = new Date('2026-01-05T10:00:00Z')
const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000)
const pass: Finding = { state: 'pass', evidence: 'seen' }
const known = { smoke: pass, performance: pass, logs: pass }

test('what only a person can know waits for that person, and expires', () => {
  const subject = 'environment:staging'
  const at = (moment: Date) =>
    exitCodeOf(evaluateChecklist('staging', known, validAttestations(store, subject, moment)))
  expect(at(now)).toBe(2)
  attest(store, subject, { item: 'features', by: 'Anna', note: 'clicked through all', expiresAt: later(7) }, now)
  expect(at(now)).toBe(0)
  expect(at(later(8))).toBe(2)
  expect(store.rows('select action from audit')).toEqual([{ action: 'attested' }])
})

test('a failure a machine found stands whatever a person says; what it does not know a person may', () => {
  const word = new Map([
    ['logs', { item: 'logs', by: 'Anna', note: 'read them', at: '', expiresAt: later(7).toISOString() }],
  ])
  const stateOf = (finding: Finding) =>
    evaluateChecklist('staging', { logs: finding }, word).find(({ item }) => item === 'logs')?.state
  expect(stateOf({ state: 'fail', evidence: 'TypeError' })).toBe('fail')
  expect(stateOf({ state: 'unknown', evidence: 'no database' })).toBe('attested')
})

test('unknown is never a pass', () => {
  expect(
    exitCodeOf(evaluateChecklist('staging', { ...known, logs: { state: 'unknown', evidence: '' } }, new Map())),
  ).toBe(1)
})

test('an attestation without a name, a note or a future is refused', () => {
  for (const wrong of [{ by: '' }, { note: ' ' }, { expiresAt: now }]) {
    const given = { item: 'features', by: 'Anna', note: 'seen', expiresAt: later(1), ...wrong }
    expect(() => attest(store, 'environment:staging', given, now)).toThrow('attestation')
  }
})

const bucket = (more: Partial<OutcomeBucket>): OutcomeBucket => ({
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
  latency: latencyBoundsMs.map(() => 0),
  ...more,
})
const latencyOf = (fast: number, slow: number): number[] => [fast, 0, 0, 0, 0, 0, slow, 0, 0, 0, 0]

test('p95 and error rate are held against the targets of the runbook, and few requests say nothing', () => {
  expect(findPerformance([bucket({ latency: latencyOf(96, 4) })]).state).toBe('pass')
  expect(findPerformance([bucket({ latency: latencyOf(94, 6) })]).state).toBe('fail')
  expect(findPerformance([bucket({ latency: latencyOf(3, 0) })]).state).toBe('unknown')
  expect(findErrorRate([bucket({ total: 5_000, bad: 4 })]).state).toBe('pass')
  expect(findErrorRate([bucket({ total: 5_000, bad: 6 })]).state).toBe('fail')
  expect(findErrorRate([bucket({ isSynthetic: true })]).state).toBe('unknown')
})

test('a health check that nobody answers fails', async () => {
  expect((await findHealth('http://127.0.0.1:9')).state).toBe('fail')
})
