import { addIncidentEvent, findIncident } from '../incidents/incident-store.ts'
import type { Store } from '../store.ts'
import { type Escalation, newEscalation } from './escalation.ts'

type Row = Omit<Escalation, 'called'> & { called: string }
const columns = `incident_id as incidentId, entered_at as enteredAt, level, round, called, next_at as nextAt,
  acknowledged_by as acknowledgedBy, acknowledged_until as acknowledgedUntil, snoozed_until as snoozedUntil`
const escalationOf = (row: Row): Escalation => ({ ...row, called: JSON.parse(row.called) as string[] })

export function saveEscalation(store: Store, escalation: Escalation): void {
  store.run(
    `insert into escalation (incident_id, entered_at, level, round, called, next_at, acknowledged_by, acknowledged_until, snoozed_until)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (incident_id) do update set entered_at = excluded.entered_at, level = excluded.level, round = excluded.round,
       called = excluded.called, next_at = excluded.next_at, acknowledged_by = excluded.acknowledged_by,
       acknowledged_until = excluded.acknowledged_until, snoozed_until = excluded.snoozed_until`,
    escalation.incidentId,
    escalation.enteredAt,
    escalation.level,
    escalation.round,
    JSON.stringify(escalation.called),
    escalation.nextAt,
    escalation.acknowledgedBy,
    escalation.acknowledgedUntil,
    escalation.snoozedUntil,
  )
}

export const findEscalation = (store: Store, incidentId: number): Escalation | undefined => {
  const row = store.row<Row>(`select ${columns} from escalation where incident_id = ?`, incidentId)
  return row && escalationOf(row)
}

/** The most severe first. */
export const dueEscalations = (store: Store, now: Date): Escalation[] =>
  store
    .rows<Row>(
      `select ${columns} from escalation where next_at <= ?
       order by (select severity from incident where id = incident_id), next_at, incident_id`,
      now.toISOString(),
    )
    .map(escalationOf)

export const listEscalations = (store: Store): Escalation[] =>
  store.rows<Row>(`select ${columns} from escalation order by incident_id`).map(escalationOf)

/** Of incidents that are over; returns how many. */
export const dropEndedEscalations = (store: Store): number =>
  store.run(
    `delete from escalation where exists (select 1 from incident where id = incident_id and state = 'resolved')`,
  )

/** Moves every climb by so much: the clock went back, and what was due in ten minutes still is. */
export const shiftEscalations = (store: Store, byMs: number): void => {
  const moved = (instant: string): string => new Date(Date.parse(instant) + byMs).toISOString()
  const movedIf = (instant: string | null): string | null => (instant === null ? null : moved(instant))
  for (const escalation of listEscalations(store))
    saveEscalation(store, {
      ...escalation,
      enteredAt: moved(escalation.enteredAt),
      nextAt: moved(escalation.nextAt),
      acknowledgedUntil: movedIf(escalation.acknowledgedUntil),
      snoozedUntil: movedIf(escalation.snoozedUntil),
    })
}

/** Incidents that nobody climbs for yet. */
export const incidentsWithoutEscalation = (store: Store): number[] =>
  store
    .rows<{ id: number }>(
      `select id from incident where state <> 'resolved' and id not in (select incident_id from escalation) order by severity, id`,
    )
    .map(({ id }) => id)

/** Nobody is called for an incident before `until`; then the climb begins anew. False when it is resolved. */
export function snoozeIncident(store: Store, id: number, snooze: { until: Date; who: string; now: Date }): boolean {
  return store.transaction(() => {
    if (findIncident(store, id)?.state === 'resolved') return false
    const until = snooze.until.toISOString()
    const escalation = findEscalation(store, id) ?? newEscalation({ id }, snooze.now)
    saveEscalation(store, { ...escalation, snoozedUntil: until, nextAt: until })
    addIncidentEvent(store, id, {
      kind: 'snoozed',
      who: snooze.who,
      message: `nobody is called before ${until}`,
      now: snooze.now,
    })
    return true
  })
}
