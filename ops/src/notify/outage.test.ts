import { createServer, type Server } from 'node:net'
import { readSettings } from '@dam/platform/settings'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { scratchStore } from '../testing/scratch-store.ts'
import type { Channel, Delivery } from './channel.ts'
import type { Message, Severity } from './message.ts'
import { notifySettings } from './notify-settings.ts'
import { enqueue, listOutbox } from './outbox-store.ts'
import { type Destinations, sendDue, type SenderDeps } from './send-outbox.ts'
import { openChannels, startSender } from './start-sender.ts'
import { httpReceiver } from './testing/fake-receivers.ts'
import { readPolicy } from '../policy/read-policy.ts'

let store: ReturnType<typeof scratchStore>
let now: Date
let destinations: Destinations
let taken: { channel: string; subject: string; event: string; at: number }[]
/** What the destinations of a kind answer now. */
let answers: Record<string, () => Delivery>
let asked: Record<string, number>

beforeEach(() => {
  store = scratchStore()
  now = new Date('2026-01-01T00:00:00Z')
  destinations = new Map()
  taken = []
  answers = {}
  asked = {}
})
afterEach(() => store[Symbol.dispose]())

const refused: Delivery = { ok: false, retry: true, outcome: 'connect ECONNREFUSED' }
const silent: Delivery = { ok: false, retry: true, outcome: 'time-out', mayHaveArrived: true }
const channelOf = (kind: string): Channel => ({
  kind,
  perMinute: 120,
  canBundle: false,
  missing: () => null,
  send: ({ message }) => {
    asked[kind] = (asked[kind] ?? 0) + 1
    const delivery = answers[kind]?.() ?? { ok: true, outcome: '202' }
    if (delivery.ok) taken.push({ channel: kind, subject: message.subject, event: message.event, at: now.getTime() })
    return Promise.resolve(delivery)
  },
})
const deps = (over: Partial<SenderDeps> = {}): SenderDeps => ({
  store,
  channels: ['pagerduty', 'slack', 'email'].map(channelOf),
  modeOf: () => 'live',
  fallbackOf: (channel) => (channel === 'pagerduty' ? ['email:oncall@dam.local'] : []),
  now: () => now,
  random: () => 0.5,
  onUnset: () => undefined,
  say: () => undefined,
  signal: new AbortController().signal,
  ...over,
})
const message = (id: number, over: Partial<Message> = {}): Message => ({
  event: 'incident-opened',
  subject: `incident:${id}`,
  severity: 'P0',
  title: `Incident ${id}`,
  text: '',
  facts: [],
  links: [],
  environment: 'production',
  isResolution: false,
  at: now.toISOString(),
  ...over,
})
const put = (id: number, over: Partial<Message> = {}, channel = 'pagerduty'): void => {
  const what = message(id, over)
  enqueue(store, what, { channels: [channel], key: what.event, now })
}
const resolve = (id: number, channel = 'pagerduty'): void =>
  put(id, { event: 'incident-resolved', isResolution: true }, channel)
const pass = async (seconds: number, stepSeconds = 1): Promise<void> => {
  for (let second = 0; second < seconds; second += stepSeconds) {
    await sendDue(deps(), destinations)
    now = new Date(now.getTime() + stepSeconds * 1_000)
  }
}
const stateOf = (id: number, channel = 'pagerduty') =>
  listOutbox(store, { subject: `incident:${id}`, limit: 10 })
    .filter((entry) => entry.channel === channel)
    .map(({ state }) => state)
    .reverse()

