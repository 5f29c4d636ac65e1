import { findWindowInterval } from './alertmanager-intervals.ts'
import type { Severity } from '../notify/message.ts'
import type { Policy } from '../policy/policy.ts'
import { yamlFile } from './banner.ts'
import type { Exporter, ExportInput } from './exporter.ts'
import { prometheusDuration } from './prometheus-duration.ts'
import { operationsSilent } from './prometheus.ts'

const severities = ['P0', 'P1', 'P2', 'P3'] as const
const secrets = '/etc/alertmanager/secrets'

/**
 * Two configurations: `alertmanager.yml` hands every alert to DAM, which calls people, and calls the P0 receivers itself only when DAM is
 * silent; `alertmanager-direct.yml` calls the receivers of each severity without DAM. Never both: one pager of record.
 */
export const alertmanagerExporter: Exporter = {
  summary: 'Alertmanager: routes by severity, inhibition, windows; through DAM, or straight to the channels',
  export: (input) => {
    const { policy } = input
    const windows = policy.maintenance.windows.map((window) => ({ window, interval: findWindowInterval(window) }))
    const unexpressed = [
      'Escalation levels, the rotation, acknowledgement and its expiry: DAM and PagerDuty have them, Alertmanager has not.',
      'An inhibited alert is left out; DAM lists it inside the incident that explains it.',
      'Reopening within 15 minutes as the same incident.',
      ...windows
        .filter(({ interval }) => interval === null)
        .map(({ window }) => `Maintenance window ${window.name}: ${window.rule} is no time interval of Alertmanager.`),
      ...policy.maintenance.windows
        .filter(({ absorbs }) => absorbs.length > 0)
        .map(
          ({ name, absorbs }) =>
            `${name} takes the place of ${absorbs.join(', ')}; here both are muted, which is the same.`,
        ),
    ]
    const intervals = windows.flatMap(({ window, interval }) =>
      interval === null ? [] : [{ name: window.name, time_intervals: [interval] }],
    )
    const muted = intervals.length > 0 ? { mute_time_intervals: intervals.map(({ name }) => name) } : {}
    const common = {
      global: { resolve_timeout: '5m' },
      templates: [],
      inhibit_rules: inhibitions(policy),
      time_intervals: intervals,
    }
    const timing = (severity: Severity) => ({
      group_by: ['environment', 'cause'],
      group_wait: severity === 'P0' ? '0s' : '30s',
      group_interval: '30s',
      repeat_interval: prometheusDuration(policy.severities[severity].acknowledgementLasts),
    })
    const bySeverity = (receiverOf: (severity: Severity) => string) =>
      severities.map((severity) => ({
        matchers: [`severity="${severity}"`],
        receiver: receiverOf(severity),
        ...timing(severity),
        // What is critical is told during maintenance, too.
        ...(severity === 'P0' ? {} : muted),
      }))
    const silent = { matchers: [`alertname="${operationsSilent}"`], receiver: 'P0', ...timing('P0') }
    return {
      files: [
        {
          path: 'alertmanager.yml',
          text: yamlFile(input, unexpressed, {
            ...common,
            route: { receiver: 'dam', ...timing('P1'), routes: [silent, ...bySeverity(() => 'dam')] },
            receivers: [damReceiver(input), channelReceiver(policy, 'P0')],
          }),
        },
        {
          path: 'alertmanager-direct.yml',
          text: yamlFile(input, unexpressed, {
            ...common,
            route: { receiver: 'P1', ...timing('P1'), routes: bySeverity((severity) => severity) },
            receivers: severities.map((severity) => channelReceiver(policy, severity)),
          }),
        },
      ],
      unexpressed,
    }
  },
}

const inhibitions = (policy: Policy) =>
  policy.alerts
    .filter(({ inhibitedBy }) => inhibitedBy.length > 0)
    .map(({ name, inhibitedBy }) => ({
      source_matchers: [`alertname=~"${inhibitedBy.join('|')}"`],
      target_matchers: [`alertname="${name}"`],
      equal: ['environment'],
    }))

const damReceiver = ({ consoleUrl }: ExportInput) => ({
  name: 'dam',
  webhook_configs: [
    {
      url: `${consoleUrl}/api/ops/v1/inbound/alertmanager/`,
      send_resolved: true,
      http_config: { authorization: { type: 'Token', credentials_file: `${secrets}/dam-token` } },
    },
  ],
})

const title = '{{ .CommonAnnotations.summary }}'
const text = '{{ range .Alerts }}{{ .Annotations.description }}\n{{ end }}'

function channelReceiver(policy: Policy, severity: Severity) {
  const { channels } = policy.severities[severity]
  const of = (kind: string): string[] =>
    channels.filter((channel) => channel.startsWith(`${kind}:`)).map((channel) => channel.slice(kind.length + 1))
  const pages = channels.includes('pagerduty')
  const levels = { P0: 'critical', P1: 'error', P2: 'warning', P3: 'info' } as const
  return {
    name: severity,
    ...(pages
      ? {
          pagerduty_configs: [
            {
              routing_key_file: `${secrets}/pagerduty`,
              send_resolved: true,
              severity: levels[severity],
              description: title,
              component: 'dam',
              group: '{{ .CommonLabels.environment }}',
            },
          ],
        }
      : {}),
    ...(of('slack').length > 0
      ? {
          slack_configs: of('slack').map((channel) => ({
            api_url_file: `${secrets}/slack${channel.replace('#', '-')}`,
            channel,
            send_resolved: true,
            title: `${severity} ${title}`,
            text,
          })),
        }
      : {}),
    ...(of('email').length > 0
      ? {
          email_configs: of('email').map((to) => ({
            to,
            from: 'dam@dam.local',
            smarthost: 'localhost:587',
            auth_username: 'dam',
            auth_password_file: `${secrets}/smtp`,
            send_resolved: true,
            headers: { Subject: `[${severity}] ${title}` },
          })),
        }
      : {}),
    ...(of('webhook').length > 0
      ? {
          webhook_configs: of('webhook').map((name) => ({
            url_file: `${secrets}/webhook-${name}`,
            send_resolved: true,
          })),
        }
      : {}),
  }
}
