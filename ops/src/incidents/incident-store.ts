import type { Severity } from '../notify/message.ts'
import type { Store } from '../store.ts'
import type { Incident } from './incident.ts'

type Row = {
  id: number
  environment: string
  severity: Severity
  title: string
  cause: string
  dedupKey: string
  state: Incident['state']
  openedAt: string
  openedBy: string
  acknowledgedAt: string | null
  acknowledgedBy: string | null
  resolvedAt: string | null
  deploymentId: number | null
  evidence: string
}

const columns = `id, environment, severity, title, cause, dedup_key as dedupKey, state, opened_at as openedAt, opened_by as openedBy,
  acknowledged_at as acknowledgedAt, acknowledged_by as acknowledgedBy, resolved_at as resolvedAt, deployment_id as deploymentId, evidence`

const incidentOf = (row: Row): Incident => ({
  ...row,
  evidence: JSON.parse(row.evidence) as Record<string, unknown>,
})

export type NewIncident = {
  environment: string
  severity: Severity
  title: string
  cause: string
  dedupKey: string
  openedBy: string
  deploymentId?: number
  evidence?: Record<string, unknown>
  now: Date
}

/** P0 before P1 before P2 before P3. */
export const isMoreSevere = (a: Severity, b: Severity): boolean => a < b

/**
 * Opens an incident, or joins the open one with the same key: then its severity may rise, never falls, and the news becomes an event
 * of its time line. Call inside the transaction of what caused it.
 */
export function openIncident(store: Store, news: NewIncident): { incident: Incident; isNew: boolean } {
  return store.transaction(() => {
    const open = findOpenIncident(store, news.dedupKey)
    if (!open) {
      const id = store.insert(
        `insert into incident (environment, severity, title, cause, dedup_key, state, opened_at, opened_by, deployment_id, evidence)
         values (?, ?, ?, ?, ?, 'open', ?, ?, ?, ?)`,
        news.environment,
        news.severity,
        news.title,
        news.cause,
        news.dedupKey,
        news.now.toISOString(),
        news.openedBy,
        news.deploymentId ?? null,
        JSON.stringify(news.evidence ?? {}),
      )
      addIncidentEvent(store, id, { kind: 'opened', who: news.openedBy, message: news.title, now: news.now })
      return { incident: readIncident(store, id), isNew: true }
    }
    addIncidentEvent(store, open.id, {
      kind: 'again',
      who: news.openedBy,
      message: news.title,
      now: news.now,
      ...(news.evidence ? { detail: news.evidence } : {}),
    })
    if (isMoreSevere(news.severity, open.severity))
      changeSeverity(store, open, { severity: news.severity, who: news.openedBy, now: news.now })
    return { incident: readIncident(store, open.id), isNew: false }
  })
}

/**
 * Another severity, with an event. The climb looks again at once; one that rises takes back an acknowledgement, which was given for
 * something smaller, and a snooze. False when it is resolved or has that severity already.
 */
export function setSeverity(store: Store, id: number, change: { severity: Severity; who: string; now: Date }): boolean {
  return store.transaction(() => {
    const incident = readIncident(store, id)
    if (incident.state === 'resolved' || incident.severity === change.severity) return false
    changeSeverity(store, incident, change)
    return true
  })
}

function changeSeverity(store: Store, open: Incident, change: { severity: Severity; who: string; now: Date }): void {
  const isRise = isMoreSevere(change.severity, open.severity)
  store.run('update incident set severity = ? where id = ?', change.severity, open.id)
  addIncidentEvent(store, open.id, {
    kind: 'severity',
    who: change.who,
    message: `${open.severity} → ${change.severity}`,
    now: change.now,
  })
  if (isRise && open.state === 'acknowledged') return reopenAcknowledged(store, open.id)
  const at = change.now.toISOString()
  if (isRise) {
    // What was snoozed, or has called nobody yet, has counted its time for something smaller.
    store.run(`delete from escalation where incident_id = ? and (snoozed_until is not null or called = '[]')`, open.id)
    store.run('update escalation set next_at = ? where incident_id = ?', at, open.id)
  } else
    store.run(
      'update escalation set next_at = ? where incident_id = ? and acknowledged_until is null and snoozed_until is null',
      at,
      open.id,
    )
}

/** Without its climb, the incident is taken in anew at the next turn: from the first level, counted from then. */
function reopenAcknowledged(store: Store, id: number): void {
  store.run(`update incident set state = 'open', acknowledged_at = null, acknowledged_by = null where id = ?`, id)
  store.run('delete from escalation where incident_id = ?', id)
}

