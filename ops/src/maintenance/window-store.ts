import type { Store } from '../store.ts'
import type { MaintenanceNotice, MaintenanceWindow, NoticeKind, WindowData } from './window.ts'

type Row = Omit<MaintenanceWindow, 'absorbed' | 'isPinned' | 'data'> & {
  absorbed: string
  isPinned: number
  data: string
}

const columns = `id, window_key as "key", environment, source, name, reason, starts_at as "startsAt", ends_at as "endsAt",
  notice_at as "noticeAt", mode, absorbed, state, is_pinned as "isPinned", revision, created_at as "createdAt", created_by as "createdBy",
  entered_at as "enteredAt", entered_by as "enteredBy", left_at as "leftAt", left_by as "leftBy", data`

const windowOf = (row: Row): MaintenanceWindow => ({
  ...row,
  absorbed: JSON.parse(row.absorbed) as string[],
  isPinned: row.isPinned === 1,
  data: JSON.parse(row.data) as WindowData,
})

export type NewWindow = Pick<
  MaintenanceWindow,
  'environment' | 'source' | 'name' | 'reason' | 'startsAt' | 'endsAt' | 'noticeAt' | 'mode' | 'absorbed' | 'createdBy'
>

/** Adds a window; a planned one is keyed by its number. */
export function insertWindow(store: Store, fresh: NewWindow & { key?: string; now: Date }): MaintenanceWindow {
  const id = store.insert(
    `insert into maintenance_window (window_key, environment, source, name, reason, starts_at, ends_at, notice_at, mode, absorbed, state,
       created_at, created_by)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'scheduled', ?, ?)`,
    fresh.key ?? `plan:${fresh.now.toISOString()}/${fresh.startsAt}`,
    fresh.environment,
    fresh.source,
    fresh.name,
    fresh.reason,
    fresh.startsAt,
    fresh.endsAt,
    fresh.noticeAt,
    fresh.mode,
    JSON.stringify(fresh.absorbed),
    fresh.now.toISOString(),
    fresh.createdBy,
  )
  if (fresh.key === undefined) store.run('update maintenance_window set window_key = ? where id = ?', `plan:${id}`, id)
  return readWindow(store, id)
}

export const findWindow = (store: Store, id: number): MaintenanceWindow | undefined => {
  const row = store.row<Row>(`select ${columns} from maintenance_window where id = ?`, id)
  return row && windowOf(row)
}

export function readWindow(store: Store, id: number): MaintenanceWindow {
  const found = findWindow(store, id)
  if (!found) throw new Error(`There is no maintenance window ${id}. ./dam maintenance list shows those there are.`)
  return found
}

/** Writes everything of a window that can change. */
export function saveWindow(store: Store, window: MaintenanceWindow): void {
  store.run(
    `update maintenance_window set window_key = ?, name = ?, reason = ?, starts_at = ?, ends_at = ?, notice_at = ?, mode = ?, absorbed = ?,
       state = ?, is_pinned = ?, revision = ?, entered_at = ?, entered_by = ?, left_at = ?, left_by = ?, data = ? where id = ?`,
    window.key,
    window.name,
    window.reason,
    window.startsAt,
    window.endsAt,
    window.noticeAt,
    window.mode,
    JSON.stringify(window.absorbed),
    window.state,
    window.isPinned ? 1 : 0,
    window.revision,
    window.enteredAt,
    window.enteredBy,
    window.leftAt,
    window.leftBy,
    JSON.stringify(window.data),
    window.id,
  )
}

/** Windows that are not over at `now`, first to begin first; `environment` leaves others out. */
export const comingWindows = (store: Store, now: Date, environment?: string): MaintenanceWindow[] =>
  store
    .rows<Row>(
      `select ${columns} from maintenance_window
       where (state = 'active' or (state = 'scheduled' and ends_at > ?)) and (? = '' or environment = ?) order by starts_at, id`,
      now.toISOString(),
      environment ?? '',
      environment ?? '',
    )
    .map(windowOf)

