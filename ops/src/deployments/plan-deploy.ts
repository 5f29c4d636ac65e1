import { isOpen } from '../gates/evaluate-gates.ts'
import type { GateStatus } from '../gates/gate.ts'
import { canRunOn } from '../releases/release-schema.ts'
import { listReleases, resolveRelease } from '../releases/release-store.ts'
import type { DeployerDeps } from './deployer-deps.ts'
import { openDeployment } from './deployment-store.ts'
import { readFreeze } from './freeze-store.ts'
import { livingHolder } from './lease-store.ts'
import { activeRelease } from './request-deployment.ts'
import { appliedMigrations, labels, pendingMigrations } from './schema-access.ts'

export type DeployPlan = {
  environment: string
  tag: string
  digest: string
  from: string | null
  gates: (GateStatus & { isRequired: boolean })[]
  /** What stands in the way besides gates. */
  obstacles: string[]
  steps: string[]
  canRun: boolean
}

/** What a deployment would do now, by the same evaluators. Changes nothing. */
export async function planDeploy(deps: DeployerDeps, tag: string): Promise<DeployPlan> {
  const { store, environment, policy } = deps
  const release = resolveRelease(store, tag)
  const previous = activeRelease(store, environment.name)
  const required = new Set(policy.requiredGates)
  const gates = (await deps.evaluateGates(release, deps.who)).map((status) => ({
    ...status,
    isRequired: required.has(status.kind),
  }))
  const obstacles: string[] = []
  const freeze = readFreeze(store, environment.name)
  if (freeze) obstacles.push(`${environment.name} is frozen since ${freeze.at}: ${freeze.because}`)
  if (release.verdict === 'bad' || release.verdict === 'quarantined')
    obstacles.push(`${tag} is ${release.verdict}: ${release.verdictBecause}`)
  if (previous?.digest === release.digest) obstacles.push(`${tag} is what ${environment.name} serves already`)
  const open = openDeployment(store, environment.name)
  if (open) obstacles.push(`deployment ${open.id} of ${open.tag} by ${open.requestedBy} is ${open.state}`)
  const holder = livingHolder(store, environment.name, deps.now())
  if (holder) obstacles.push(`${holder.who} holds the lock since ${holder.since}: ${holder.purpose}`)
  const databaseUrl = deps.databaseUrl()
  if (databaseUrl === null) obstacles.push(`the database of ${environment.name} does not run: ./dam host up`)
  const applied = databaseUrl === null ? null : await appliedMigrations(databaseUrl)
  const pending = applied ? pendingMigrations(release, applied) : []
  if (applied && previous && pending.length > 0) {
    const fit = canRunOn(previous, [...applied, ...pending], listReleases(store))
    if (!fit.canRun) obstacles.push(`${previous.tag} could not be rolled back to: ${fit.because}`)
  }
  const latest = deps.latestBackup()
  const isFresh = latest !== undefined && deps.now().getTime() - Date.parse(latest.startedAt) < policy.backupMaxAgeMs
  const bakeMinutes = policy.bake.bakeMs / 60_000
  const steps = [
    applied?.length === 0
      ? 'no backup: the database is empty'
      : pending.length === 0 && isFresh
        ? `no backup: ${latest.id} is young enough`
        : 'back up database and originals',
    applied === null
      ? 'migrate: unknown, the database does not run'
      : pending.length === 0
        ? 'nothing to migrate'
        : `apply ${labels(pending)}`,
    `start ${tag} on a private port and wait until it says ${policy.ready.times} times that it can serve`,
    'walk the warm-up journey on it',
    `cut over${previous ? `, ${policy.controlSharePercent.toFixed(0)} % of the sessions stay on ${previous.tag}` : ''}`,
    `bake for ${bakeMinutes < 1 ? `${bakeMinutes * 60} s` : `${bakeMinutes} min`}; ${previous ? `a bad verdict points back to ${previous.tag} at once` : 'a bad verdict leaves the maintenance page'}`,
  ]
  // The deployment itself makes the backup.
  const closed = gates.filter((status) => status.isRequired && !isOpen(status) && status.kind !== 'backup')
  return {
    environment: environment.name,
    tag,
    digest: release.digest,
    from: previous?.tag ?? null,
    gates,
    obstacles,
    steps,
    canRun: closed.length === 0 && obstacles.length === 0,
  }
}
