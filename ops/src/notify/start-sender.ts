import { setTimeout as sleep } from 'node:timers/promises'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import type { Channel } from './channel.ts'
import { emailChannel } from './channels/email.ts'
import { pagerDutyChangesChannel, pagerDutyChannel } from './channels/pagerduty.ts'
import { slackChannel } from './channels/slack.ts'
import { webhookChannel } from './channels/webhook.ts'
import type { NotifyConfig } from './notify-settings.ts'
import { dueChannels } from './outbox-store.ts'
import { type Destinations, type Mode, sendLane, type SenderDeps } from './send-outbox.ts'

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

/**
 * Sends the outbox until disposed; what is being sent then is due again after its claim. Each destination is a lane of its own: one that
 * hangs holds up nothing but itself.
 */
export function startSender(deps: {
  store: Store
  channels: readonly Channel[]
  config: Pick<NotifyConfig, 'notifyModes'>
  policy: () => Policy
  say: (message: string) => void
  now?: () => Date
}): AsyncDisposable {
  const stop = new AbortController()
  const destinations: Destinations = new Map()
  const busy = new Map<string, Promise<void>>()
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
  const now = deps.now ?? (() => new Date())
  const sending: SenderDeps = {
    store: deps.store,
    channels: deps.channels,
    modeOf,
    fallbackOf,
    now,
    random: Math.random,
    say: deps.say,
    onUnset,
    signal: stop.signal,
  }
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stop.signal }).catch(() => undefined)
  const failed = (error: unknown): Promise<void> => {
    deps.say(`sending messages failed, trying again: ${error instanceof Error ? error.message : String(error)}`)
    return pause(2_000)
  }
  const lane = async (address: string): Promise<void> => {
    await sendLane(sending, destinations, address).catch(failed)
    busy.delete(address)
  }
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        for (const address of dueChannels(deps.store, now())) if (!busy.has(address)) busy.set(address, lane(address))
      } catch (error) {
        await failed(error)
      }
      await pause(pauseMs)
    }
    await Promise.all(busy.values())
  }
  const running = run()
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await running
    },
  }
}
