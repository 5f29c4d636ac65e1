export type MaintenanceMode = 'read-only' | 'full'

/** A window as it is stored: coming, under way, or over. */
export type MaintenanceWindow = {
  id: number
  /** `policy:<name>/<local day>` or `plan:<number>`; stays when the window is moved. */
  key: string
  environment: string
  source: 'policy' | 'plan'
  name: string
  reason: string
  startsAt: string
  endsAt: string
  noticeAt: string
  mode: MaintenanceMode
  absorbed: string[]
  /**
   * scheduled: nobody has begun it, whatever the clock says; active: DAM is in maintenance; ended: done, or its time is over;
   * cancelled: does not take place.
   */
  state: 'scheduled' | 'active' | 'ended' | 'cancelled'
  /** Moved or cancelled by a person: the policy does not change it any more. */
  isPinned: boolean
  /** Grows with every change of its times. */
  revision: number
  createdAt: string
  createdBy: string
  enteredAt: string | null
  enteredBy: string | null
  leftAt: string | null
  leftBy: string | null
  data: WindowData
}

/** What happened to a window beyond its times. */
export type WindowData = {
  overrides?: { item: string; reason: string; by: string; at: string }[]
  /** The end as it was announced, before an overrun extended it. */
  announcedEnd?: string
  /** Counter of refused requests when maintenance began, where the web process counts them. */
  refusedBefore?: number
  /** Tag of the release that served when maintenance began. */
  versionBefore?: string
  report?: MaintenanceReport
}

export type MaintenanceNotice = {
  id: number
  windowId: number
  kind: NoticeKind
  /** Which of several of its kind: distance of a reminder, number of a change. */
  detail: string
  dueAt: string
  sentAt: string | null
  outcome: '' | 'sent' | 'short-notice' | 'superseded'
}

export const noticeKinds = [
  'advance',
  'reminder',
  'start',
  'changed',
  'extended',
  'no-return',
  'end',
  'cancelled',
] as const
export type NoticeKind = (typeof noticeKinds)[number]

export type MaintenanceReport = {
  at: string
  window: { announced: string; actual: string }
  durationMs: number
  mode: MaintenanceMode
  steps: { at: string; what: string; message: string }[]
  versions: { before: string | null; after: string | null }
  deployments: { id: number; kind: string; tag: string; state: string; tookMs: number | null }[]
  mutedAlerts: string[]
  /** Null: could not be asked. */
  requestsRefused: number | null
  checklist: { list: string; title: string; state: string; evidence: string }[]
  deviations: string[]
}
