import { describeCondition, formatValue } from '../alerts/describe-reading.ts'
import type { AlertRule, Policy } from '../policy/policy.ts'
import { formatDuration } from '../policy/units.ts'
import { signals } from '../signals/vocabulary.ts'
import { by, type Chapter, type RunbookEntry, type RunbookSource } from './chapter.ts'

const groupTitles = {
  application: 'Application metrics',
  infrastructure: 'Infrastructure metrics',
  business: 'Business metrics',
} as const

/** What is measured, and when somebody hears of it. */
export function monitoringChapter({ policy, channelState }: RunbookSource): Chapter {
  const { service } = policy
  return {
    title: 'Monitoring and alerts',
    sections: [
      ...(['application', 'infrastructure', 'business'] as const).map((group) => ({
        title: groupTitles[group],
        entries: Object.entries(signals)
          .filter(([, signal]) => signal.group === group)
          .map(([name, { title }]) => metricEntry(policy, name as AlertRule['signal'], title)),
      })),
      ...(['P0', 'P1', 'P2', 'P3'] as const).map((severity) => {
        const { title, acknowledgeWithin, channels } = policy.severities[severity]
        return {
          title: `${severity}: ${title}`,
          entries: [
            ...policy.alerts
              .filter((rule) => rule.severity === severity)
              .map((rule) => ({ text: rule.title, note: explainRule(rule), page: '/alerts' })),
            ...(severity === 'P3' ? [{ text: 'Minor issues', command: './dam page', page: '/incidents' }] : []),
            {
              text: `Response time: under ${formatDuration(acknowledgeWithin)}`,
              note: `told to ${channels.join(', ')}`,
            },
          ],
        }
      }),
      {
        title: 'Monitoring tools',
        entries: [
          { text: 'Sentry (error tracking)', url: service.sentryUrl, note: 'alerts by e-mail, Slack, PagerDuty' },
          { text: 'Datadog (metrics)', url: service.datadogUrl, note: 'performance, infrastructure, business' },
          { text: 'Live plots of the same signals', page: '/signals' },
          { text: 'What fires now, and silences', command: './dam alerts', page: '/alerts' },
          { text: 'Health check endpoint: /health', url: `${service.productionUrl}/health` },
          { text: 'Metrics endpoint: /metrics', url: `${service.productionUrl}/metrics` },
          ...[...new Set(Object.values(policy.severities).flatMap(({ channels }) => channels))].map((channel) =>
            channelEntry(channel, channelState),
          ),
        ],
      },
    ],
  }
}

function metricEntry(policy: Policy, name: AlertRule['signal'], title: string): RunbookEntry {
  const target = policy.targets[name]
  const bound = target?.below ?? target?.above
  const aim = target && bound ? `target: ${target.below ? 'below' : 'above'} ${formatValue(name, bound.value)}` : ''
  const limits = policy.alerts
    .filter((rule) => rule.signal === name)
    .map((rule) => `alert: ${rule.is} ${formatValue(name, rule.threshold.value)} (${rule.severity})`)
  const note = [aim, ...limits].filter(Boolean).join('; ')
  return { text: title, page: '/signals', ...(note ? { note } : {}) }
}

const explainRule = (rule: AlertRule): string =>
  `${describeCondition(rule)} over ${formatDuration(rule.window)}${rule.for > 0 ? ` for ${formatDuration(rule.for)}` : ''}`

function channelEntry(address: string, channelState: RunbookSource['channelState']): RunbookEntry {
  const missing = channelState(address)
  return { text: `Channel ${address}`, note: missing === null ? 'set up' : `not set up: ${missing}` }
}

