import { readSettings } from '@dam/platform/settings'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { scratchStore } from '../testing/scratch-store.ts'
import type { Channel } from './channel.ts'
import type { Message, Severity } from './message.ts'
import { notifySettings } from './notify-settings.ts'
import { enqueue, listOutbox } from './outbox-store.ts'
import { type Destinations, type Mode, sendDue, type SenderDeps } from './send-outbox.ts'
import { openChannels } from './start-sender.ts'
import { type HttpReceiver, httpReceiver, type MailReceiver, mailReceiver } from './testing/fake-receivers.ts'

const key = 'a'.repeat(32)
let http: HttpReceiver
let mail: MailReceiver
let store: ReturnType<typeof scratchStore>
let channels: readonly Channel[] & AsyncDisposable
let now: Date
let destinations: Destinations

beforeEach(async () => {
  http = await httpReceiver()
  mail = await mailReceiver()
  store = scratchStore()
  now = new Date('2026-01-01T00:00:00Z')
  destinations = new Map()
  channels = open({})
})
afterEach(async () => {
  await channels[Symbol.asyncDispose]()
  store[Symbol.dispose]()
  await http[Symbol.asyncDispose]()
  await mail[Symbol.asyncDispose]()
})

const open = (environment: Record<string, string>) =>
  openChannels(
    readSettings(notifySettings, {
      DAM_SLACK_WEBHOOKS: `#dam-oncall=${http.url}/services/T/B/1,#dam-alerts=${http.url}/services/T/B/2`,
      DAM_SLACK_API_URL: `${http.url}/api`,
      DAM_PAGERDUTY_KEY: key,
      DAM_PAGERDUTY_URL: http.url,
      DAM_SMTP_URL: mail.url,
      DAM_WEBHOOKS: `audit=${http.url}/hook`,
      DAM_WEBHOOK_SECRET: 'secret',
      ...environment,
    }).values,
    'http://localhost:8081',
  )

const message = (over: Partial<Message> = {}): Message => ({
  event: 'incident-opened',
  subject: 'incident:1',
  severity: 'P0',
  title: 'Error rate above 5 %',
  text: 'The error rate is 6.1 %.',
  facts: [{ label: 'Release', value: 'v1.0.1' }],
  links: [{ label: 'Incident', url: 'http://localhost:8081/incidents/1' }],
  environment: 'production',
  isResolution: false,
  at: now.toISOString(),
  ...over,
})

const send = (over: Partial<SenderDeps> = {}): Promise<number> =>
  sendDue(
    {
      store,
      channels,
      modeOf: (): Mode => 'live',
      fallbackOf: () => [],
      now: () => now,
      random: () => 1,
      say: () => undefined,
      onUnset: () => undefined,
      signal: new AbortController().signal,
      ...over,
    },
    destinations,
  )

const put = (over: Partial<Message>, channel: string, event = 'opened'): void =>
  enqueue(store, message(over), { channels: [channel], key: event, now })
const states = () => listOutbox(store, { limit: 100 }).map(({ state, outcome }) => `${state}: ${outcome}`)
const wait = (seconds: number): void => {
  now = new Date(now.getTime() + seconds * 1_000)
}

