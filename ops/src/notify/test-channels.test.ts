import { readSettings } from '@dam/platform/settings'
import { expect, test } from 'vitest'
import { listIncidents } from '../incidents/incident-store.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { scratchStore } from '../testing/scratch-store.ts'
import { notifySettings } from './notify-settings.ts'
import { lastOf, listOutbox, retryDead } from './outbox-store.ts'
import { openChannels } from './start-sender.ts'
import { channelsOf, testChannel } from './test-channels.ts'
import { httpReceiver } from './testing/fake-receivers.ts'

test('a test of PagerDuty wakes nobody, keeps its proof, and a failure is an incident until the next success', async () => {
  await using http = await httpReceiver()
  using store = scratchStore()
  await using channels = openChannels(
    readSettings(notifySettings, { DAM_PAGERDUTY_KEY: 'a'.repeat(32), DAM_PAGERDUTY_URL: http.url }).values,
    'http://localhost:8081',
  )
  let second = 0
  const deps = {
    store,
    channels,
    modeOf: () => 'live' as const,
    now: () => new Date(Date.parse('2026-01-01T09:00:00Z') + 1_000 * second++),
    signal: new AbortController().signal,
  }
  http.next.push({ status: 400, body: 'invalid key' })
  expect(await testChannel('pagerduty', deps)).toMatchObject({ result: 'failed', detail: '400 invalid key' })
  expect(listIncidents(store, { state: 'unresolved', limit: 9 })).toMatchObject([
    { severity: 'P2', title: 'pagerduty takes no messages' },
  ])
  expect(lastOf(store, 'pagerduty', 'dead')?.outcome).toBe('400 invalid key')
  expect(await testChannel('pagerduty', deps)).toMatchObject({ result: 'delivered' })
  expect(http.received.map(({ body }) => body)).toMatchObject([{ event_action: 'resolve' }])
  expect(listIncidents(store, { state: 'unresolved', limit: 9 })).toEqual([])
  expect(lastOf(store, 'pagerduty', 'sent')?.outcome).toContain('202')
  const [dead] = listOutbox(store, { state: 'dead', limit: 1 })
  expect(retryDead(store, dead?.id ?? 0, { who: 'anna', now: deps.now() })).toBe(true)
  expect(retryDead(store, dead?.id ?? 0, { who: 'anna', now: deps.now() })).toBe(false)
})

test('a channel that is not set up says which setting is missing and is no failure', async () => {
  using store = scratchStore()
  await using channels = openChannels(readSettings(notifySettings, {}).values, 'http://localhost:8081')
  const { policy } = readPolicy()
  for (const address of channelsOf(policy)) {
    const tested = await testChannel(address, {
      store,
      channels,
      modeOf: () => 'live',
      now: () => new Date(),
      signal: new AbortController().signal,
    })
    expect(tested).toMatchObject({ result: 'not set up' })
    expect(tested.detail).toMatch(/DAM_[A-Z_]+/)
  }
  expect(listIncidents(store, { state: 'all', limit: 9 })).toEqual([])
})
