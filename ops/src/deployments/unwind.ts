import { recordAudit } from '../audit/audit.ts'
import type { Deployment } from './deployment.ts'
import type { DeployerDeps } from './deployer-deps.ts'
import { addDeploymentEvent, getDeployment, updateDeployment } from './deployment-store.ts'
import type { HeldLease } from './held-lease.ts'
import { failedMessage } from './messages.ts'
import { readPointer, writePointer } from './pointer-store.ts'
import { findSlot, setDesired } from './slot-store.ts'

/**
 * Ends a deployment that never had traffic: its processes stop, what served before serves on. Migrations that were applied stay;
 * they are of the kind the release before runs on.
 */
export async function unwind(
  deps: DeployerDeps,
  lease: HeldLease,
  { id }: Deployment,
  because: string,
): Promise<Deployment> {
  const { store } = deps
  lease.transaction(() => {
    const deployment = getDeployment(store, id)
    const now = deps.now()
    const { newSlot, oldSlot, isInMaintenance } = deployment.data
    const pointer = readPointer(store, deployment.environment)
    if (newSlot && pointer?.active?.slot !== newSlot) {
      setDesired(store, newSlot, { desiredWeb: 'stopped', desiredWorker: 'stopped' }, lease.token)
    }
    if (isInMaintenance && oldSlot && findSlot(store, oldSlot)) {
      setDesired(store, oldSlot, { desiredWeb: 'running', desiredWorker: 'running' }, lease.token)
      if (pointer) writePointer(store, { ...pointer, maintenance: null, fencingToken: lease.nextToken() }, now)
    }
    updateDeployment(store, id, { state: 'failed', because, isEnded: true }, now)
    addDeploymentEvent(store, id, { state: 'failed', step: 'unwind', status: 'done', message: because, now })
    recordAudit(store, {
      who: deps.who,
      action: `${deployment.kind}.failed`,
      subject: `deployment:${id}`,
      detail: { because },
      now,
    })
    deps.notify(failedMessage(deployment, because, now), 'failed')
    deps.progress({ step: 'unwind', status: 'done', message: 'nothing changed for users', seconds: null })
  })
  const pointer = readPointer(store, getDeployment(store, id).environment)
  // The keeper repeats it if the front is away.
  if (pointer) await deps.front.switchTo(pointer).catch(() => undefined)
  return getDeployment(store, id)
}
