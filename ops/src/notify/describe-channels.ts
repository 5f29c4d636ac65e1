import type { Channel } from './channel.ts'
import type { NotifyConfig } from './notify-settings.ts'
import type { Mode } from './send-outbox.ts'

/** Of an address such as `slack:#dam-oncall`: null when messages reach it, else why they stay here. */
export const describeChannel = (
  channels: readonly Channel[],
  modeOf: (kind: string) => Mode,
  address: string,
): string | null => {
  const [kind = '', ...rest] = address.split(':')
  if (kind === 'record') return null
  const mode = modeOf(kind)
  if (mode !== 'live') return `mode ${mode}: messages stay here`
  const channel = channels.find((candidate) => candidate.kind === kind)
  return channel ? channel.missing(rest.join(':')) : `there is no channel "${kind}"`
}

/** What the start says of messages: null when Slack, PagerDuty and mail are all set up. */
export function sayUnset(
  config: Pick<NotifyConfig, 'slackWebhooks' | 'slackToken' | 'pagerDutyKey' | 'smtpUrl'>,
): string | null {
  const services = [
    { name: 'Slack', setting: 'DAM_SLACK_WEBHOOKS', isSet: config.slackWebhooks ?? config.slackToken },
    { name: 'PagerDuty', setting: 'DAM_PAGERDUTY_KEY', isSet: config.pagerDutyKey },
    { name: 'mail', setting: 'DAM_SMTP_URL', isSet: config.smtpUrl },
  ]
  const unset = services.filter(({ isSet }) => isSet === undefined)
  if (unset.length === 0) return null
  const names = unset.map(({ name }) => name).join(', ')
  const settings = unset.map(({ setting }) => setting).join(', ')
  return `Messages for ${names} stay in the console and its record until ${settings} ${unset.length > 1 ? 'are' : 'is'} set: ./dam channels`
}
