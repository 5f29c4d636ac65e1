import { formatDuration } from '../policy/units.ts'
import type { Store } from '../store.ts'
import { deploymentsOf, isMet, type MaintenanceLine } from './checklist.ts'
import { spanText } from './notice-message.ts'
import { addEvent, listEvents, listNotices, readWindow, saveWindow } from './window-store.ts'
import type { MaintenanceReport, MaintenanceWindow } from './window.ts'

const minuteMs = 60_000

/** Writes down what happened in a window that was left, from what is on record. Returns the window with its report. */
export function writeReport(
  store: Store,
  window: MaintenanceWindow,
  facts: { lines: readonly MaintenanceLine[]; refused: number | null; versionAfter: string | null; now: Date },
): MaintenanceWindow {
  const { enteredAt, leftAt } = window
  if (enteredAt === null || leftAt === null) throw new Error(`Window ${window.id} was not entered and left.`)
  const { now } = facts
  const report: MaintenanceReport = {
    at: now.toISOString(),
    window: {
      announced: spanText({ ...window, endsAt: window.data.announcedEnd ?? window.endsAt }),
      actual: spanText({ startsAt: enteredAt, endsAt: leftAt }),
    },
    durationMs: Date.parse(leftAt) - Date.parse(enteredAt),
    mode: window.mode,
    steps: listEvents(store, window.id).map(({ at, kind, message }) => ({ at, what: kind, message })),
    versions: { before: window.data.versionBefore ?? null, after: facts.versionAfter },
    deployments: deploymentsOf(store, window).map(({ id, kind, tag, state, requestedAt, endedAt }) => ({
      id,
      kind,
      tag,
      state,
      tookMs: endedAt === null ? null : Date.parse(endedAt) - Date.parse(requestedAt),
    })),
    mutedAlerts: mutedAlerts(store, window.environment, enteredAt, leftAt),
    requestsRefused: facts.refused,
    // The report is a line of the list that it contains.
    checklist: facts.lines.map(({ list, title, item, state, evidence }) =>
      item === 'report' ? { list, title, state: 'pass', evidence: 'this one' } : { list, title, state, evidence },
    ),
    deviations: deviationsOf(store, window, facts.lines),
  }
  return store.transaction(() => {
    const fresh = readWindow(store, window.id)
    const next = { ...fresh, data: { ...fresh.data, report } }
    saveWindow(store, next)
    addEvent(store, window.id, { kind: 'report', by: 'dam', message: 'the report is written', now })
    return next
  })
}

/** Rules that fired while their pages were held back. */
const mutedAlerts = (store: Store, environment: string, from: string, until: string): string[] =>
  store
    .rows<{ rule: string }>(
      `select distinct rule from alert_change where environment = ? and phase = 'firing' and at >= ? and at <= ? order by rule`,
      environment,
      from,
      until,
    )
    .map(({ rule }) => rule)

function deviationsOf(store: Store, window: MaintenanceWindow, lines: readonly MaintenanceLine[]): string[] {
  const { enteredAt, leftAt, data } = window
  const lateMs = Date.parse(enteredAt ?? '') - Date.parse(window.startsAt)
  const announcedEnd = data.announcedEnd ?? window.endsAt
  const overMs = Date.parse(leftAt ?? '') - Date.parse(announcedEnd)
  const rounded = (ms: number): string => formatDuration(Math.round(Math.abs(ms) / minuteMs) * minuteMs)
  const isGap = (ms: number): boolean => Math.abs(ms) >= 5 * minuteMs
  return [
    ...(isGap(lateMs) ? [`began ${rounded(lateMs)} ${lateMs > 0 ? 'after' : 'before'} the announced time`] : []),
    ...(isGap(overMs) ? [`ended ${rounded(overMs)} ${overMs > 0 ? 'after' : 'before'} the announced time`] : []),
    ...listNotices(store, window.id)
      .filter(({ outcome }) => outcome === 'short-notice')
      .map(({ kind }) => `the ${kind} notice went out at short notice`),
    ...(data.overrides ?? []).map(({ item, by, reason }) => `${by} overrode "${item}": ${reason}`),
    ...lines
      .filter((line) => line.item !== 'report' && line.state !== 'waiting' && !isMet(line))
      .map(({ title, state }) => `${title}: ${state === 'attestation-missing' ? 'nobody has said so' : state}`),
  ]
}
