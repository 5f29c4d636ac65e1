import { gateKinds } from '../gates/gate.ts'
import { isOpen } from '../gates/evaluate-gates.ts'
import { getRelease, listReleases } from '../releases/release-store.ts'
import { canRunOn } from '../releases/release-schema.ts'
import type { Release } from '../releases/release.ts'
import { readFreeze } from './freeze-store.ts'
import { readPointer } from './pointer-store.ts'
import { appliedMigrations, labels, migrateUp, pendingMigrations } from './schema-access.ts'
import { type Step, type StepContext, StepFailure } from './step.ts'
import { addDeploymentEvent } from './deployment-store.ts'

export const releaseOf = ({ deps, deployment }: Pick<StepContext, 'deps' | 'deployment'>): Release =>
  getRelease(deps.store, deployment.digest)

/** requested → gated */
export const gatesStep: Step = {
  name: 'gates',
  onFailure: 'unwind',
  run: async (context) => {
    const { deps, deployment } = context
    const statuses = await deps.evaluateGates(releaseOf(context), deployment.requestedBy)
    const required = statuses.filter(({ kind }) => deps.policy.requiredGates.includes(kind))
    const missing = deps.policy.requiredGates.filter((kind) => !statuses.some((status) => status.kind === kind))
    if (missing.length > 0) throw new StepFailure(`no answer for ${missing.map((kind) => gateKinds[kind]).join(', ')}`)
    // The backup of this very deployment is made two steps on, and that step fails without it.
    const closed = required.filter((status) => !isOpen(status) && status.kind !== 'backup')
    if (closed.length > 0) {
      const lines = closed.map(
        ({ title, state, evidence, remedy }) =>
          `${title}: ${state}, ${evidence.summary}${remedy ? ` → ${remedy}` : ''}`,
      )
      throw new StepFailure(
        `${closed.length === 1 ? 'a gate is' : `${closed.length} gates are`} closed\n${lines.join('\n')}`,
      )
    }
    const states = statuses.map(({ kind, state }) => `${kind} ${state}`).join(', ')
    return { state: 'gated', message: states, detail: { gates: statuses } }
  },
}

/** gated → locked: what was true at the request is true now, and nobody else can change it from here on. */
export const lockStep: Step = {
  name: 'lock',
  onFailure: 'unwind',
  run: async (context) => {
    const { deps, deployment, lease } = context
    const { store } = deps
    const freeze = readFreeze(store, deployment.environment)
    if (freeze && deployment.kind === 'deploy') {
      throw new StepFailure(
        `${deployment.environment} is frozen since ${freeze.at}: ${freeze.because}. A person lifts it: ./dam deploy --unfreeze ${deployment.environment} --reason "…"`,
      )
    }
    const release = releaseOf(context)
    // Going back to what was left once may be the lesser evil; a person named it.
    if (release.verdict === 'quarantined' || (release.verdict === 'bad' && deployment.kind === 'deploy')) {
      throw new StepFailure(
        `${release.tag} is ${release.verdict}: ${release.verdictBecause}. A person lifts it: ./dam deploy --lift-quarantine ${release.tag} --reason "…"`,
      )
    }
    const oldSlot = readPointer(store, deployment.environment)?.active?.slot ?? null
    return { state: 'locked', message: `token ${lease.token}`, data: { oldSlot } }
  },
}

/** locked → backed-up */
export const backupStep: Step = {
  name: 'backup',
  onFailure: 'unwind',
  run: async (context) => {
    const { deps, deployment, note } = context
    const databaseUrl = requireDatabase(context)
    const applied = await appliedMigrations(databaseUrl)
    const schemaBefore = applied.at(-1)?.number ?? 0
    if (applied.length === 0) {
      return { state: 'backed-up', isSkipped: true, message: 'the database is empty', data: { schemaBefore } }
    }
    const pending = pendingMigrations(releaseOf(context), applied)
    const latest = deps.latestBackup()
    const ageMs = latest ? deps.now().getTime() - Date.parse(latest.startedAt) : Infinity
    if (pending.length === 0 && latest && ageMs < deps.policy.backupMaxAgeMs) {
      const message = `no migration is pending and ${latest.id} is ${Math.floor(ageMs / 60_000)} minutes old`
      return { state: 'backed-up', isSkipped: true, message, data: { schemaBefore, backupId: latest.id } }
    }
    if (pending.length > 0) note(`${labels(pending)} will be applied: backing up first`)
    const backup = await deps.createBackup(`deployment:${deployment.id}`)
    if (backup.state !== 'ok' && backup.state !== 'verified') {
      throw new StepFailure(`the backup ${backup.id} is ${backup.state}: ${backup.message}`)
    }
    return { state: 'backed-up', message: backup.id, data: { schemaBefore, backupId: backup.id } }
  },
}

/** backed-up → migrated: expand only. What the release before cannot run on waits until nobody goes back to it. */
export const migrateStep: Step = {
  name: 'install and migrate',
  onFailure: 'unwind',
  run: async (context) => {
    const { deps, deployment, note } = context
    const release = releaseOf(context)
    const databaseUrl = requireDatabase(context)
    const { dir } = await deps.installRelease(release, note)
    const applied = await appliedMigrations(databaseUrl)
    const previous = deployment.previousDigest === null ? null : getRelease(deps.store, deployment.previousDigest)
    const pending = pendingMigrations(release, applied)
    const fit =
      previous && pending.length > 0 ? canRunOn(previous, [...applied, ...pending], listReleases(deps.store)) : null
    if (previous && fit && !fit.canRun) {
      throw new StepFailure(
        `${previous.tag} is what we would roll back to, and it cannot run on what ${release.tag} brings: ${fit.because}. Go in two steps: first deploy a release whose code no longer needs the old schema and let it become good, then the one that changes it; the release right after ${previous.tag} may bring what lets ${previous.tag} run.`,
      )
    }
    const steps = await migrateUp({ connectionString: databaseUrl, releaseDir: dir, say: note })
    return {
      state: 'migrated',
      isSkipped: steps.length === 0,
      message: steps.length === 0 ? 'nothing to migrate' : `${steps.length} migrations applied`,
      also: () => {
        if (steps.length === 0) return
        addDeploymentEvent(deps.store, deployment.id, {
          state: 'migrated',
          step: 'install and migrate',
          status: 'note',
          message: labels(steps),
          now: deps.now(),
        })
      },
    }
  },
}

export function requireDatabase({ deps }: Pick<StepContext, 'deps'>): string {
  const url = deps.databaseUrl()
  if (url !== null) return url
  throw new StepFailure(
    `The database of ${deps.environment.name} does not run. Its keeper starts it: ./dam host up, then ./dam host status.`,
  )
}
