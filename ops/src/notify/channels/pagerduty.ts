import { type Channel, deliveryOf, oneLine, postJson } from '../channel.ts'
import type { Message } from '../message.ts'

export type PagerDutyOptions = {
  routingKey: string | null
  /** https://events.pagerduty.com */
  url: string
  /** Of our console, shown as the client of the event. */
  consoleUrl: string
}

const severities = { P0: 'critical', P1: 'error', P2: 'warning', P3: 'info' } as const
const missing = 'no routing key: set DAM_PAGERDUTY_KEY'

const linksOf = (message: Message) =>
  message.links
    .filter(({ url }) => URL.canParse(url))
    .map(({ label, url }) => ({ href: url, text: oneLine(label, 200) }))

const detailsOf = (message: Message): Record<string, string> =>
  Object.fromEntries([...message.facts.map(({ label, value }) => [label, value] as const), ['text', message.text]])

/** PagerDuty Events API v2: 202 is taken, 400 is never tried again, 429 and 5xx are. */
export function pagerDutyChannel(options: PagerDutyOptions): Channel {
  return {
    kind: 'pagerduty',
    perMinute: 120,
    canBundle: false,
    missing: () => (options.routingKey ? null : missing),
    send: async ({ message, signal }) => {
      const action = message.isResolution
        ? 'resolve'
        : message.event === 'incident-acknowledged'
          ? 'acknowledge'
          : 'trigger'
      return deliveryOf(
        await postJson(
          `${options.url}/v2/enqueue`,
          {
            routing_key: options.routingKey,
            event_action: action,
            dedup_key: `dam/${message.environment ?? 'ops'}/${message.subject}`.slice(0, 255),
            ...(action === 'trigger'
              ? {
                  client: 'DAM operations',
                  client_url: options.consoleUrl,
                  links: linksOf(message),
                  payload: {
                    summary: oneLine(message.title, 1_024),
                    source: message.environment ?? 'operations',
                    severity: message.severity ? severities[message.severity] : 'info',
                    timestamp: message.at,
                    component: 'dam',
                    group: message.environment ?? 'operations',
                    class: message.event,
                    custom_details: detailsOf(message),
                  },
                }
              : {}),
          },
          { signal },
        ),
      )
    },
  }
}

/** PagerDuty change events: deployments beside the incidents, waking nobody. */
export function pagerDutyChangesChannel(options: PagerDutyOptions): Channel {
  return {
    kind: 'pagerduty-changes',
    perMinute: 120,
    canBundle: false,
    missing: () => (options.routingKey ? null : missing),
    send: async ({ message, signal }) =>
      deliveryOf(
        await postJson(
          `${options.url}/v2/change/enqueue`,
          {
            routing_key: options.routingKey,
            payload: {
              summary: oneLine(message.title, 1_024),
              source: message.environment ?? 'operations',
              timestamp: message.at,
              custom_details: detailsOf(message),
            },
            links: linksOf(message),
          },
          { signal },
        ),
      ),
  }
}
