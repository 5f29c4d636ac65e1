import type { Environment } from '../environments/environment.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { readBackupFacts } from './backup-facts.ts'
import type { GateDeps } from './gate-deps.ts'
import { dayMs, defaultGatePolicy, type GatePolicy, hourMs, minuteMs } from './gate-policy.ts'
import { remoteUrl } from './review/commits.ts'
import { type ForgeSettings, forgeOf } from './review/forge-of-remote.ts'
import { reviewRelease } from './review/review-release.ts'
import { latestBackup } from '../backup/backup-store.ts'
import { runningDatabaseUrl } from '../environments/running-database.ts'
import { inspectRelease } from '../releases/release-condition.ts'
import { readRollbackFacts } from './rollback-facts.ts'

/** What the evaluator needs, from the real sources of one host. */
export function gateDepsOf(options: {
  store: Store
  hostDir: string
  environments: readonly Environment[]
  /** A clone that has the commits of the releases. */
  repositoryDir: string
  forge: ForgeSettings
  policy: GatePolicy
}): GateDeps {
  const { store, hostDir, environments, repositoryDir, policy } = options
  const environmentOf = (name: string): Environment => {
    const found = environments.find((environment) => environment.name === name)
    if (found) return found
    throw new Error(`There is no environment ${name}. There is: ${environments.map((one) => one.name).join(', ')}`)
  }
  return {
    store,
    policy,
    review: async (release, now) => {
      const forge = forgeOf(options.forge, await remoteUrl(repositoryDir))
      return reviewRelease({ store, repositoryDir, forge }, release, now)
    },
    latestBackup: (environment) => readBackupFacts(store, environmentOf(environment)),
    planRollback: (environment, release) =>
      readRollbackFacts(
        {
          store,
          environment,
          databaseUrl: runningDatabaseUrl(environmentOf(environment)),
          latestBackup: latestBackup(store, environment),
          conditionOf: (target) => inspectRelease(hostDir, target),
          withinMs: policy.rollbackMinutes * minuteMs,
        },
        release,
      ),
  }
}

/** The gates' numbers as the policy file has them. */
export function gatePolicyOf({ deploy }: Pick<Policy, 'deploy'>): GatePolicy {
  const { gates, rollbackWithin } = deploy
  return {
    ...defaultGatePolicy,
    testsHours: gates.testsValidFor / hourMs,
    securityDays: gates.securityValidFor / dayMs,
    performanceDays: gates.performanceValidFor / dayMs,
    backupMinutes: gates.backupValidFor / minuteMs,
    waiverDays: gates.waiverAtMost / dayMs,
    rollbackMinutes: rollbackWithin / minuteMs,
  }
}
