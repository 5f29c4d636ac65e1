import type { AlertRule, Policy } from '../policy/policy.ts'
import { signals } from '../signals/vocabulary.ts'
import { bannerLines, jsonFile } from './banner.ts'
import type { Exporter, ExportInput } from './exporter.ts'

/** Gauges that the ops process sends, one for each signal; see telemetry/. */
export const datadogMetric = (signal: string): string => `dam.signal.${signal.replaceAll('-', '_')}`

const priorities = { P0: 1, P1: 2, P2: 3, P3: 4 } as const
const timeframes = [1, 5, 10, 15, 30, 60, 120, 240, 1_440] as const

/** Monitors of Datadog's API (v1, `metric alert`) on the signals that DAM sends by OTLP or DogStatsD. */
export const datadogExporter: Exporter = {
  summary: 'Datadog monitors on the signals that DAM sends',
  export: (input) => {
    const unexpressed = [
      'An alert that explains another (inhibitedBy): Datadog has composite monitors only; both notify.',
      'Acknowledgement, escalation and the rotation: PagerDuty or DAM.',
      ...input.policy.alerts.flatMap((rule) => [
        ...(rule.minSamples > 0 ? [`${rule.name}: fires from ${rule.minSamples} samples on only in DAM.`] : []),
        ...(rule.shortWindow === undefined ? [] : [`${rule.name}: its short window.`]),
        ...(rule.keepFiringFor > 0
          ? [`${rule.name}: keepFiringFor is the recovery window here, in whole minutes.`]
          : []),
      ]),
    ]
    return {
      files: [
        {
          path: 'monitors.json',
          text: jsonFile({
            comment: bannerLines(input, unexpressed),
            monitors: input.environments.flatMap((environment) =>
              input.policy.alerts.map((rule) => monitor(input, rule, environment)),
            ),
          }),
        },
      ],
      unexpressed,
    }
  },
}

/** The signal already looks over the rule's window; the monitor asks that it stays bad for `for`. */
function monitor({ policy, consoleUrl }: ExportInput, rule: AlertRule, environment: string) {
  const minutes = Math.max(1, Math.ceil(rule.for / 60_000))
  const timeframe = timeframes.find((one) => one >= minutes) ?? 1_440
  const aggregation = rule.is === 'above' ? 'min' : 'max'
  const operator = rule.is === 'above' ? '>' : '<'
  return {
    name: `[${rule.severity}] ${rule.title} in ${environment}`,
    type: 'metric alert',
    query: `${aggregation}(last_${timeframe >= 60 ? `${timeframe / 60}h` : `${timeframe}m`}):max:${datadogMetric(rule.signal)}{env:${environment},window:${rule.window / 1_000}s} ${operator} ${rule.threshold.value}`,
    message: `${signals[rule.signal].title} is {{value}}, limit {{threshold}}.\n${consoleUrl}/incidents\n${channelsOf(policy, rule)}`,
    priority: priorities[rule.severity],
    tags: ['service:dam', `env:${environment}`, `severity:${rule.severity}`, `playbook:${rule.playbook}`],
    options: {
      thresholds: {
        critical: rule.threshold.value,
        ...(rule.clear.value === rule.threshold.value ? {} : { critical_recovery: rule.clear.value }),
      },
      on_missing_data: { ok: 'resolve', firing: 'show_and_notify_no_data', keep: 'default' }[rule.noData],
      renotify_interval: Math.round(policy.severities[rule.severity].acknowledgementLasts / 60_000),
      include_tags: true,
      require_full_window: false,
    },
  }
}

const channelsOf = (policy: Policy, { severity }: AlertRule): string =>
  policy.severities[severity].channels
    .map((channel) =>
      channel === 'pagerduty'
        ? '@pagerduty-DAM'
        : channel.startsWith('slack:#')
          ? `@slack-${channel.slice('slack:#'.length)}`
          : channel.startsWith('email:')
            ? `@${channel.slice('email:'.length)}`
            : `@webhook-${channel.slice(channel.indexOf(':') + 1)}`,
    )
    .join(' ')