describe('an hour without the pager', () => {
  test.each([
    ['refuses connections', refused],
    ['accepts and never answers', silent],
    ['answers 503', { ok: false, retry: true, outcome: '503' }],
    ['shows a certificate nobody trusts', { ok: false, retry: true, outcome: 'self-signed certificate' }],
  ] as const)('%s: nothing is lost, it is not hammered, the second way is taken, P0 comes first', async (_, answer) => {
    answers['pagerduty'] = () => answer
    const severities: Severity[] = ['P1', 'P0', 'P1', 'P0', 'P1']
    for (const [index, severity] of severities.entries()) put(index + 1, { severity })
    await pass(3_600)
    // Two attempts every 30 to 60 s, once it is known to be down.
    expect(asked['pagerduty']).toBeLessThan(200)
    expect(taken.filter(({ channel }) => channel === 'email').map(({ subject }) => subject)).toHaveLength(5)
    expect(Math.max(...taken.map(({ at }) => at)) - Date.parse('2026-01-01T00:00:00Z')).toBeLessThan(60_000)
    answers = {}
    await pass(120)
    const pages = taken.filter(({ channel }) => channel === 'pagerduty').map(({ subject }) => subject)
    expect(pages.slice(0, 2).toSorted()).toEqual(['incident:2', 'incident:4'])
    expect(pages.toSorted()).toEqual([1, 2, 3, 4, 5].map((id) => `incident:${id}`))
  })

  test('what is said of the same incident meanwhile takes the second way, too, although the first word is still unsent', async () => {
    answers['pagerduty'] = () => refused
    put(1, { severity: 'P1' })
    await pass(300)
    put(1, { event: 'incident-call', title: 'The next level is called' })
    await pass(120)
    expect(taken.filter(({ channel }) => channel === 'email')).toHaveLength(2)
    answers = {}
    await pass(120)
    expect(stateOf(1)).toEqual(['sent', 'sent'])
  })

  test('waits between attempts grow to a minute at most, with jitter', async () => {
    answers['pagerduty'] = () => refused
    put(1)
    const waits: number[] = []
    for (let round = 0; round < 12; round++) {
      await sendDue(deps({ random: () => round / 12 }), destinations)
      const [entry] = listOutbox(store, { subject: 'incident:1', limit: 1 })
      if (entry?.channel !== 'pagerduty') break
      waits.push(Date.parse(entry.nextAt) - now.getTime())
      now = new Date(entry.nextAt)
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000)
  })

  test('nobody is woken for what was resolved meanwhile, and what was announced is ended', async () => {
    put(1)
    await pass(1)
    answers['pagerduty'] = () => refused
    put(2)
    put(3)
    put(1, { event: 'incident-call' })
    await pass(600)
    resolve(1)
    resolve(2)
    await pass(60)
    answers = {}
    await pass(120)
    expect(
      taken.filter(({ channel }) => channel === 'pagerduty').map(({ subject, event }) => `${subject} ${event}`),
    ).toEqual(['incident:1 incident-opened', 'incident:3 incident-opened', 'incident:1 incident-resolved'])
    expect(stateOf(1)).toEqual(['sent', 'dropped', 'sent'])
    expect(stateOf(2)).toEqual(['dropped', 'dropped'])
  })

  test('what may have arrived before the silence is ended, although nothing said that it arrived', async () => {
    answers['pagerduty'] = () => silent
    put(1)
    await pass(60)
    resolve(1)
    answers = {}
    await pass(120)
    expect(taken.filter(({ channel }) => channel === 'pagerduty').map(({ event }) => event)).toEqual([
      'incident-resolved',
    ])
  })

  test('an incident that came again after it was resolved is announced', async () => {
    answers['pagerduty'] = () => refused
    put(1)
    await pass(60)
    resolve(1)
    put(1, { event: 'incident-call' })
    answers = {}
    await pass(120)
    expect(taken.filter(({ channel }) => channel === 'pagerduty').map(({ event }) => event)).toEqual(['incident-call'])
    expect(stateOf(1)).toEqual(['dropped', 'dropped', 'sent'])
  })
})

test('a destination that flaps loses nothing and gets each message once', async () => {
  let count = 0
  answers['pagerduty'] = () => (count++ % 3 === 2 ? { ok: true, outcome: '202' } : refused)
  for (let id = 1; id <= 30; id++) put(id)
  await pass(3_600)
  const pages = taken.filter(({ channel }) => channel === 'pagerduty').map(({ subject }) => subject)
  expect(pages).toHaveLength(30)
  expect(new Set(pages).size).toBe(30)
  expect(taken.filter(({ channel }) => channel === 'email').length).toBeLessThanOrEqual(30)
})

