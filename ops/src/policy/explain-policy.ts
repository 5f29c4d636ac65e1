import { describeCondition, formatValue } from '../alerts/describe-reading.ts'
import { signals } from '../signals/vocabulary.ts'
import type { AlertRule, Policy } from './policy.ts'
import { formatDuration } from './units.ts'

/** What a policy means, as sections of plain sentences; the runbook of the console and `./dam policy explain` show the same. */
export function explainPolicy(policy: Policy): { title: string; lines: string[] }[] {
  const nameOf = (id: string): string => policy.people.find((person) => person.id === id)?.name ?? id
  return [
    {
      title: 'Key metrics',
      lines: Object.entries(policy.targets).map(([name, target]) => {
        const signal = name as AlertRule['signal']
        const bound = target.below ?? target.above
        return `${signals[signal].title}: ${target.below ? 'below' : 'above'} ${formatValue(signal, bound?.value ?? null)} over ${formatDuration(target.window)}`
      }),
    },
    ...(['P0', 'P1', 'P2', 'P3'] as const).map((severity) => {
      const { title, acknowledgeWithin, channels } = policy.severities[severity]
      return {
        title: `${severity}: ${title}`,
        lines: [
          `Acknowledged within ${formatDuration(acknowledgeWithin)}; told to ${channels.join(', ')}`,
          ...policy.alerts.filter((rule) => rule.severity === severity).map(explainRule),
        ],
      }
    }),
    {
      title: 'On call',
      lines: [
        policy.oncall.rotation.length === 0
          ? 'Nobody is entered: alerts reach the channels only.'
          : `${policy.oncall.rotation.map(nameOf).join(', ')} in turn, ${'weeks' in policy.oncall.period ? `${policy.oncall.period.weeks} week(s)` : `${policy.oncall.period.days} day(s)`} each, from ${policy.oncall.anchor} (${policy.oncall.zone})`,
        ...policy.oncall.changes.map(({ from, rotation }) => `from ${from}: ${rotation.map(nameOf).join(', ')}`),
      ],
    },
    {
      title: 'Escalation',
      lines: policy.escalation.levels.map(
        ({ level, title, after, respondWithin, atOnceFor, to }) =>
          `Level ${level}, ${title}: ${after === 0 ? 'at once' : `after ${formatDuration(after)}`}${atOnceFor.length > 0 ? ` (${atOnceFor.join(', ')} at once)` : ''}, answers within ${formatDuration(respondWithin)}; ${to === 'oncall' ? `whoever is on call, the secondary ${formatDuration(policy.escalation.secondaryAfter)} later` : to.length === 0 ? 'nobody entered' : to.map(nameOf).join(', ')}`,
      ),
    },
    {
      title: 'Maintenance windows',
      lines: policy.maintenance.windows.map(
        ({ name, rule, at, duration, zone, noticeBefore, absorbs }) =>
          `${name}: ${rule} at ${at} ${zone} for ${formatDuration(duration)}, announced ${formatDuration(noticeBefore)} before${absorbs.length > 0 ? `; takes the place of ${absorbs.join(', ')}` : ''}`,
      ),
    },
    {
      title: 'Deployments',
      lines: [
        `Tests count for ${formatDuration(policy.deploy.gates.testsValidFor)}, the security scan for ${formatDuration(policy.deploy.gates.securityValidFor)}, performance for ${formatDuration(policy.deploy.gates.performanceValidFor)}, a backup for ${formatDuration(policy.deploy.gates.backupValidFor)}`,
        `A release bakes ${formatDuration(policy.deploy.bake.production.duration)} in production and ${formatDuration(policy.deploy.bake.staging.duration)} in staging, with ${Math.round(policy.deploy.controlShare * 100)} % of sessions on the release before`,
        `Rolled back within ${formatDuration(policy.deploy.rollbackWithin)}; ${policy.deploy.automaticRollbacksBeforeFreeze} automatic rollbacks in ${formatDuration(policy.deploy.freezeWindow)} freeze deployments`,
      ],
    },
    {
      title: 'Backups',
      lines: [
        `Every ${formatDuration(policy.backup.every)} at ${policy.backup.at} UTC, a restore drill every ${formatDuration(policy.backup.drillEvery)}`,
        `Kept: all of ${policy.backup.keep.hours} h, ${policy.backup.keep.daily} daily, ${policy.backup.keep.weekly} weekly, ${policy.backup.keep.monthly} monthly`,
      ],
    },
  ]
}

/** `error-rate-high: Error rate above 1 % over 5 min for 5 min; over at 0.7 %` */
export const explainRule = (rule: AlertRule): string =>
  `${rule.name}: ${describeCondition(rule)} over ${formatDuration(rule.window)}${rule.for > 0 ? ` for ${formatDuration(rule.for)}` : ''}; over at ${formatValue(rule.signal, rule.clear.value)}`
