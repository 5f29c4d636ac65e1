import { recordAudit } from '../audit/audit.ts'
import type { DeployerDeps } from './deployer-deps.ts'
import { addDeploymentEvent, openDeployment } from './deployment-store.ts'
import { holdLease } from './held-lease.ts'
import { readPointer, writePointer } from './pointer-store.ts'
import { RequestRefused } from './request-deployment.ts'

/**
 * Rung of the ladder for when nothing else helps: the front answers 503 with the reason, or lets people in again with `reason` null.
 * What runs keeps running. Throws LeaseError while a deployer works, RequestRefused when there is nothing to do.
 */
export async function setMaintenancePage(deps: DeployerDeps, change: { reason: string | null }): Promise<void> {
  const { store, environment, who, now } = deps
  const { reason } = change
  const purpose = reason === null ? 'takes the maintenance page away' : 'shows the maintenance page'
  using lease = holdLease(store, { environment: environment.name, who, purpose, now })
  const pointer = lease.transaction(() => {
    const before = readPointer(store, environment.name)
    if (reason === null && !before?.maintenance)
      throw new RequestRefused(`${environment.name} does not show the maintenance page.`)
    if (reason === null && !before?.active) {
      throw new RequestRefused(
        `Nothing serves ${environment.name}, so the page has to stay: ./dam deploy ${environment.name} <tag>`,
      )
    }
    const maintenance = reason === null ? null : { mode: 'full' as const, reason, until: null }
    const changed = {
      environment: environment.name,
      active: before?.active ?? null,
      control: before?.control ?? null,
      maintenance,
      fencingToken: lease.nextToken(),
    }
    writePointer(store, changed, now())
    const open = openDeployment(store, environment.name)
    const message = reason === null ? `${who} took the maintenance page away` : `${who}: maintenance page, ${reason}`
    if (open) {
      addDeploymentEvent(store, open.id, {
        state: open.state,
        step: 'maintenance page',
        status: 'note',
        message,
        now: now(),
      })
    }
    recordAudit(store, {
      who,
      action: reason === null ? 'maintenance-page.off' : 'maintenance-page.on',
      subject: `environment:${environment.name}`,
      detail: { reason: reason ?? '' },
      now: now(),
    })
    return changed
  })
  await deps.front.switchTo(pointer)
}
