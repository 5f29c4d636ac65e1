import { createHmac } from 'node:crypto'
import { type Channel, deliveryOf, postJson } from '../channel.ts'

export type WebhookOptions = {
  /** Addresses by name. */
  addresses: ReadonlyMap<string, string>
  /** Signs the body when given. */
  secret: string | null
}

/**
 * POST of the message as JSON to an address of one's own. Headers: `x-dam-delivery` is the same for every attempt,
 * `x-dam-signature` is `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`.
 */
export function webhookChannel(options: WebhookOptions): Channel {
  return {
    kind: 'webhook',
    perMinute: 600,
    canBundle: false,
    missing: (target) =>
      options.addresses.has(target) ? null : `no address for ${target}: set DAM_WEBHOOKS=${target}=https://…`,
    send: async ({ message, key, target, now, signal }) => {
      const body = { id: key, ...message }
      const seconds = Math.floor(now.getTime() / 1_000)
      const signature = options.secret
        ? createHmac('sha256', options.secret)
            .update(`${seconds}.${JSON.stringify(body)}`)
            .digest('hex')
        : null
      return deliveryOf(
        await postJson(options.addresses.get(target) ?? '', body, {
          signal,
          headers: {
            'x-dam-delivery': key,
            'x-dam-event': message.event,
            ...(signature ? { 'x-dam-signature': `t=${seconds},v1=${signature}` } : {}),
          },
        }),
      )
    },
  }
}