/** The last incident with this key, when it was resolved no longer than `withinMs` ago: the same trouble is the same incident. */
export function reopenIncident(store: Store, news: NewIncident, withinMs: number): Incident | null {
  return store.transaction(() => {
    if (findOpenIncident(store, news.dedupKey)) return null
    const last = store.row<{ id: number; severity: Severity }>(
      'select id, severity from incident where dedup_key = ? and resolved_at >= ? order by id desc limit 1',
      news.dedupKey,
      new Date(news.now.getTime() - withinMs).toISOString(),
    )
    if (!last) return null
    store.run(
      `update incident set state = 'open', resolved_at = null, acknowledged_at = null, acknowledged_by = null, severity = min(severity, ?) where id = ?`,
      news.severity,
      last.id,
    )
    // What is left of its climb belongs to what was resolved, maybe with an acknowledgement that would keep everyone asleep.
    store.run('delete from escalation where incident_id = ?', last.id)
    addIncidentEvent(store, last.id, {
      kind: 'opened',
      who: news.openedBy,
      message: `again: ${news.title}`,
      now: news.now,
    })
    return readIncident(store, last.id)
  })
}

export function addIncidentEvent(
  store: Store,
  incidentId: number,
  event: { kind: string; who: string; message: string; detail?: Record<string, unknown>; now: Date },
): void {
  store.run(
    'insert into incident_event (incident_id, at, kind, by_whom, message, detail) values (?, ?, ?, ?, ?, ?)',
    incidentId,
    event.now.toISOString(),
    event.kind,
    event.who,
    event.message,
    JSON.stringify(event.detail ?? {}),
  )
}

/** False when it was not open any more. */
export function acknowledgeIncident(store: Store, id: number, by: { who: string; now: Date }): boolean {
  return store.transaction(() => {
    const at = by.now.toISOString()
    const changed = store.run(
      `update incident set state = 'acknowledged', acknowledged_at = ?, acknowledged_by = ? where id = ? and state = 'open'`,
      at,
      by.who,
      id,
    )
    if (changed > 0)
      addIncidentEvent(store, id, { kind: 'acknowledged', ...by, message: `acknowledged by ${by.who}`, now: by.now })
    return changed > 0
  })
}

/** Gives it back: the climb begins again. False when nobody had it. */
export function withdrawAcknowledgement(store: Store, id: number, by: { who: string; now: Date }): boolean {
  return store.transaction(() => {
    if (readIncident(store, id).state !== 'acknowledged') return false
    reopenAcknowledged(store, id)
    addIncidentEvent(store, id, {
      kind: 'acknowledgement-over',
      who: by.who,
      message: `${by.who} gave it back; calling again`,
      now: by.now,
    })
    return true
  })
}

/** False when it was resolved already. */
export function resolveIncident(store: Store, id: number, by: { who: string; message: string; now: Date }): boolean {
  return store.transaction(() => {
    const changed = store.run(
      `update incident set state = 'resolved', resolved_at = ? where id = ? and state <> 'resolved'`,
      by.now.toISOString(),
      id,
    )
    if (changed > 0) addIncidentEvent(store, id, { kind: 'resolved', ...by })
    return changed > 0
  })
}

export const findOpenIncident = (store: Store, dedupKey: string): Incident | undefined => {
  const row = store.row<Row>(`select ${columns} from incident where dedup_key = ? and state <> 'resolved'`, dedupKey)
  return row && incidentOf(row)
}

export const findIncident = (store: Store, id: number): Incident | undefined => {
  const row = store.row<Row>(`select ${columns} from incident where id = ?`, id)
  return row && incidentOf(row)
}

function readIncident(store: Store, id: number): Incident {
  const incident = findIncident(store, id)
  if (!incident) throw new Error(`There is no incident ${id}.`)
  return incident
}

/** Newest first; `state` 'unresolved' leaves out what is over. */
export const listIncidents = (
  store: Store,
  options: { state: 'unresolved' | 'all'; environment?: string; limit: number },
): Incident[] =>
  store
    .rows<Row>(
      `select ${columns} from incident where (? = 'all' or state <> 'resolved') and (? = '' or environment = ?) order by id desc limit ?`,
      options.state,
      options.environment ?? '',
      options.environment ?? '',
      options.limit,
    )
    .map(incidentOf)

export type IncidentEvent = { id: number; at: string; kind: string; who: string; message: string; detail: unknown }

export const listIncidentEvents = (store: Store, incidentId: number): IncidentEvent[] =>
  store
    .rows<Omit<IncidentEvent, 'detail'> & { detail: string }>(
      'select id, at, kind, by_whom as who, message, detail from incident_event where incident_id = ? order by id',
      incidentId,
    )
    .map((row) => ({ ...row, detail: JSON.parse(row.detail) as unknown }))
