import { type Channel, type Delivery, deliveryOf, oneLine, postJson } from '../channel.ts'
import type { Message } from '../message.ts'

export type SlackOptions = {
  /** Incoming webhooks by channel: `#dam-oncall` → address. */
  webhooks: ReadonlyMap<string, string>
  /** Bot token; with it there is one card for each incident, which is updated. */
  token: string | null
  /** https://slack.com/api */
  apiUrl: string
}

/** Slack through incoming webhooks, or, with a bot token, `chat.postMessage` once for a subject and `chat.update` from then on. */
export function slackChannel(options: SlackOptions): Channel {
  return {
    kind: 'slack',
    // One message a second for each channel is Slack's documented bound.
    perMinute: 60,
    canBundle: true,
    missing: (target) =>
      options.token || options.webhooks.has(target)
        ? null
        : `no webhook for ${target}: set DAM_SLACK_WEBHOOKS=${target}=https://hooks.slack.com/… or DAM_SLACK_TOKEN`,
    send: async ({ message, target, reference, signal }) => {
      const body = { text: escapeSlack(headline(message)), blocks: blocksOf(message) }
      const webhook = options.webhooks.get(target)
      if (!options.token) return deliveryOf(await postJson(webhook ?? '', body, { signal }))
      const call = async (method: string, extra: Record<string, unknown>): Promise<Delivery> =>
        apiDelivery(
          await postJson(
            `${options.apiUrl}/${method}`,
            { ...body, ...extra },
            {
              headers: { authorization: `Bearer ${options.token}`, 'content-type': 'application/json; charset=utf-8' },
              signal,
            },
          ),
        )
      if (reference) {
        const [channel, ts] = reference.split('/')
        const updated = await call('chat.update', { channel, ts })
        if (updated.ok || updated.retry) return updated
      }
      return call('chat.postMessage', { channel: target, unfurl_links: false, unfurl_media: false })
    },
  }
}

/** Slack's API answers 200 also when it refuses. */
function apiDelivery(answer: Awaited<ReturnType<typeof postJson>>): Delivery {
  const delivery = deliveryOf(answer)
  if (!delivery.ok || 'failure' in answer) return delivery
  let said: { ok?: boolean; error?: string; channel?: string; ts?: string }
  try {
    said = JSON.parse(answer.body) as typeof said
  } catch {
    return { ok: false, retry: true, outcome: 'the answer is no JSON', mayHaveArrived: true }
  }
  if (said.ok)
    return {
      ok: true,
      outcome: `ts ${said.ts ?? ''}`,
      ...(said.channel && said.ts ? { reference: `${said.channel}/${said.ts}` } : {}),
    }
  const retry = ['ratelimited', 'rate_limited', 'internal_error', 'fatal_error', 'service_unavailable'].includes(
    said.error ?? '',
  )
  return { ok: false, retry, outcome: said.error ?? 'refused' }
}

const marks = { P0: ':red_circle:', P1: ':large_orange_circle:', P2: ':large_yellow_circle:', P3: ':white_circle:' }

const headline = (message: Message): string =>
  oneLine(
    `${message.isResolution ? 'Resolved: ' : ''}${message.severity ? `${message.severity} ` : ''}${message.title}`,
    250,
  )

/** Text from outside can neither mention anyone nor make a link. */
export const escapeSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function blocksOf(message: Message): unknown[] {
  const mentions = (message.mentions ?? []).filter((id) => /^[UW][A-Z0-9]{2,20}$/.test(id)).map((id) => `<@${id}> `)
  const mark = message.isResolution ? ':white_check_mark:' : message.severity ? marks[message.severity] : ''
  const fields = message.facts.slice(0, 10).map(({ label, value }) => ({
    type: 'mrkdwn',
    text: `*${escapeSlack(oneLine(label, 80))}*\n${escapeSlack(oneLine(value, 400))}`,
  }))
  const links = message.links
    .filter(({ url }) => URL.canParse(url) && /^https?:/.test(url))
    .slice(0, 5)
    .map(
      ({ label, url }) =>
        `<${url.replaceAll(/[<>|]/g, encodeURIComponent)}|${escapeSlack(oneLine(label, 80)).replaceAll('|', '¦')}>`,
    )
  return [
    {
      type: 'section',
      text: { type: 'mrkdwn', text: `${mentions.join('')}${mark} *${escapeSlack(headline(message))}*`.trim() },
    },
    ...(message.text
      ? [{ type: 'section', text: { type: 'mrkdwn', text: escapeSlack(message.text).slice(0, 2_900) } }]
      : []),
    ...(fields.length > 0 ? [{ type: 'section', fields }] : []),
    ...(links.length > 0 ? [{ type: 'context', elements: [{ type: 'mrkdwn', text: links.join('  ·  ') }] }] : []),
  ]
}
