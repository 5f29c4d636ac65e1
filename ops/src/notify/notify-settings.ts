import { readFileSync } from 'node:fs'
import { address, oneOf, Secret, type Settings, type ValuesOf } from '@dam/platform/settings'

/** A secret, or where it is: `file:/run/secrets/pagerduty`. */
export const secretOrFile = (text: string): Secret => {
  if (!text.startsWith('file:')) return new Secret(text)
  try {
    return new Secret(readFileSync(text.slice('file:'.length), 'utf8').trim())
  } catch (error) {
    throw new Error(`the file it names cannot be read (${error instanceof Error ? error.message : String(error)})`, {
      cause: error,
    })
  }
}

/** `name=https://…,other=https://…` */
const namedAddresses = (text: string): ReadonlyMap<string, Secret> => {
  const pairs = secretOrFile(text)
    .reveal()
    .split(/[,\n]/)
    .map((pair) => pair.trim())
    .filter(Boolean)
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at <= 0) throw new Error('expected name=https://…, several with commas between')
      return [pair.slice(0, at).trim(), new Secret(address('http:', 'https:')(pair.slice(at + 1).trim()))] as const
    }),
  )
}

const kinds = ['slack', 'pagerduty', 'pagerduty-changes', 'email', 'webhook'] as const
const modes = (text: string): ReadonlyMap<string, 'live' | 'record' | 'dry-run'> =>
  new Map(
    text.split(',').map((pair) => {
      const [kind = '', mode = ''] = pair.split('=').map((part) => part.trim())
      if (!kinds.some((known) => known === kind)) throw new Error(`expected one of ${kinds.join(', ')} before the =`)
      return [kind, oneOf('live', 'record', 'dry-run')(mode)] as const
    }),
  )

/** Where messages of operations go. Without them they are recorded in the console, and it says so. */
export const notifySettings = {
  slackWebhooks: {
    variable: 'DAM_SLACK_WEBHOOKS',
    describe: 'Slack incoming webhooks: #dam-oncall=https://hooks.slack.com/…,#dam-alerts=… (or file:<path>)',
    secret: true,
    parse: namedAddresses,
  },
  slackToken: {
    variable: 'DAM_SLACK_TOKEN',
    describe: 'Slack bot token instead: one card for each incident, kept up to date (or file:<path>)',
    secret: true,
    parse: secretOrFile,
  },
  slackApiUrl: {
    variable: 'DAM_SLACK_API_URL',
    describe: 'Address of the Slack API',
    default: 'https://slack.com/api',
    parse: address('http:', 'https:'),
  },
  pagerDutyKey: {
    variable: 'DAM_PAGERDUTY_KEY',
    describe: 'PagerDuty Events v2 routing key (or file:<path>)',
    secret: true,
    parse: secretOrFile,
  },
  pagerDutyUrl: {
    variable: 'DAM_PAGERDUTY_URL',
    describe: 'Address of the PagerDuty events API',
    default: 'https://events.pagerduty.com',
    parse: address('http:', 'https:'),
  },
  smtpUrl: {
    variable: 'DAM_SMTP_URL',
    describe: 'Mail server: smtp://user:secret@mail.example.com:587 (or file:<path>)',
    secret: true,
    parse: (text: string) => new Secret(address('smtp:', 'smtps:')(secretOrFile(text).reveal())),
  },
  mailFrom: {
    variable: 'DAM_MAIL_FROM',
    describe: 'Sender of mail',
    default: 'DAM operations <dam@dam.local>',
    parse: (text: string) => {
      if (!/^[^\r\n<>]*<?[^@\s<>]+@[^@\s<>]+>?$/.test(text)) throw new Error('expected name@host or Name <name@host>')
      return text
    },
  },
  webhooks: {
    variable: 'DAM_WEBHOOKS',
    describe: 'Webhooks of one’s own by name: chat=https://…,audit=https://… (or file:<path>)',
    secret: true,
    parse: namedAddresses,
  },
  webhookSecret: {
    variable: 'DAM_WEBHOOK_SECRET',
    describe: 'Signs what webhooks get (or file:<path>)',
    secret: true,
    parse: secretOrFile,
  },
  heartbeatUrl: {
    variable: 'DAM_HEARTBEAT_URL',
    describe: 'Watcher outside this machine: asked once a minute while alerts are on time (or file:<path>)',
    secret: true,
    parse: (text: string) => new Secret(address('http:', 'https:')(secretOrFile(text).reveal())),
  },
  notifyModes: {
    variable: 'DAM_NOTIFY_MODES',
    describe: 'live, record or dry-run for a kind of channel: slack=record,pagerduty=dry-run',
    parse: modes,
  },
} as const satisfies Settings

export type NotifyConfig = ValuesOf<typeof notifySettings>
