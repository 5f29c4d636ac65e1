import path from 'node:path'
import { latestBackup } from '../backup/backup-store.ts'
import { createBackup } from '../backup/create-backup.ts'
import { hostFolders } from '../environments/environment.ts'
import { environmentOf, readHost } from '../environments/host.ts'
import { runningDatabaseUrl } from '../environments/running-database.ts'
import { readSyntheticSecret } from '../environments/synthetic-secret.ts'
import { createFrontClient } from '../front/front-client.ts'
import type { GateStatus } from '../gates/gate.ts'
import { enqueue } from '../notify/outbox-store.ts'
import { onCall } from '../oncall/schedule.ts'
import { readSchedule } from '../oncall/oncall-store.ts'
import type { Policy } from '../policy/policy.ts'
import { installRelease } from '../releases/install-release.ts'
import { inspectRelease } from '../releases/release-condition.ts'
import type { Release } from '../releases/release.ts'
import type { Store } from '../store.ts'
import { runJourney } from '../verification/run-journey.ts'
import { ensureSyntheticAccount } from '../verification/synthetic-account.ts'
import { verifyEnvironment } from '../verification/verify-environment.ts'
import { type DeployPolicy, defaultDeployPolicy, withBake } from './deploy-policy.ts'
import type { DeployerDeps } from './deployer-deps.ts'
import { activeRelease } from './request-deployment.ts'

export type DeployerOptions = {
  store: Store
  hostDir: string
  environment: string
  who: string
  policy: Policy
  /** Instead of the policy's; for staging and tests. */
  bakeMs?: number | undefined
  evaluateGates: (release: Release, requestedBy: string) => Promise<GateStatus[]>
  progress: DeployerDeps['progress']
}

/** A deployer made of the real parts of this host. */
export function wireDeployer(options: DeployerOptions): DeployerDeps {
  const { store, hostDir, policy } = options
  const { runDir, ...environment } = environmentOf(hostDir, options.environment)
  if (runDir === null) throw new Error(`${environment.name} has no run folder, so nothing can be deployed to it.`)
  const now = (): Date => new Date()
  const databaseUrl = (): string | null => runningDatabaseUrl(environment)
  const journey = async (baseUrl: string, release: Release, timeoutMs: number) => {
    const connectionString = databaseUrl()
    if (connectionString === null) throw new Error(`the database of ${environment.name} does not run`)
    const account = await ensureSyntheticAccount({ connectionString, runDir })
    const syntheticSecret = readSyntheticSecret(runDir)
    return runJourney({ baseUrl, ...account, syntheticSecret, expectedVersion: release.version, timeoutMs })
  }
  const host = ['0.0.0.0', '::', 'localhost'].includes(environment.host) ? '127.0.0.1' : environment.host
  // Straight to the front: a proxy in front of it is not what is tried.
  const frontUrl = `http://${host.includes(':') ? `[${host}]` : host}:${environment.port}`
  return {
    store,
    hostDir,
    environment: { ...environment, runDir },
    slotPorts: readHost(hostDir).slotPorts,
    policy: deployPolicyOf(policy, environment.name, options.bakeMs),
    who: options.who,
    now,
    front: createFrontClient(path.join(runDir, 'front.sock')),
    installRelease: (release, say) => installRelease({ hostDir, release, say }),
    conditionOf: (release) => inspectRelease(hostDir, release),
    evaluateGates: options.evaluateGates,
    createBackup: (neededBy) => {
      const connectionString = databaseUrl()
      if (connectionString === null) throw new Error(`the database of ${environment.name} does not run`)
      return createBackup(
        { store, backupsDir: hostFolders(hostDir).backups, connectionString },
        {
          environment: { ...environment, runDir },
          kind: 'deployment',
          now: now(),
          release: activeRelease(store, environment.name)?.tag ?? 'none',
          neededBy,
        },
      )
    },
    latestBackup: () => latestBackup(store, environment.name),
    databaseUrl,
    warmUp: ({ baseUrl, release }) => journey(baseUrl, release, 60_000),
    verify: async ({ version }) => {
      const { lists } = await verifyEnvironment({
        environment: { ...environment, runDir },
        store,
        policy,
        opsDir: hostFolders(hostDir).ops,
        connectionString: databaseUrl(),
        version,
        journey: null,
        now: now(),
      })
      return lists.flatMap(({ lines }) => lines)
    },
    topUp: async () => {
      const active = activeRelease(store, environment.name)
      if (active) await journey(frontUrl, active, 30_000)
    },
    notify: (message, key) => enqueue(store, message, { channels: policy.channels.deployments, key, now: now() }),
    onCall: (at) => {
      const { primary } = onCall(readSchedule(store, policy, at), at)
      return policy.people.find(({ id }) => id === primary)?.name ?? primary
    },
    progress: options.progress,
  }
}

/** The policy file's numbers for an environment. */
export function deployPolicyOf({ deploy }: Policy, environment: string, bakeMs?: number): DeployPolicy {
  const usual = defaultDeployPolicy(environment)
  const bake = environment === 'staging' ? deploy.bake.staging : deploy.bake.production
  return {
    ...withBake(usual, bakeMs ?? bake.duration),
    nextLookAfterMs: (sinceMs) => (sinceMs < bake.closeUntil ? bake.lookEvery : bake.thenEvery),
    controlSharePercent: Math.round(deploy.controlShare * 1000) / 10,
    backupMaxAgeMs: deploy.gates.backupValidFor,
    freeze: { automaticRollbacks: deploy.automaticRollbacksBeforeFreeze, withinMs: deploy.freezeWindow },
    rollbackWithinMs: deploy.rollbackWithin,
  }
}
