import { setTimeout as sleep } from 'node:timers/promises'
import type { ValuesOf } from '@dam/platform/settings'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import type { Channel } from './channel.ts'
import { emailChannel } from './channels/email.ts'
import { pagerDutyChangesChannel, pagerDutyChannel } from './channels/pagerduty.ts'
import { slackChannel } from './channels/slack.ts'
import { webhookChannel } from './channels/webhook.ts'
import type { notifySettings } from './notify-settings.ts'
import { type Mode, sendDue, type Throttle } from './send-outbox.ts'

export type NotifyConfig = ValuesOf<typeof notifySettings>

/** Every channel DAM has, set up or not. */
export function openChannels(config: NotifyConfig, consoleUrl: string): readonly Channel[] & AsyncDisposable {
  const email = emailChannel({ smtpUrl: config.smtpUrl?.reveal() ?? null, from: config.mailFrom })
  const revealed = (addresses: NotifyConfig['webhooks']): Map<string, string> =>
    new Map([...(addresses ?? [])].map(([name, secret]) => [name, secret.reveal()]))
  const pagerDuty = {
    routingKey: config.pagerDutyKey?.reveal() ?? null,
    url: config.pagerDutyUrl.replace(/\/+$/, ''),
    consoleUrl,
  }
  const channels = [
    slackChannel({
      webhooks: revealed(config.slackWebhooks),
      token: config.slackToken?.reveal() ?? null,
      apiUrl: config.slackApiUrl.replace(/\/+$/, ''),
    }),
    pagerDutyChannel(pagerDuty),
    pagerDutyChangesChannel(pagerDuty),
    email,
    webhookChannel({ addresses: revealed(config.webhooks), secret: config.webhookSecret?.reveal() ?? null }),
  ]
  return Object.assign(channels, { [Symbol.asyncDispose]: () => email[Symbol.asyncDispose]() })
}

const pauseMs = 300

/** Sends the outbox until disposed; what is being sent then is due again after its claim. */
export function startSender(deps: {
  store: Store
  channels: readonly Channel[]
  config: Pick<NotifyConfig, 'notifyModes'>
  policy: () => Policy
  say: (message: string) => void
  now?: () => Date
}): AsyncDisposable {
  const stop = new AbortController()
  const throttle: Throttle = new Map()
  const modeOf = (kind: string): Mode => deps.config.notifyModes?.get(kind) ?? 'live'
  const fallbackOf = (channel: string): string[] => {
    const { pagerOfRecord, oncall, oncallEmail } = deps.policy().channels
    return channel === pagerOfRecord ? [oncallEmail, oncall] : channel === oncall ? [oncallEmail] : []
  }
  // Once for each destination: the record of every message says it, too.
  const unset = new Set<string>()
  const onUnset = (address: string, missing: string): void => {
    if (unset.has(address)) return
    unset.add(address)
    deps.say(`messages for ${address} are only recorded here: ${missing}`)
  }
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        await sendDue(
          {
            store: deps.store,
            channels: deps.channels,
            modeOf,
            fallbackOf,
            now: deps.now ?? (() => new Date()),
            random: Math.random,
            say: deps.say,
            onUnset,
            signal: stop.signal,
          },
          throttle,
        )
      } catch (error) {
        deps.say(`sending messages failed, trying again: ${error instanceof Error ? error.message : String(error)}`)
        await sleep(2_000, undefined, { signal: stop.signal }).catch(() => undefined)
      }
      await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  }
  const running = run()
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await running
    },
  }
}
