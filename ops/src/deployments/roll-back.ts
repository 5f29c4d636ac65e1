import { recordAudit } from '../audit/audit.ts'
import { activeWindow } from '../maintenance/window-store.ts'
import { setVerdict } from '../releases/release-store.ts'
import type { DeploymentData } from './deployment.ts'
import { readPointer } from './pointer-store.ts'
import { upstreamOf, point } from './traffic-steps.ts'
import { findSlot, setDesired } from './slot-store.ts'
import type { StepContext, StepResult } from './step.ts'

type Reason = NonNullable<DeploymentData['rollback']>

/**
 * The decision to go back: pointer, verdict and state in one transaction, so that whoever is killed after it, the rollback happens.
 * The old process is warm; without one the front says that DAM is being restored.
 */
export function decideRollback(context: StepContext, reason: Reason, detectedAt: Date): StepResult {
  const { deps, deployment, lease } = context
  const { store, now } = deps
  const decidedAt = now()
  const old = deployment.data.oldSlot ? findSlot(store, deployment.data.oldSlot) : undefined
  const isPerson = reason.trigger === 'person'
  return {
    state: 'rolling-back',
    because: reason.because,
    message: `${reason.trigger}: ${reason.because}`,
    data: {
      rollback: reason,
      stamps: { detectedAt: detectedAt.toISOString(), decidedAt: decidedAt.toISOString() },
    },
    also: () => {
      const unavailable = { mode: 'full' as const, reason: 'DAM is being restored', until: null }
      const { maintenance = null } = readPointer(store, deployment.environment) ?? {}
      // A window that is under way goes on.
      const isInWindow = activeWindow(store, deployment.environment) !== undefined
      point(context, {
        active: old ? upstreamOf(old) : null,
        control: null,
        maintenance: old ? (isInWindow ? maintenance : null) : unavailable,
      })
      if (old) setDesired(store, old.id, { desiredWeb: 'running' }, lease.token)
      setVerdict(store, {
        digest: deployment.digest,
        verdict: isPerson ? 'bad' : 'quarantined',
        because: `rolled back on ${deployment.environment} (${reason.trigger}): ${reason.because}`,
        now: decidedAt,
      })
      recordAudit(store, {
        who: reason.by,
        action: 'deploy.roll-back',
        subject: `deployment:${deployment.id}`,
        detail: reason,
        now: decidedAt,
      })
    },
  }
}
