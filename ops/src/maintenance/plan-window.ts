import { recordAudit } from '../audit/audit.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { callOff, changeTimes, planNotices } from './plan-notices.ts'
import { MaintenanceRefused } from './switch-environment.ts'
import { addEvent, comingWindows, findWindow, insertWindow } from './window-store.ts'
import type { MaintenanceMode, MaintenanceWindow } from './window.ts'

type By = { who: string; policy: Policy['maintenance']; now: Date }

const longestMs = 7 * 86_400_000

/** Plans a window that the policy does not have. Users are told at once: there is no earlier moment. Throws MaintenanceRefused. */
export function planWindow(
  store: Store,
  wanted: { environment: string; from: Date; until: Date; reason: string; mode: MaintenanceMode },
  by: By,
): MaintenanceWindow {
  const { environment, from, until, reason, mode } = wanted
  const { who, now } = by
  checkTimes(from, until, now)
  if (reason.trim() === '') throw new MaintenanceRefused('Say why: --reason "…". Users read it.')
  return store.transaction(() => {
    refuseOverlap(store, { environment, startsAt: from.toISOString(), endsAt: until.toISOString() }, now)
    const window = insertWindow(store, {
      environment,
      source: 'plan',
      name: reason.trim().slice(0, 80),
      reason: reason.trim(),
      startsAt: from.toISOString(),
      endsAt: until.toISOString(),
      noticeAt: now.toISOString(),
      mode,
      absorbed: [],
      createdBy: who,
      now,
    })
    planNotices(store, window, by.policy)
    addEvent(store, window.id, { kind: 'planned', by: who, message: reason.trim(), now })
    recordAudit(store, {
      who,
      action: 'maintenance.plan',
      subject: `maintenance:${window.id}`,
      detail: { from: window.startsAt, until: window.endsAt, reason, mode },
      now,
    })
    return window
  })
}

/** Gives a coming window other times; whoever was told is told. The policy does not move it back. Throws MaintenanceRefused. */
export function moveWindow(store: Store, id: number, to: { from: Date; until: Date }, by: By): MaintenanceWindow {
  const { who, now } = by
  checkTimes(to.from, to.until, now)
  return store.transaction(() => {
    const window = coming(store, id)
    const [startsAt, endsAt] = [to.from.toISOString(), to.until.toISOString()]
    refuseOverlap(store, { environment: window.environment, startsAt, endsAt, id }, now)
    const noticeMs = Date.parse(window.startsAt) - Date.parse(window.noticeAt)
    const noticeAt = new Date(to.from.getTime() - noticeMs).toISOString()
    const moved = changeTimes(store, window, { startsAt, endsAt, noticeAt, isPinned: true }, by)
    recordAudit(store, {
      who,
      action: 'maintenance.move',
      subject: `maintenance:${id}`,
      detail: { from: startsAt, until: endsAt },
      now,
    })
    return moved
  })
}

/** Calls a coming window off; whoever was told is told. Throws MaintenanceRefused. */
export function cancelWindow(store: Store, id: number, reason: string, by: Omit<By, 'policy'>): void {
  const { who, now } = by
  if (reason.trim() === '') throw new MaintenanceRefused('Say why: --reason "…"')
  store.transaction(() => {
    callOff(store, coming(store, id), { who, reason: reason.trim(), isPinned: true, now })
    recordAudit(store, { who, action: 'maintenance.cancel', subject: `maintenance:${id}`, detail: { reason }, now })
  })
}

function coming(store: Store, id: number): MaintenanceWindow {
  const window = findWindow(store, id)
  if (!window)
    throw new MaintenanceRefused(`There is no maintenance window ${id}. ./dam maintenance list shows those there are.`)
  if (window.state === 'scheduled') return window
  const how = window.state === 'active' ? 'is under way; end it with ./dam maintenance end' : `is ${window.state}`
  throw new MaintenanceRefused(`Window ${id} ${how}.`)
}

function checkTimes(from: Date, until: Date, now: Date): void {
  if (until <= from) throw new MaintenanceRefused('A window ends after it begins.')
  if (until <= now) throw new MaintenanceRefused('That time is over.')
  if (until.getTime() - from.getTime() > longestMs) throw new MaintenanceRefused('A window lasts a week at most.')
}

function refuseOverlap(
  store: Store,
  { environment, startsAt, endsAt, id }: { environment: string; startsAt: string; endsAt: string; id?: number },
  now: Date,
): void {
  const other = comingWindows(store, now, environment).find(
    (one) => one.id !== id && one.startsAt < endsAt && startsAt < one.endsAt,
  )
  if (other)
    throw new MaintenanceRefused(
      `It overlaps window ${other.id} (${other.name}, ${other.startsAt} – ${other.endsAt}). Move that one: ./dam maintenance move ${other.id} --from … --for …`,
    )
}