describe('the wire', () => {
  test('PagerDuty gets trigger, acknowledge and resolve for one key, and changes apart', async () => {
    put({}, 'pagerduty')
    await send()
    put({ event: 'incident-acknowledged' }, 'pagerduty', 'acknowledged')
    await send()
    put({ event: 'incident-resolved', isResolution: true }, 'pagerduty', 'resolved')
    put({ event: 'deployment-started', subject: 'deployment:7', severity: null }, 'pagerduty-changes')
    await send()
    expect(http.received.map(({ path }) => path)).toEqual([
      '/v2/enqueue',
      '/v2/enqueue',
      '/v2/enqueue',
      '/v2/change/enqueue',
    ])
    expect(http.received.slice(0, 3).map(({ body }) => body)).toMatchObject([
      { event_action: 'trigger', dedup_key: 'dam/production/incident:1', payload: { severity: 'critical' } },
      { event_action: 'acknowledge', dedup_key: 'dam/production/incident:1' },
      { event_action: 'resolve', dedup_key: 'dam/production/incident:1' },
    ])
  })

  test('Slack gets text in which nobody can mention, link or format', async () => {
    put({ title: '<!channel> pay <https://evil|here>\nnow', text: '<@U1> & co' }, 'slack:#dam-oncall')
    await send()
    const text = JSON.stringify(http.received[0]?.body)
    expect(http.received[0]?.path).toBe('/services/T/B/1')
    expect(text).toContain('&lt;!channel&gt; pay &lt;https://evil|here&gt; now')
    expect(text).not.toMatch(/<!|<@/)
  })

  test('with a bot token an incident is one card that is updated', async () => {
    await using withToken = open({ DAM_SLACK_TOKEN: 'xoxb-1' })
    put({}, 'slack:#dam-incidents')
    await send({ channels: withToken })
    put({ isResolution: true }, 'slack:#dam-incidents', 'resolved')
    await send({ channels: withToken })
    expect(http.received.map(({ path }) => path)).toEqual(['/api/chat.postMessage', '/api/chat.update'])
    expect(http.received[0]?.headers.authorization).toBe('Bearer xoxb-1')
    expect(http.received[1]?.body).toMatchObject({ channel: 'C1', ts: '1700000000.000100' })
  })

  test('mail has one thread a subject and takes no headers from outside', async () => {
    put({ title: 'Boom\r\nBcc: all@evil.example' }, 'email:oncall@dam.local')
    await send()
    put({ isResolution: true }, 'email:oncall@dam.local', 'resolved')
    await send()
    const thread = (index: number) => /^In-Reply-To: (.*)$/im.exec(mail.mails[index]?.text ?? '')?.[1]
    expect(mail.mails.map(({ to }) => to)).toEqual([['oncall@dam.local'], ['oncall@dam.local']])
    expect(mail.mails[0]?.text).not.toMatch(/^Bcc:/im)
    expect(thread(0)).toBeTruthy()
    expect(thread(0)).toBe(thread(1))
  })

  test('a webhook is signed, and every attempt has the same delivery id', async () => {
    http.next.push({ status: 503 })
    put({}, 'webhook:audit')
    await send()
    wait(2)
    await send()
    expect(http.received[0]?.headers['x-dam-delivery']).toBe('incident:1/opened/webhook:audit')
    expect(http.received[0]?.headers['x-dam-signature']).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/)
  })
})

describe('a destination that fails', () => {
  test('is tried again, later and later, and honours Retry-After', async () => {
    http.next.push({ status: 500 }, { status: 429, headers: { 'retry-after': '7' } })
    put({}, 'pagerduty')
    await send()
    expect(states()[0]).toContain('waiting: 500')
    await send()
    expect(http.next).toHaveLength(1)
    wait(1)
    await send()
    wait(6)
    await send()
    expect(http.received).toHaveLength(0)
    wait(1)
    await send()
    expect(http.received).toHaveLength(1)
    expect(states()[0]).toContain('sent: 202')
  })

  test('that will never take a message is asked once, and the message stays visible', async () => {
    http.next.push({ status: 400, body: 'invalid key' })
    put({}, 'pagerduty')
    await send()
    wait(3_600)
    await send()
    expect(states()).toEqual(['dead: 400 invalid key'])
  })

  test('after three failures an urgent message takes the second way as well', async () => {
    http.next.push({ status: 503 }, { status: 503 }, { status: 503 })
    put({}, 'pagerduty')
    for (let round = 0; round < 4; round++) {
      await send({ fallbackOf: (channel) => (channel === 'pagerduty' ? ['email:oncall@dam.local'] : []) })
      wait(10)
    }
    expect(mail.mails).toHaveLength(1)
    expect(http.received).toHaveLength(1)
  })

  test('never lets an end overtake its beginning', async () => {
    http.next.push({ status: 503 })
    put({ subject: 'deployment:7' }, 'pagerduty')
    await send()
    put({ subject: 'deployment:7', isResolution: true }, 'pagerduty', 'resolved')
    await send()
    expect(http.received).toHaveLength(0)
    wait(2)
    await send()
    await send()
    expect(http.received.map(({ body }) => (body as { event_action: string }).event_action)).toEqual([
      'trigger',
      'resolve',
    ])
  })
})