/** Whom one reaches, and how. */
export function contactsChapter({ policy, channelState }: RunbookSource): Chapter {
  const { oncall, people, escalation, channels } = policy
  const person = (id: string): string => {
    const found = people.find((one) => one.id === id)
    return found ? [found.name, found.phone, found.email].filter(Boolean).join(' – ') : id
  }
  const weeks = 'weeks' in oncall.period ? `${oncall.period.weeks} week(s)` : `${oncall.period.days} day(s)`
  return {
    title: 'Emergency contacts',
    sections: [
      {
        title: 'On-call rotation',
        entries: [
          ...(oncall.rotation.length === 0
            ? [{ text: 'Nobody is entered yet', note: 'people and oncall.rotation of the policy (DAM_POLICY)' }]
            : oncall.rotation.map((id, index) => ({
                text: `Turn ${index + 1}: ${person(id)}`,
                note: `${weeks} each`,
              }))),
          { text: 'Primary and secondary now', command: './dam oncall', page: '/oncall' },
          {
            text: 'Secondary',
            note: `${oncall.secondary.replaceAll('-', ' ')}, called ${formatDuration(escalation.secondaryAfter)} after the primary`,
          },
        ],
      },
      {
        title: 'Escalation path',
        entries: escalation.levels.map((level) => ({
          text: `Level ${level.level}: ${level.title}`,
          note: [
            `response: under ${formatDuration(level.respondWithin)}`,
            level.resolves.length > 0 ? `resolves ${level.resolves.join(', ')}` : '',
            level.atOnceFor.length > 0
              ? `called at once for ${level.atOnceFor.join(', ')}`
              : `called after ${formatDuration(level.after)}`,
            level.to === 'oncall' ? 'whoever is on call' : level.to.map(person).join(', ') || 'nobody is entered yet',
          ]
            .filter(Boolean)
            .join('; '),
          page: '/oncall',
        })),
      },
      {
        title: 'Communication channels',
        entries: [
          { ...channelEntry(channels.oncall, channelState), page: '/oncall' },
          { ...channelEntry(channels.incidents, channelState), page: '/incidents' },
          { ...channelEntry(channels.alerts, channelState), page: '/alerts' },
          channelEntry(channels.pagerOfRecord, channelState),
          channelEntry(channels.oncallEmail, channelState),
          channelEntry(channels.incidentsEmail, channelState),
          { text: 'Call somebody by hand', command: './dam page' },
          { text: 'Tell the public', url: '/status', page: '/incidents' },
        ],
      },
    ],
  }
}

/** The rules that the policy ships with in words; another one as it is written. */
const daysOf = (rule: string): string =>
  ({ 'FREQ=WEEKLY;BYDAY=SU': 'weekly on Sunday', 'FREQ=MONTHLY;BYDAY=1SU': 'monthly on the first Sunday' })[rule] ??
  rule

/** When work is done that users notice. */
export function maintenanceChapter({ policy }: RunbookSource): Chapter {
  const { maintenance, checklists } = policy
  const lines = (texts: readonly string[]): RunbookEntry[] => texts.map((text) => ({ text }))
  return {
    title: 'Maintenance windows',
    sections: [
      {
        title: 'Scheduled maintenance',
        entries: [
          ...maintenance.windows.map((window) => ({
            text: `${window.name}: ${daysOf(window.rule)}, ${window.at} ${window.zone}, ${formatDuration(window.duration)}`,
            note: `announced ${formatDuration(window.noticeBefore)} before${window.absorbs.length > 0 ? `; takes the place of ${window.absorbs.join(', ')}` : ''}`,
          })),
          { text: 'What is coming', command: './dam maintenance', page: '/maintenance' },
        ],
      },
      { title: 'Before maintenance', entries: lines(checklists.maintenanceBefore) },
      { title: 'During maintenance', entries: lines(checklists.maintenanceDuring) },
      { title: 'After maintenance', entries: lines(checklists.maintenanceAfter) },
    ],
  }
}

/** What DAM says of itself. */
export function healthChapter({ policy }: RunbookSource): Chapter {
  const { productionUrl } = policy.service
  return {
    title: 'Health check endpoints',
    sections: [
      {
        title: 'Application health',
        entries: [
          {
            ...by(
              'Answers status, version and timestamp',
              `curl ${productionUrl}/health`,
              `curl ${productionUrl}/health`,
              '/',
            ),
            note: '{ "status": "healthy", "version": "…", "timestamp": "…" }',
          },
        ],
      },
      {
        title: 'API health',
        entries: [
          {
            ...by(
              'Asks database and cache as well',
              `curl ${productionUrl}/api/health`,
              `curl ${productionUrl}/api/health`,
              '/',
            ),
            note: '{ "status": "healthy", "database": "connected", "cache": "connected", "version": "…" }',
          },
        ],
      },
      {
        title: 'Metrics endpoint',
        entries: [
          by('Prometheus format', `curl ${productionUrl}/metrics`, `curl ${productionUrl}/metrics`, '/signals'),
        ],
      },
    ],
  }
}
