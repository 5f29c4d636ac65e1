import type { Incident } from '../incidents/incident.ts'
import { addIncidentEvent, findIncident } from '../incidents/incident-store.ts'
import type { Message } from '../notify/message.ts'
import { enqueue } from '../notify/outbox-store.ts'
import { onCall, type OnCall } from '../oncall/schedule.ts'
import { readSchedule } from '../oncall/oncall-store.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { type Call, type Escalation, newEscalation, nextStep } from './escalation.ts'
import {
  dropEndedEscalations,
  dueEscalations,
  findEscalation,
  incidentsWithoutEscalation,
  saveEscalation,
  shiftEscalations,
} from './escalation-store.ts'

const me = 'dam: ops'
const atOnce = 50

/**
 * One round: takes in new incidents and acknowledgements, calls whoever is due, and writes the calls, their time line and the next due
 * time in one transaction. Killed anywhere, the next round does what this one did not.
 */
export function runEscalation(
  store: Store,
  deps: { policy: Policy; consoleUrl: string; now: Date; isHeld?: (incident: Incident, now: Date) => boolean },
): { calls: number } {
  const { now } = deps
  store.transaction(() => {
    followClock(store, now)
    dropEndedEscalations(store)
    for (const id of incidentsWithoutEscalation(store)) saveEscalation(store, newEscalation({ id }, now))
    takeInAcknowledgements(store, deps)
  })
  let calls = 0
  const who = onCall(readSchedule(store, deps.policy, now), now)
  const due = dueEscalations(store, now)
  // Many in one transaction: in a storm each commit waits for the disk, and the sender with it.
  for (let from = 0; from < due.length; from += atOnce) {
    calls += store.transaction(() =>
      due.slice(from, from + atOnce).reduce((sum, { incidentId }) => sum + callFor(store, deps, incidentId, who), 0),
    )
  }
  return { calls }
}

/** Looks at it again inside the transaction: somebody may have acknowledged it since. */
function callFor(
  store: Store,
  deps: { policy: Policy; consoleUrl: string; now: Date; isHeld?: (incident: Incident, now: Date) => boolean },
  incidentId: number,
  who: OnCall,
): number {
  const escalation = findEscalation(store, incidentId)
  const incident = findIncident(store, incidentId)
  if (!escalation || !incident || incident.state === 'resolved' || escalation.nextAt > deps.now.toISOString()) return 0
  // The call waits for its diagnosis; it is due again at the next turn.
  if (escalation.level === 0 && deps.isHeld?.(incident, deps.now)) return 0
  return advance(store, deps, { incident, escalation, who })
}

const backwardsMs = 5_000

/** A clock set back must not put calls off by as much. Forward it may jump: then their time has come. */
function followClock(store: Store, now: Date): void {
  const at = now.getTime()
  const last = store.row<{ value: number }>(`select value from progress where name = 'escalated'`)?.value ?? at
  if (at < last - backwardsMs) shiftEscalations(store, at - last)
  // While nothing climbs there is nothing to move, and the disk has its peace.
  const isClimbing = store.row<{ one: number }>('select 1 as one from escalation limit 1') !== undefined
  if (!isClimbing && at >= last - backwardsMs && at < last + 60_000) return
  store.run(
    `insert into progress (name, value) values ('escalated', ?) on conflict (name) do update set value = excluded.value`,
    at,
  )
}

function advance(
  store: Store,
  deps: { policy: Policy; consoleUrl: string; now: Date },
  due: { incident: Incident; escalation: Escalation; who: OnCall },
): number {
  const { policy, now } = deps
  const { incident, escalation, who } = due
  const step = nextStep({ policy, incident, escalation, onCall: who, now })
  if (escalation.acknowledgedUntil !== null && step.next.acknowledgedUntil === null) {
    store.run(
      `update incident set state = 'open', acknowledged_at = null, acknowledged_by = null where id = ?`,
      incident.id,
    )
    addIncidentEvent(store, incident.id, { kind: 'acknowledgement-over', who: me, message: step.notes[0] ?? '', now })
  }
  for (const note of step.notes)
    addIncidentEvent(store, incident.id, { kind: 'escalation', who: me, message: note, now })
  // Levels without anybody are told of once, by the first of them.
  const calls = step.calls.filter(({ people, level }) => people.length > 0 || level === 1)
  for (const call of calls) makeCall(store, deps, incident, step.next, call)
  saveEscalation(store, step.next)
  return calls.length
}

function makeCall(
  store: Store,
  deps: { policy: Policy; consoleUrl: string; now: Date },
  incident: Incident,
  escalation: Escalation,
  call: Call,
): void {
  const { policy, now } = deps
  const people = call.people
    .map((id) => policy.people.find((person) => person.id === id))
    .filter((person) => person !== undefined)
  const level = policy.escalation.levels.find(({ level }) => level === call.level)
  const names = people.map(({ name }) => name).join(', ')
  const message: Message = {
    event: 'incident-call',
    subject: `incident:${incident.id}`,
    severity: incident.severity,
    title: incident.title,
    text: names
      ? `Level ${call.level} (${level?.title ?? ''}) is called: ${names}, because ${call.because}.`
      : `Level ${call.level} (${level?.title ?? ''}) is due and nobody is there: enter people in the policy.`,
    facts: [
      { label: 'Called', value: names || 'nobody' },
      { label: 'Because', value: call.because },
      ...(typeof incident.evidence['diagnosis'] === 'string'
        ? [{ label: 'Diagnosis', value: incident.evidence['diagnosis'] }]
        : []),
      { label: 'Round', value: String(escalation.round) },
      ...people.filter(({ phone }) => phone).map(({ name, phone }) => ({ label: name, value: phone })),
    ],
    links: [{ label: `Incident ${incident.id}`, url: `${deps.consoleUrl}/incidents/${incident.id}` }],
    environment: incident.environment,
    mentions: people.map(({ slack }) => slack).filter(Boolean),
    isResolution: false,
    at: now.toISOString(),
  }
  const { pagerOfRecord, oncall, oncallEmail } = policy.channels
  const channels = [
    pagerOfRecord,
    oncall,
    ...(people.length > 0 ? people.map(({ email }) => `email:${email}`) : [oncallEmail]),
  ]
  enqueue(store, message, {
    channels: [...new Set(channels)],
    key: `call-${escalation.round}-${escalation.enteredAt}-${call.level}-${call.role}`,
    now,
  })
  addIncidentEvent(store, incident.id, {
    kind: 'called',
    who: me,
    message: message.text,
    detail: { level: call.level, role: call.role, people: call.people, round: escalation.round },
    now,
  })
}

/** An acknowledgement pauses the climb for as long as its severity says. */
function takeInAcknowledgements(store: Store, deps: { policy: Policy; now: Date }): void {
  const rows = store.rows<{ id: number; severity: Incident['severity']; by: string; at: string }>(
    `select i.id, i.severity, i.acknowledged_by as by, i.acknowledged_at as at from incident i
     join escalation e on e.incident_id = i.id where i.state = 'acknowledged' and e.acknowledged_until is null`,
  )
  for (const { id, severity, by, at } of rows) {
    const escalation = findEscalation(store, id)
    if (!escalation) continue
    // From now where the clock has gone back since.
    const from = Math.min(Date.parse(at), deps.now.getTime())
    const until = new Date(from + deps.policy.severities[severity].acknowledgementLasts).toISOString()
    saveEscalation(store, { ...escalation, acknowledgedBy: by, acknowledgedUntil: until, nextAt: until })
  }
}
