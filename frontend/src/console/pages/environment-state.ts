import type { EnvironmentOverview } from '@dam/contract/ops-types'
import { plural, t } from '@lingui/core/macro'
import type { Tone } from '../parts/status.tsx'

export type NextStep = { text: string; to?: string; command?: string }
export type EnvironmentState = { tone: Tone; sentence: string; next: NextStep[] }

const dayMs = 86_400_000
/** Older than these, a backup or a drill is worth a word. */
const backupDays = 1
const drillDays = 8

/** Whether all is well with an environment, in one sentence, and if not, what to do next. The worst comes first. */
export function judgeEnvironment(environment: EnvironmentOverview, nowMs: number): EnvironmentState {
  const { health, deployment, incidents, maintenance } = environment
  const severe = incidents.find((incident) => incident.severity <= 'P1')
  if (severe) {
    return {
      tone: 'bad',
      sentence: plural(incidents.length, {
        one: 'Something is wrong: one incident is open.',
        other: 'Something is wrong: # incidents are open.',
      }),
      next: [
        {
          text:
            severe.state === 'open' ? t`Acknowledge and look at “${severe.title}”` : t`Go on with “${severe.title}”`,
          to: `/incidents/${severe.id}`,
        },
      ],
    }
  }
  if (deployment?.state === 'waiting-for-person') {
    return {
      tone: 'warning',
      sentence: t`The deployment of ${deployment.tag} waits for a person to decide.`,
      next: [{ text: t`Look at the evidence and decide`, to: `/deployments/${deployment.id}` }],
    }
  }
  if (health && (health.state === 'unreachable' || health.state === 'unhealthy')) {
    const isNew = environment.active === null && !environment.isLocal
    return isNew
      ? {
          tone: 'neutral',
          sentence: t`Nothing runs here yet.`,
          next: [{ text: t`Deploy a release`, to: '/deployments' }],
        }
      : {
          tone: 'bad',
          sentence:
            health.state === 'unreachable'
              ? t`It does not answer: ${health.message}.`
              : t`It is not healthy: ${health.message}.`,
          next: environment.isLocal
            ? [{ text: t`See what is wrong on the machine:`, command: './dam doctor' }]
            : [{ text: t`See the last deployments, and roll back when one of them did it`, to: '/deployments' }],
        }
  }
  if (deployment) {
    return {
      tone: 'running',
      sentence:
        deployment.kind === 'rollback'
          ? t`It is being rolled back to ${deployment.tag}.`
          : t`${deployment.tag} is being deployed.`,
      next: [{ text: t`Watch it`, to: `/deployments/${deployment.id}` }],
    }
  }
  if (maintenance) return { tone: 'warning', sentence: t`Under maintenance: ${maintenance.reason}`, next: [] }
  const next = upkeepOf(environment, nowMs)
  if (!health) return { tone: 'neutral', sentence: t`Health is not known yet.`, next }
  if (incidents.length > 0) {
    return {
      tone: 'warning',
      sentence: plural(incidents.length, {
        one: 'It works; one incident of low severity is open.',
        other: 'It works; # incidents of low severity are open.',
      }),
      next,
    }
  }
  if (health.state === 'degraded')
    return { tone: 'warning', sentence: t`It works, with limits: ${health.message}.`, next }
  return next.length > 0
    ? { tone: 'warning', sentence: t`It works; one thing needs care.`, next }
    : { tone: 'good', sentence: t`All is well.`, next }
}

function upkeepOf({ name, lastBackupAt, lastDrill }: EnvironmentOverview, nowMs: number): NextStep[] {
  const isOld = (at: string, days: number): boolean => nowMs - Date.parse(at) > days * dayMs
  if (lastBackupAt === null)
    return [{ text: t`There is no backup yet. Make the first one`, to: `/backups?environment=${name}` }]
  if (isOld(lastBackupAt, backupDays))
    return [{ text: t`The last backup is older than a day. Make one`, to: `/backups?environment=${name}` }]
  if (lastDrill && !lastDrill.passed) return [{ text: t`The last restore drill failed. See why`, to: '/drills' }]
  if (lastDrill && isOld(lastDrill.at, drillDays))
    return [{ text: t`No restore drill for more than a week. Run one`, to: '/drills' }]
  return []
}
