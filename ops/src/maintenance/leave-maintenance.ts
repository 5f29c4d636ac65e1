import { recordAudit } from '../audit/audit.ts'
import { activeRelease } from '../deployments/request-deployment.ts'
import { findOpenIncident, resolveIncident } from '../incidents/incident-store.ts'
import { type ChecklistDeps, evaluateMaintenance } from './checklist.ts'
import { overrunKey } from './extend-overrun.ts'
import { publishMaintenance } from './publish-maintenance.ts'
import { readRefused } from './refused-requests.ts'
import { sendNotices } from './send-notices.ts'
import { writeReport } from './write-report.ts'
import { MaintenanceRefused, type Switch, switchEnvironment } from './switch-environment.ts'
import { activeWindow, addEvent, planNotice, readWindow, saveWindow } from './window-store.ts'
import type { MaintenanceWindow } from './window.ts'

/**
 * Ends maintenance: everything works again, its end is told at once, alerts are decided again at the engine's next look, and the report
 * is written. Refused while a deployment runs.
 */
export async function leaveMaintenance(
  deps: Switch & ChecklistDeps & { consoleUrl: string },
): Promise<MaintenanceWindow> {
  const { store, environment, who } = deps
  const window = activeWindow(store, environment.name)
  if (!window) throw new MaintenanceRefused(`${environment.name} is not in maintenance.`)
  const counted = await readRefused(deps, new Date(window.enteredAt ?? window.startsAt))
  const before = window.data.refusedBefore ?? 0
  // A web process that was restarted meanwhile counts from nothing.
  const refused = counted === null ? null : counted >= before ? counted - before : counted
  await switchEnvironment(deps, `end of maintenance window ${window.id}`, () => {
    const now = deps.now()
    const next: MaintenanceWindow = {
      ...readWindow(store, window.id),
      state: 'ended',
      leftAt: now.toISOString(),
      leftBy: who,
    }
    saveWindow(store, next)
    planNotice(store, { windowId: next.id, kind: 'end', dueAt: now.toISOString() })
    addEvent(store, next.id, { kind: 'left', by: who, message: 'DAM works as usual', now })
    recordAudit(store, { who, action: 'maintenance.end', subject: `maintenance:${next.id}`, now })
    const overrun = findOpenIncident(store, overrunKey(environment.name))
    if (overrun) resolveIncident(store, overrun.id, { who, message: 'maintenance is over', now })
    return null
  })
  publishMaintenance(store, environment, deps.now())
  // Before the report, which says whether users were told.
  sendNotices(store, { policy: deps.policy, consoleUrl: deps.consoleUrl, now: deps.now() })
  const left = readWindow(store, window.id)
  const lines = await evaluateMaintenance(deps, left, deps.now())
  return writeReport(store, left, {
    lines,
    refused,
    versionAfter: activeRelease(store, environment.name)?.tag ?? null,
    now: deps.now(),
  })
}
