import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { addEvent, listNotices, planNotice, saveWindow } from './window-store.ts'
import type { MaintenanceWindow } from './window.ts'

type Told = Pick<Policy['maintenance'], 'remindBefore'>

/** Writes the notices of a window with the times they are due; those that wait get new times, those that were sent stay. */
export function planNotices(store: Store, window: MaintenanceWindow, { remindBefore }: Told): void {
  const { id: windowId, startsAt, endsAt, noticeAt } = window
  planNotice(store, { windowId, kind: 'advance', dueAt: noticeAt })
  for (const distanceMs of remindBefore) {
    const dueAt = new Date(Date.parse(startsAt) - distanceMs).toISOString()
    planNotice(store, { windowId, kind: 'reminder', detail: String(distanceMs), dueAt })
  }
  planNotice(store, { windowId, kind: 'start', dueAt: startsAt })
  planNotice(store, { windowId, kind: 'end', dueAt: endsAt })
}

/** Whether anybody was told of it, so that a change must be told, too. */
export const wasAnnounced = (store: Store, windowId: number): boolean =>
  listNotices(store, windowId).some(({ sentAt, kind }) => sentAt !== null && kind !== 'end')

/**
 * Gives a window other times. Whoever was told of it is told of the change, once; reminders that went out are given again before the
 * new beginning. Call inside a transaction. Returns the window as it is now.
 */
export function changeTimes(
  store: Store,
  window: MaintenanceWindow,
  to: Partial<Pick<MaintenanceWindow, 'key' | 'name' | 'absorbed' | 'startsAt' | 'endsAt' | 'noticeAt' | 'isPinned'>>,
  by: { who: string; policy: Told; now: Date },
): MaintenanceWindow {
  const { now } = by
  const next = { ...window, ...to }
  const isMoved = next.startsAt !== window.startsAt || next.endsAt !== window.endsAt
  if (isMoved) next.revision += 1
  saveWindow(store, next)
  if (!isMoved) {
    planNotices(store, next, by.policy)
    return next
  }
  const announced = wasAnnounced(store, window.id)
  planNotices(store, next, by.policy)
  if (announced) {
    planNotice(store, {
      windowId: next.id,
      kind: 'changed',
      detail: String(next.revision),
      dueAt: now.toISOString(),
    })
    for (const distanceMs of by.policy.remindBefore) {
      const dueAt = new Date(Date.parse(next.startsAt) - distanceMs)
      const isSent = listNotices(store, next.id).some(
        ({ kind, detail, sentAt }) => kind === 'reminder' && detail === String(distanceMs) && sentAt !== null,
      )
      if (isSent && dueAt > now)
        planNotice(store, {
          windowId: next.id,
          kind: 'reminder',
          detail: `${distanceMs}/${next.revision}`,
          dueAt: dueAt.toISOString(),
        })
    }
  }
  addEvent(store, next.id, {
    kind: 'moved',
    by: by.who,
    message: `from ${window.startsAt} – ${window.endsAt} to ${next.startsAt} – ${next.endsAt}`,
    now,
  })
  return next
}

/** Calls a window off. Whoever was told of it is told that it does not take place. Call inside a transaction. */
export function callOff(
  store: Store,
  window: MaintenanceWindow,
  by: { who: string; reason: string; isPinned: boolean; now: Date },
): void {
  const { now } = by
  saveWindow(store, { ...window, state: 'cancelled', isPinned: window.isPinned || by.isPinned })
  if (wasAnnounced(store, window.id))
    planNotice(store, {
      windowId: window.id,
      kind: 'cancelled',
      detail: String(window.revision),
      dueAt: now.toISOString(),
    })
  addEvent(store, window.id, { kind: 'cancelled', by: by.who, message: by.reason, now })
}
