import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { z } from 'zod'

export type Received = { path: string; headers: IncomingHttpHeaders; body: unknown }
export type HttpReceiver = AsyncDisposable & {
  url: string
  received: Received[]
  /** Answers that come before the ordinary ones, first in first out. */
  next: { status: number; headers?: Record<string, string>; body?: string }[]
}

const slackText = z.strictObject({ type: z.enum(['mrkdwn', 'plain_text']), text: z.string().min(1).max(3_000) })
const slackBody = z.strictObject({
  text: z.string().min(1),
  blocks: z
    .array(
      z.union([
        z.strictObject({ type: z.literal('section'), text: slackText }),
        z.strictObject({ type: z.literal('section'), fields: z.array(slackText).min(1).max(10) }),
        z.strictObject({ type: z.literal('context'), elements: z.array(slackText).min(1).max(10) }),
      ]),
    )
    .max(50),
  channel: z.string().optional(),
  ts: z.string().optional(),
  unfurl_links: z.boolean().optional(),
  unfurl_media: z.boolean().optional(),
})
const link = z.strictObject({ href: z.url(), text: z.string().optional() })
const pagerDutyEvent = z.discriminatedUnion('event_action', [
  z.strictObject({
    routing_key: z.string().length(32),
    event_action: z.literal('trigger'),
    dedup_key: z.string().max(255),
    client: z.string(),
    client_url: z.url(),
    links: z.array(link),
    payload: z.strictObject({
      summary: z.string().min(1).max(1_024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      timestamp: z.iso.datetime(),
      component: z.string(),
      group: z.string(),
      class: z.string(),
      custom_details: z.record(z.string(), z.unknown()),
    }),
  }),
  z.strictObject({
    routing_key: z.string().length(32),
    event_action: z.enum(['acknowledge', 'resolve']),
    dedup_key: z.string().max(255),
  }),
])
const pagerDutyChange = z.strictObject({
  routing_key: z.string().length(32),
  payload: z.strictObject({
    summary: z.string().max(1_024),
    source: z.string(),
    timestamp: z.iso.datetime(),
    custom_details: z.record(z.string(), z.unknown()),
  }),
  links: z.array(link),
})

const formats: { path: RegExp; schema: z.ZodType; answer: (body: never) => { status: number; body: string } }[] = [
  { path: /^\/services\//, schema: slackBody, answer: () => ({ status: 200, body: 'ok' }) },
  {
    path: /^\/api\/chat\.(postMessage|update)$/,
    schema: slackBody,
    answer: (body: { ts?: string }) => ({
      status: 200,
      body: JSON.stringify({ ok: true, channel: 'C1', ts: body.ts ?? '1700000000.000100' }),
    }),
  },
  { path: /^\/v2\/enqueue$/, schema: pagerDutyEvent, answer: () => ({ status: 202, body: '{"status":"success"}' }) },
  {
    path: /^\/v2\/change\/enqueue$/,
    schema: pagerDutyChange,
    answer: () => ({ status: 202, body: '{"status":"success"}' }),
  },
  { path: /^\/hook/, schema: z.looseObject({ id: z.string() }), answer: () => ({ status: 204, body: '' }) },
]

/** Slack, PagerDuty and a webhook in one server that refuses (400) what the real ones would not take. */
export async function httpReceiver(): Promise<HttpReceiver> {
  const received: Received[] = []
  const next: HttpReceiver['next'] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const special = next.shift()
      if (special) return void response.writeHead(special.status, special.headers).end(special.body)
      const format = formats.find(({ path }) => path.test(request.url ?? ''))
      const parsed = format?.schema.safeParse(JSON.parse(text))
      if (!format || !parsed?.success) {
        return void response.writeHead(format ? 400 : 404).end(parsed?.error?.message ?? 'unknown path')
      }
      received.push({ path: request.url ?? '', headers: request.headers, body: parsed.data })
      const answer = format.answer(parsed.data as never)
      response.writeHead(answer.status).end(answer.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    next,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export type MailReceiver = AsyncDisposable & { url: string; mails: { from: string; to: string[]; text: string }[] }

export async function mailReceiver(): Promise<MailReceiver> {
  const mails: MailReceiver['mails'] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData: (stream, session, done) => {
      let text = ''
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        mails.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), text })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
