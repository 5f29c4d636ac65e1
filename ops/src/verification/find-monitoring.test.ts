import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { saveAlert } from '../alerts/alert-store.ts'
import { restingState } from '../alerts/alert-rule.ts'
import { heartbeatFile } from '../dead-man/heartbeat-file.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { addSample } from '../signals/sample-store.ts'
import { emptySample } from '../signals/sample.ts'
import { openStore, type Store } from '../store.ts'
import { findMonitoring } from './find-monitoring.ts'

const now = new Date('2026-01-05T10:00:00Z')
const before = (seconds: number): Date => new Date(now.getTime() - seconds * 1000)
const { policy } = readPolicy()
let dir: string
let store: Store
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'dam-monitoring-'))
  mkdirSync(dir, { recursive: true })
  store = openStore(dir, { durability: 'none' })
})
afterEach(() => {
  store.close()
  rmSync(dir, { recursive: true, force: true })
})

const find = () => findMonitoring({ store, policy, environment: 'staging', opsDir: dir, now })
const beat = (at: Date): void => writeFileSync(heartbeatFile(dir), JSON.stringify({ at: at.toISOString(), pid: 1 }))
const see = (total: number, bad: number): void =>
  addSample(store, 'staging', before(10), { ...emptySample(), requests: { total, bad } })

test('healthy is said only while somebody watches', () => {
  expect(find()).toMatchObject({ state: 'unknown', evidence: expect.stringContaining('ever') as string })
  see(1_000, 0)
  beat(before(600))
  expect(find()).toMatchObject({ state: 'unknown', evidence: expect.stringContaining('for 10 minutes') as string })
  beat(before(5))
  expect(find()).toMatchObject({ state: 'pass', evidence: expect.stringContaining('Error rate 0') as string })
})

test('an engine that does not look at this environment knows nothing of it', () => {
  beat(before(5))
  addSample(store, 'production', before(10), emptySample())
  expect(find()).toMatchObject({ state: 'unknown', evidence: expect.stringContaining('staging') as string })
})

test('an alert that fires is named, one of another environment is not ours', () => {
  beat(before(5))
  see(1_000, 0)
  const state = { ...restingState(now), phase: 'firing' as const, firingSince: '2026-01-05T09:58:00.000Z' }
  saveAlert(store, { environment: 'production', rule: 'system-down', state, incidentId: null })
  expect(find().state).toBe('pass')
  saveAlert(store, { environment: 'staging', rule: 'error-rate-critical', state, incidentId: null })
  expect(find()).toEqual({ state: 'fail', evidence: 'firing: error-rate-critical since 2026-01-05T09:58:00.000Z' })
})

test('a key metric beyond its target fails, one with few requests is said to be silent', () => {
  beat(before(5))
  see(10, 5)
  expect(find()).toMatchObject({ state: 'pass', evidence: expect.stringContaining('too few requests') as string })
  see(990, 5)
  expect(find()).toMatchObject({ state: 'fail', evidence: 'Error rate 0.01 (target below 0.001)' })
})
