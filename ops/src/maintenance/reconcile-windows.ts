import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { type Occurrence, occurrences } from './occurrences.ts'
import { callOff, changeTimes, planNotices } from './plan-notices.ts'
import {
  addEvent,
  findWindowByKey,
  futurePolicyWindows,
  insertWindow,
  listNotices,
  planNotice,
} from './window-store.ts'
import type { MaintenanceWindow } from './window.ts'

export const planAheadDays = 60
const dayMs = 86_400_000
const me = 'dam: ops'

type Deps = { policy: Policy; environment: string; now: Date }
type Change = 'added' | 'changed' | 'cancelled'

/**
 * Makes the rows of the coming 60 days say what the policy says, in one transaction. What has begun is left alone, and so is what a person
 * moved or cancelled. An occurrence that was renamed or moved keeps its row, so that its change is told once; one that the policy
 * dropped is called off.
 */
export function reconcileWindows(store: Store, deps: Deps): Record<Change, number> {
  const { policy, environment, now } = deps
  const until = new Date(now.getTime() + planAheadDays * dayMs)
  const wanted = new Map(
    occurrences(policy.maintenance.windows, now, until).map((one) => [`policy:${environment}/${one.key}`, one]),
  )
  return store.transaction(() => {
    const count = { added: 0, changed: 0, cancelled: 0 }
    const note = (change: Change | null): void => void (change && count[change]++)
    const withoutPair: MaintenanceWindow[] = []
    for (const row of futurePolicyWindows(store, environment, now, until)) {
      const occurrence = wanted.get(row.key)
      if (!occurrence) withoutPair.push(row)
      else if (wanted.delete(row.key)) note(agree(store, row, row.key, occurrence, deps))
    }
    for (const row of withoutPair) {
      if (row.state !== 'scheduled' && !row.isPinned) continue
      const pair = [...wanted].find(
        ([key, one]) => (overlaps(row, one) || dayOf(row.key) === dayOf(one.key)) && !findWindowByKey(store, key),
      )
      if (pair && wanted.delete(pair[0])) note(agree(store, row, ...pair, deps))
      else if (mayChange(row, now)) {
        callOff(store, row, { who: me, reason: 'the policy has no such window any more', isPinned: false, now })
        note('cancelled')
      }
    }
    for (const [key, occurrence] of wanted) {
      // One that a person moved out of these days, or that a clock which was set back hid.
      const known = findWindowByKey(store, key)
      note(known ? agree(store, known, key, occurrence, deps) : add(store, key, occurrence, deps))
    }
    return count
  })
}

const overlaps = (row: MaintenanceWindow, one: Occurrence): boolean =>
  row.startsAt < one.endsAt && one.startsAt < row.endsAt

const dayOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1)

const mayChange = (row: MaintenanceWindow, now: Date): boolean =>
  !row.isPinned && row.startsAt > now.toISOString() && (row.state === 'scheduled' || row.state === 'cancelled')

/** Makes a row say what the occurrence says, if it may be changed and does not yet. */
function agree(
  store: Store,
  row: MaintenanceWindow,
  key: string,
  { name, startsAt, endsAt, noticeAt, absorbed }: Occurrence,
  { policy, now }: Deps,
): Change | null {
  if (!mayChange(row, now)) return null
  const next = { key, name, startsAt, endsAt, noticeAt, absorbed }
  const by = { who: me, policy: policy.maintenance, now }
  if (row.state === 'cancelled') {
    takeBack(store, changeTimes(store, { ...row, state: 'scheduled', revision: row.revision + 1 }, next, by), now)
    return 'changed'
  }
  const isSame = Object.entries(next).every(
    ([field, value]) => String(row[field as keyof typeof next]) === String(value),
  )
  if (isSame) return null
  changeTimes(store, row, next, by)
  return 'changed'
}

/** The policy has it again after it dropped it: whoever was told that it is off is told that it takes place. */
function takeBack(store: Store, window: MaintenanceWindow, now: Date): void {
  const wasToldOff = listNotices(store, window.id).some(({ kind, sentAt }) => kind === 'cancelled' && sentAt !== null)
  if (wasToldOff)
    planNotice(store, {
      windowId: window.id,
      kind: 'changed',
      detail: String(window.revision),
      dueAt: now.toISOString(),
    })
  else
    store.run(
      `delete from maintenance_notice where window_id = ? and kind = 'cancelled' and sent_at is null`,
      window.id,
    )
  addEvent(store, window.id, { kind: 'planned', by: me, message: 'the policy has it again', now })
}

function add(store: Store, key: string, occurrence: Occurrence, { policy, environment, now }: Deps): Change {
  const { name, startsAt, endsAt, noticeAt, absorbed } = occurrence
  const window = insertWindow(store, {
    key,
    environment,
    source: 'policy',
    name,
    reason: name,
    startsAt,
    endsAt,
    noticeAt,
    mode: policy.maintenance.mode,
    absorbed,
    createdBy: me,
    now,
  })
  planNotices(store, window, policy.maintenance)
  return 'added'
}
