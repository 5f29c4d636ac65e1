import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@dam/platform/log'
import { expect, test } from 'vitest'
import { scratchStore } from '../testing/scratch-store.ts'
import { claimJob, finishJob, listJobs, planJob } from './job-store.ts'
import { every, startScheduler } from './scheduler.ts'

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const at = (text: string): Date => new Date(`2025-01-27T${text}Z`)

test('a job that was missed while nothing ran is done once, then in its rhythm', async () => {
  using store = scratchStore()
  planJob(store, 'backup', at('02:00:00'))
  let runs = 0
  let now = at('09:00:00')
  const job = {
    name: 'backup',
    next: every(3_600_000),
    boundMs: 60_000,
    run: async () => {
      runs += 1
    },
  }
  await using _scheduler = startScheduler({ store, jobs: [job], log: silent, now: () => now })
  await expect.poll(() => runs, { timeout: 10_000 }).toBe(1)
  await expect.poll(() => listJobs(store)[0]?.dueAt).toBe(at('10:00:00').toISOString())
  now = at('10:00:01')
  await expect.poll(() => runs, { timeout: 10_000 }).toBe(2)
})

test('of two runners one has a job; when it dies the other takes over after the bound', () => {
  using store = scratchStore()
  planJob(store, 'drill', at('02:00:00'))
  const claim = (runner: string, now: Date) => claimJob(store, { name: 'drill', runner, now, boundMs: 60_000 })
  expect(claim('a', at('02:00:00'))).toBe(true)
  expect(claim('b', at('02:00:30'))).toBe(false)
  expect(claim('b', at('02:01:01'))).toBe(true)
  const end = { name: 'drill', dueAt: at('03:00:00'), outcome: 'ok', now: at('02:02:00') }
  expect(finishJob(store, { ...end, runner: 'a' })).toBe(0)
  expect(finishJob(store, { ...end, runner: 'b' })).toBe(1)
  expect(claim('a', at('02:59:59'))).toBe(false)
})

test('a failure is the outcome of a job and does not end its rhythm', async () => {
  using store = scratchStore()
  const job = {
    name: 'heartbeat',
    next: every(0),
    boundMs: 60_000,
    run: async () => {
      await sleep(1)
      throw new Error('nobody answers')
    },
  }
  await using _scheduler = startScheduler({ store, jobs: [job], log: silent, now: () => new Date() })
  await expect.poll(() => listJobs(store)[0]?.lastOutcome, { timeout: 10_000 }).toBe('nobody answers')
  expect(listJobs(store)[0]?.runner).toBe('')
})
