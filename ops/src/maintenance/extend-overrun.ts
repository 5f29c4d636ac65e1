import { findEscalation, saveEscalation } from '../escalation/escalation-store.ts'
import { newEscalation } from '../escalation/escalation.ts'
import { openIncident } from '../incidents/incident-store.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { addEvent, planNotice, saveWindow } from './window-store.ts'
import type { MaintenanceWindow } from './window.ts'

const extensionMs = 30 * 60_000
const me = 'dam: ops'

export const overrunKey = (environment: string): string => `${environment}/maintenance-overrun`

/**
 * Maintenance that is under way past its end is extended by half an hour at a time: whoever was told of it is told, and the team lead is
 * called together with whoever is on call. One transaction. Returns the window as it is now.
 */
export function extendOverrun(
  store: Store,
  window: MaintenanceWindow,
  { policy, now }: { policy: Policy; now: Date },
): MaintenanceWindow {
  if (window.state !== 'active' || now.toISOString() < window.endsAt) return window
  return store.transaction(() => {
    const pastMs = now.getTime() - Date.parse(window.endsAt)
    const steps = Math.floor(pastMs / extensionMs) + 1
    const next: MaintenanceWindow = {
      ...window,
      endsAt: new Date(Date.parse(window.endsAt) + steps * extensionMs).toISOString(),
      revision: window.revision + 1,
      data: { ...window.data, announcedEnd: window.data.announcedEnd ?? window.endsAt },
    }
    saveWindow(store, next)
    planNotice(store, { windowId: next.id, kind: 'end', dueAt: next.endsAt })
    planNotice(store, {
      windowId: next.id,
      kind: 'extended',
      detail: String(next.revision),
      dueAt: now.toISOString(),
    })
    addEvent(store, next.id, { kind: 'overrun', by: me, message: `extended until ${next.endsAt}`, now })
    const { incident, isNew } = openIncident(store, {
      environment: next.environment,
      severity: 'P1',
      title: `Maintenance of ${next.environment} takes longer than announced`,
      cause: `it was to end at ${next.data.announcedEnd ?? window.endsAt}`,
      dedupKey: overrunKey(next.environment),
      openedBy: me,
      evidence: { window: next.id, until: next.endsAt },
      now,
    })
    const lead = policy.escalation.levels.find(({ level }) => level === 2)
    // As if it had begun when level 2 is due: both levels are called at the next round.
    if (isNew && lead && !findEscalation(store, incident.id))
      saveEscalation(store, {
        ...newEscalation(incident, new Date(now.getTime() - lead.after)),
        nextAt: now.toISOString(),
      })
    return next
  })
}
