import { enqueue } from '../notify/outbox-store.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { noticeMessage } from './notice-message.ts'
import { findWindow, listNotices, markNotice, saveWindow, windowsWithDueNotices } from './window-store.ts'
import type { MaintenanceNotice, MaintenanceWindow, NoticeKind } from './window.ts'

/** A notice that goes out later than this after it was due says so. */
export const lateAfterMs = 5 * 60_000

const beforehand: readonly NoticeKind[] = ['advance', 'reminder', 'start']

export type SentNotice = { windowId: number; kind: NoticeKind; detail: string; isShort: boolean }

/**
 * Puts every notice that is due into the outbox, each once, with its mark in the same transaction. Of several that became due while
 * nothing ran, the newest is sent and stands for the earlier ones. Nothing that announces a window is sent after its end; its end is
 * announced whenever its beginning was.
 */
export function sendNotices(store: Store, deps: { policy: Policy; consoleUrl: string; now: Date }): SentNotice[] {
  const { now } = deps
  return windowsWithDueNotices(store, now).flatMap((id) => store.transaction(() => sendOf(store, id, deps)))
}

function sendOf(store: Store, windowId: number, deps: { policy: Policy; consoleUrl: string; now: Date }): SentNotice[] {
  const { now } = deps
  const at = now.toISOString()
  const window = findWindow(store, windowId)
  if (!window) return []
  const notices = listNotices(store, windowId)
  const due = notices.filter(
    (notice) => notice.sentAt === null && notice.dueAt <= at && mayBeSent(window, notice, notices, at),
  )
  const newest = due.findLast(({ kind }) => beforehand.includes(kind))
  // A change says the new times itself; what was due before it adds nothing.
  const standsForAll = due.findLast(({ kind }) => kind === 'changed')
  const sent: SentNotice[] = []
  for (const notice of due) {
    const isNeedless =
      (beforehand.includes(notice.kind) &&
        (notice !== newest || (standsForAll !== undefined && notice.kind !== 'start'))) ||
      (notice.kind === 'changed' && notice !== standsForAll)
    if (isNeedless) {
      markNotice(store, notice.id, 'superseded', now)
      continue
    }
    const isShort =
      notice.kind !== 'end' && notice.kind !== 'cancelled' && now.getTime() - Date.parse(notice.dueAt) > lateAfterMs
    enqueue(store, noticeMessage(window, notice, { isShort, now, consoleUrl: deps.consoleUrl }), {
      channels: deps.policy.channels.maintenance,
      key: notice.detail === '' ? notice.kind : `${notice.kind}-${notice.detail}`,
      now,
    })
    markNotice(store, notice.id, isShort ? 'short-notice' : 'sent', now)
    sent.push({ windowId, kind: notice.kind, detail: notice.detail, isShort })
    if (notice.kind === 'end' && window.state === 'scheduled') saveWindow(store, { ...window, state: 'ended' })
  }
  return sent
}

function mayBeSent(
  window: MaintenanceWindow,
  notice: MaintenanceNotice,
  notices: readonly MaintenanceNotice[],
  at: string,
): boolean {
  switch (notice.kind) {
    case 'advance':
    case 'reminder':
    case 'changed':
      return window.state === 'scheduled' && at < window.endsAt
    case 'start':
      return (window.state === 'scheduled' || window.state === 'active') && at < window.endsAt
    case 'no-return':
    case 'extended':
      return window.state === 'active'
    case 'end':
      return (
        (window.state === 'scheduled' || window.state === 'ended') &&
        notices.some(({ kind, sentAt }) => kind === 'start' && sentAt !== null)
      )
    case 'cancelled':
      return window.state === 'cancelled'
  }
}