export const activeWindow = (store: Store, environment: string): MaintenanceWindow | undefined => {
  const row = store.row<Row>(
    `select ${columns} from maintenance_window where environment = ? and state = 'active'`,
    environment,
  )
  return row && windowOf(row)
}

/** Those of the policy that lie in the future, cancelled ones included: what a person cancelled is not planned again. */
export const futurePolicyWindows = (store: Store, environment: string, from: Date, until: Date): MaintenanceWindow[] =>
  store
    .rows<Row>(
      `select ${columns} from maintenance_window
       where source = 'policy' and environment = ? and ends_at > ? and starts_at < ? order by starts_at, id`,
      environment,
      from.toISOString(),
      until.toISOString(),
    )
    .map(windowOf)

export const findWindowByKey = (store: Store, key: string): MaintenanceWindow | undefined => {
  const row = store.row<Row>(`select ${columns} from maintenance_window where window_key = ?`, key)
  return row && windowOf(row)
}

/** Over or cancelled, newest first. */
export const pastWindows = (store: Store, limit: number): MaintenanceWindow[] =>
  store
    .rows<Row>(
      `select ${columns} from maintenance_window where state in ('ended', 'cancelled') and (entered_at is not null or state = 'cancelled')
       order by starts_at desc, id desc limit ?`,
      limit,
    )
    .map(windowOf)

// Notices ----------------------------------------------------------------------

const noticeColumns = `id, window_id as "windowId", kind, detail, due_at as "dueAt", sent_at as "sentAt", outcome`

export const listNotices = (store: Store, windowId: number): MaintenanceNotice[] =>
  store.rows<MaintenanceNotice>(
    `select ${noticeColumns} from maintenance_notice where window_id = ? order by due_at, id`,
    windowId,
  )

/** Adds a notice; one that is waiting gets the new time, one that was sent stays as it is. */
export const planNotice = (
  store: Store,
  notice: { windowId: number; kind: NoticeKind; detail?: string; dueAt: string },
): void => {
  store.run(
    `insert into maintenance_notice (window_id, kind, detail, due_at) values (?, ?, ?, ?)
     on conflict (window_id, kind, detail) do update set due_at = excluded.due_at where sent_at is null`,
    notice.windowId,
    notice.kind,
    notice.detail ?? '',
    notice.dueAt,
  )
}

/** Windows that have a notice which is due and was not sent. */
export const windowsWithDueNotices = (store: Store, now: Date): number[] =>
  store
    .rows<{ id: number }>(
      `select distinct n.window_id as id from maintenance_notice n join maintenance_window w on w.id = n.window_id
       where n.sent_at is null and n.due_at <= ?
         and ((w.state in ('scheduled', 'active') and w.ends_at > ?) or n.kind in ('cancelled', 'changed', 'extended')
           or (n.kind = 'end' and w.state in ('scheduled', 'ended') and exists (
             select 1 from maintenance_notice begun where begun.window_id = w.id and begun.kind = 'start' and begun.sent_at is not null)))
       order by 1`,
      now.toISOString(),
      now.toISOString(),
    )
    .map(({ id }) => id)

export const markNotice = (store: Store, id: number, outcome: MaintenanceNotice['outcome'], now: Date): void => {
  store.run(
    'update maintenance_notice set sent_at = ?, outcome = ? where id = ? and sent_at is null',
    now.toISOString(),
    outcome,
    id,
  )
}

// Time line --------------------------------------------------------------------

export type MaintenanceEvent = { id: number; at: string; kind: string; by: string; message: string }

export const addEvent = (
  store: Store,
  windowId: number,
  event: { kind: string; by: string; message: string; now: Date },
): void => {
  store.run(
    'insert into maintenance_event (window_id, at, kind, by_whom, message) values (?, ?, ?, ?, ?)',
    windowId,
    event.now.toISOString(),
    event.kind,
    event.by,
    event.message,
  )
}

export const listEvents = (store: Store, windowId: number): MaintenanceEvent[] =>
  store.rows<MaintenanceEvent>(
    'select id, at, kind, by_whom as "by", message from maintenance_event where window_id = ? order by id',
    windowId,
  )
