import { expect, test } from 'vitest'
import { scratchStore } from '../testing/scratch-store.ts'
import type { Message, Severity } from './message.ts'
import { claimEntry, dueEntries, enqueue, listOutbox, markRetry, markSent } from './outbox-store.ts'

const now = new Date('2026-01-01T00:00:00Z')
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000)
const message = (severity: Severity | null): Message => ({
  event: 'incident-opened',
  subject: `incident:${severity ?? 0}`,
  severity,
  title: 'title',
  text: 'text',
  facts: [],
  links: [],
  environment: 'production',
  isResolution: false,
  at: now.toISOString(),
})

test('a message is put in once for each channel, the most urgent first', () => {
  using store = scratchStore()
  // The second P0 is the same message again.
  for (const severity of ['P3', 'P0', 'P0'] as const)
    enqueue(store, message(severity), { channels: ['pagerduty', 'slack:#dam-oncall'], key: 'opened', now })
  expect(
    ['pagerduty', 'slack:#dam-oncall']
      .flatMap((channel) => dueEntries(store, now, { channel, limit: 10 }))
      .map((entry) => `${entry.subject} ${entry.channel}`),
  ).toEqual([
    'incident:P0 pagerduty',
    'incident:P3 pagerduty',
    'incident:P0 slack:#dam-oncall',
    'incident:P3 slack:#dam-oncall',
  ])
})

test('an entry has one sender at a time, and another after the first died', () => {
  using store = scratchStore()
  enqueue(store, message('P0'), { channels: ['pagerduty'], key: 'opened', now })
  const [entry] = dueEntries(store, now, { channel: 'pagerduty', limit: 1 })
  if (!entry) throw new Error('nothing is due')
  expect(claimEntry(store, entry, later(30))).toBe(true)
  expect(claimEntry(store, entry, later(30))).toBe(false)
  expect(dueEntries(store, later(29), { channel: 'pagerduty', limit: 1 })).toEqual([])
  const [again] = dueEntries(store, later(31), { channel: 'pagerduty', limit: 1 })
  expect(again).toMatchObject({ attempts: 1, state: 'sending' })
  if (!again) throw new Error('nothing is due')
  expect(claimEntry(store, again, later(60))).toBe(true)
  markRetry(store, again.id, { outcome: '503', nextAt: later(40), mayHaveArrived: false })
  expect(dueEntries(store, later(40), { channel: 'pagerduty', limit: 1 })).toHaveLength(1)
  markSent(store, again.id, '202', later(41))
  expect(dueEntries(store, later(99), { channel: 'pagerduty', limit: 1 })).toEqual([])
  expect(listOutbox(store, { limit: 5 })).toMatchObject([{ state: 'sent', outcome: '202', attempts: 2 }])
})
