import { openIncident } from '../incidents/incident-store.ts'
import { recordAudit } from '../audit/audit.ts'
import { gatherEvidence } from './frozen-evidence.ts'
import { freezeEnvironment } from './freeze-store.ts'
import { automaticRollbacksSince } from './deployment-store.ts'
import { getRelease } from '../releases/release-store.ts'
import { retireOthers, sidesOf } from './traffic-steps.ts'
import type { Step, StepContext, StepResult } from './step.ts'
import { verifyRelease } from './verify-release.ts'

/** rolled-back → verified (or frozen): what is needed to understand it is put away, then what serves now is tried. */
export const verifyRollbackStep: Step = {
  name: 'verify rollback',
  onFailure: 'retry',
  run: async (context) => {
    const { deployment } = context
    if (deployment.data.incidentId === undefined) await openRollbackIncident(context)
    const [back] = sidesOf(context)
    const problem = await tryOut(context, back)
    await retireOthers(context, back)
    return verified(context, problem)
  },
}

function verified({ deps, deployment }: StepContext, problem: string | null): StepResult {
  const { store, policy } = deps
  const now = deps.now()
  const { environment, data } = deployment
  const isAutomatic = deployment.kind === 'deploy' && data.rollback?.trigger !== 'person'
  const since = new Date(now.getTime() - policy.freeze.withinMs)
  const count = isAutomatic ? automaticRollbacksSince(store, environment, since) : 0
  const isFrozen = count >= policy.freeze.automaticRollbacks
  const stamps = { ...data.stamps, ...(problem === null ? { verifiedAt: now.toISOString() } : {}) }
  const outcome = problem === null ? 'verified' : `NOT verified: ${problem}`
  const frozen = `${count} automatic rollbacks within ${policy.freeze.withinMs / 3_600_000} h`
  return {
    state: isFrozen ? 'frozen' : 'verified',
    isEnded: true,
    message: isFrozen
      ? `${outcome}; ${frozen}: ${environment} takes no deployment until a person lifts the freeze`
      : outcome,
    data: { stamps },
    also: () => {
      if (isFrozen) freezeEnvironment(store, { environment, because: frozen, now })
      if (problem !== null) openUnverifiedIncident({ deps, deployment }, problem, now)
    },
  }
}

/** What is wrong with what serves now, or null. */
async function tryOut(context: StepContext, slot: string | null): Promise<string | null> {
  const { deps, deployment } = context
  if (slot === null) return 'nothing serves: the front shows that DAM is being restored'
  const digest = deployment.kind === 'rollback' ? deployment.digest : deployment.previousDigest
  if (digest === null) return 'there is no release before this one'
  return verifyRelease(context, getRelease(deps.store, digest))
}

async function openRollbackIncident(context: StepContext): Promise<void> {
  const { deps, deployment, lease } = context
  const { environment, data, tag } = deployment
  const isPerson = (data.rollback?.trigger ?? 'person') === 'person'
  const evidence = await gatherEvidence(context)
  const now = deps.now()
  const left = deployment.kind === 'rollback' ? (deployment.previousTag ?? 'unknown') : tag
  const because = data.rollback?.because ?? deployment.because
  lease.transaction(() => {
    const { incident } = openIncident(deps.store, {
      environment,
      severity: isPerson ? 'P2' : 'P1',
      title: `${left} was rolled back on ${environment}`,
      cause: because,
      dedupKey: `rollback:${deployment.id}`,
      openedBy: data.rollback?.by ?? deployment.requestedBy,
      deploymentId: deployment.id,
      evidence,
      now,
    })
    context.remember({ incidentId: incident.id })
    recordAudit(deps.store, { who: 'dam: deployer', action: 'incident.open', subject: `incident:${incident.id}`, now })
  })
}

function openUnverifiedIncident(
  { deps, deployment }: Pick<StepContext, 'deps' | 'deployment'>,
  problem: string,
  now: Date,
): void {
  const { environment, id } = deployment
  const title = `${environment} does not work after its rollback`
  openIncident(deps.store, {
    environment,
    severity: 'P0',
    title,
    cause: problem,
    dedupKey: `rollback-unverified:${id}`,
    openedBy: 'dam: deployer',
    deploymentId: id,
    evidence: { problem },
    now,
  })
}