test('one message a destination always fails at does not keep the others from it', async () => {
  const poison: Channel = {
    ...channelOf('pagerduty'),
    send: (sending) =>
      sending.message.subject === 'incident:1'
        ? Promise.resolve({ ok: false, retry: true, outcome: '500' })
        : channelOf('pagerduty').send(sending),
  }
  for (let id = 1; id <= 3; id++) put(id)
  put(4, { severity: 'P1' })
  for (let second = 0; second < 300; second++) {
    await sendDue(deps({ channels: [poison, channelOf('email')] }), destinations)
    now = new Date(now.getTime() + 1_000)
  }
  expect(
    taken
      .filter(({ channel }) => channel === 'pagerduty')
      .map(({ subject }) => subject)
      .toSorted(),
  ).toEqual(['incident:2', 'incident:3', 'incident:4'])
})

test('a refusal for good takes the second way at once', async () => {
  answers['pagerduty'] = () => ({ ok: false, retry: false, outcome: '403' })
  put(1)
  await pass(2)
  expect(stateOf(1)).toEqual(['dead'])
  expect(taken.map(({ channel }) => channel)).toEqual(['email'])
})

test('waiting for its turn counts as no failure, and the second way is still taken when it then fails', async () => {
  for (let id = 1; id <= 121; id++) put(id)
  await sendDue(deps(), destinations)
  expect(stateOf(121)).toEqual(['waiting'])
  answers['pagerduty'] = () => refused
  await pass(120)
  expect(taken.filter(({ channel }) => channel === 'email').map(({ subject }) => subject)).toEqual(['incident:121'])
})

test('when the clock goes back an hour, what was to be tried in a minute is tried now', async () => {
  answers['pagerduty'] = () => refused
  put(1)
  await pass(60)
  now = new Date(now.getTime() - 3_600_000)
  answers = {}
  await pass(2)
  expect(taken.filter(({ channel }) => channel === 'pagerduty')).toHaveLength(1)
})

describe('on real sockets', () => {
  const blackHole = async (): Promise<{ server: Server; url: string }> => {
    const server = createServer((socket) => socket.on('error', () => undefined))
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return { server, url: `http://127.0.0.1:${address.port}` }
  }

  test('a black hole at one destination does not hold up the others', async () => {
    const hole = await blackHole()
    await using http = await httpReceiver()
    const config = readSettings(notifySettings, {
      DAM_PAGERDUTY_KEY: 'a'.repeat(32),
      DAM_PAGERDUTY_URL: hole.url,
      DAM_SLACK_WEBHOOKS: `#dam-oncall=${http.url}/services/T/B/1`,
    }).values
    await using channels = openChannels(config, 'http://localhost:8081')
    const { policy } = readPolicy()
    const sender = startSender({ store, channels, config, policy: () => policy, say: () => undefined })
    now = new Date()
    put(1)
    await expect.poll(() => stateOf(1)).toEqual(['sending'])
    // The pager hangs; whatever comes now reaches the others all the same.
    put(2, {}, 'slack:#dam-oncall')
    await expect.poll(() => http.received.length, { timeout: 5_000 }).toBe(1)
    expect(stateOf(1)).toEqual(['sending'])
    await sender[Symbol.asyncDispose]()
    hole.server.close()
  })

  test('a 200 whose body never ends is a delivery', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => {
        socket.write('HTTP/1.1 202 Accepted\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\nab')
        setTimeout(() => socket.destroy(), 50)
      })
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as { port: number }
    const config = readSettings(notifySettings, {
      DAM_PAGERDUTY_KEY: 'a'.repeat(32),
      DAM_PAGERDUTY_URL: `http://127.0.0.1:${port}`,
    }).values
    await using channels = openChannels(config, 'http://localhost:8081')
    put(1)
    await sendDue(deps({ channels }), destinations)
    expect(stateOf(1)).toEqual(['sent'])
    server.close()
  })
})