describe('many messages', () => {
  const calm = (count: number, severity: Severity): void => {
    for (let n = 0; n < count; n++)
      put({ subject: `incident:${n + 10}`, severity, title: `Alert ${n}` }, 'slack:#dam-oncall')
  }

  test('calm ones for one destination become one, urgent ones come first and alone', async () => {
    calm(40, 'P3')
    put({ title: 'Down' }, 'slack:#dam-oncall')
    await send()
    expect(http.received).toHaveLength(2)
    expect(JSON.stringify(http.received[0]?.body)).toContain('Down')
    expect(JSON.stringify(http.received[1]?.body)).toContain('40 messages')
  })

  test('a destination gets no more a minute than it takes, a part of it kept for what cannot wait; nothing is lost', async () => {
    calm(70, 'P1')
    await send()
    expect(http.received).toHaveLength(48)
    put({ title: 'Down' }, 'slack:#dam-oncall')
    await send()
    expect(JSON.stringify(http.received[48]?.body)).toContain('Down')
    wait(61)
    await send()
    expect(http.received).toHaveLength(71)
  })

  test('what becomes critical does not wait for the turn of what was said of it before', async () => {
    calm(70, 'P1')
    await send()
    expect(http.received).toHaveLength(48)
    const [held] = listOutbox(store, { state: 'waiting', limit: 1 })
    const subject = held?.subject ?? ''
    wait(1)
    put({ subject, severity: 'P0', title: 'P1 → P0' }, 'slack:#dam-oncall', 'severity')
    await send()
    await send()
    expect(http.received.slice(48).map(({ body }) => JSON.stringify(body))).toEqual([
      expect.stringContaining(held?.message.title ?? ''),
      expect.stringContaining('P1 → P0'),
    ])
  })

  test('the first word of an environment comes before the hundredth of another that is as urgent', async () => {
    calm(60, 'P1')
    put({ severity: 'P1', environment: 'staging', title: 'First of staging' }, 'slack:#dam-oncall')
    await send()
    expect(JSON.stringify(http.received.slice(0, 2).map(({ body }) => body))).toContain('First of staging')
    for (let n = 0; n < 2; n++)
      put(
        { severity: 'P1', subject: `incident:${n + 90}`, environment: 'staging', title: `More of staging ${n}` },
        'slack:#dam-oncall',
      )
    wait(61)
    await send()
    expect(http.received.slice(48, 60).map(({ body }) => JSON.stringify(body))).not.toContainEqual(
      expect.stringContaining('staging'),
    )
  })
})

test('what is not set up is recorded, and the record says which setting is missing', async () => {
  await using bare = openChannels(readSettings(notifySettings, {}).values, 'http://localhost:8081')
  for (const channel of ['pagerduty', 'slack:#dam-oncall', 'email:oncall@dam.local', 'webhook:x']) put({}, channel)
  const said: string[] = []
  await send({ channels: bare, onUnset: (address) => said.push(address) })
  expect(states()).toHaveLength(4)
  for (const setting of ['DAM_PAGERDUTY_KEY', 'DAM_SLACK_WEBHOOKS', 'DAM_SMTP_URL', 'DAM_WEBHOOKS'])
    expect(states().join('\n')).toContain(setting)
  expect(said).toHaveLength(4)
})

test.each(['record', 'dry-run'] as const)('mode %s sends nothing', async (mode) => {
  put({}, 'pagerduty')
  await send({ modeOf: () => mode })
  expect(http.received).toHaveLength(0)
  expect(states()[0]).toMatch(/^sent: (recorded here|dry run)/)
})
