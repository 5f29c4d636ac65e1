import type { Message } from '../notify/message.ts'
import { enqueue } from '../notify/outbox-store.ts'
import { formatDuration } from '../policy/units.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import type { Incident } from './incident.ts'
import { findIncident, type IncidentEvent } from './incident-store.ts'

const announcedKinds = ['opened', 'severity', 'acknowledged', 'acknowledgement-over', 'resolved', 'update']
const mostAtOnce = 500

/**
 * Puts a message for every event of incidents that people should hear of into the outbox, once, in the order of the events. Whoever
 * opens, acknowledges or resolves an incident needs to tell nobody. An incident that is held waits, and all its later events with it; others
 * overtake it. Returns how many events it announced.
 */
export function announceIncidents(
  store: Store,
  deps: { policy: Policy; consoleUrl: string; now: Date; isHeld?: (incident: Incident, now: Date) => boolean },
): number {
  return store.transaction(() => {
    const from = store.row<{ value: number }>(`select value from progress where name = 'announced'`)?.value ?? 0
    const newest = store.row<{ id: number | null }>('select max(id) as id from incident_event')?.id ?? 0
    const events = store.rows<IncidentEvent & { incidentId: number }>(
      `select id, incident_id as incidentId, at, kind, by_whom as who, message, detail from incident_event
       where id > ? and id <= ? and kind in (${announcedKinds.map(() => '?').join(', ')}) order by id limit ${mostAtOnce}`,
      from,
      newest,
      ...announcedKinds,
    )
    let announced = 0
    let firstHeld: number | undefined
    for (const event of events) {
      const incident = findIncident(store, event.incidentId)
      if (!incident) continue
      if (deps.isHeld?.(incident, deps.now)) {
        firstHeld ??= event.id
        continue
      }
      const message = messageOf(incident, event, deps)
      enqueue(store, message, {
        channels: channelsOf(store, deps.policy, incident, event),
        key: `event-${event.id}`,
        now: deps.now,
      })
      announced++
    }
    // Events of other kinds, of which a storm has thousands, are passed over at once. What overtook a held event is met again at the next
    // turn; its key is in the outbox already, so that it adds nothing.
    const read = events.length < mostAtOnce ? newest : (events.at(-1)?.id ?? newest)
    const last = firstHeld === undefined ? read : firstHeld - 1
    if (last > from)
      store.run(
        `insert into progress (name, value) values ('announced', ?) on conflict (name) do update set value = excluded.value`,
        last,
      )
    return announced
  })
}

/** A raised severity reaches its channels from then on; an end reaches every channel that was told of the incident, or called about it. */
function channelsOf(store: Store, policy: Policy, incident: Incident, event: { kind: string }): string[] {
  if (event.kind === 'update') return [policy.channels.incidents]
  const usual = [...policy.severities[incident.severity].channels, policy.channels.alerts]
  const told =
    event.kind === 'resolved' || event.kind === 'acknowledged'
      ? store.rows<{ channel: string }>(
          'select distinct channel from outbox where subject = ? order by channel',
          `incident:${incident.id}`,
        )
      : []
  return [...new Set([...usual, ...told.map(({ channel }) => channel)])]
}

const events: Record<string, string> = {
  opened: 'incident-opened',
  severity: 'incident-severity',
  acknowledged: 'incident-acknowledged',
  'acknowledgement-over': 'incident-opened',
  resolved: 'incident-resolved',
  update: 'incident-update',
}

function messageOf(
  incident: Incident,
  event: { kind: string; at: string; who: string; message: string },
  deps: { policy: Policy; consoleUrl: string },
): Message {
  const { acknowledgeWithin, title } = deps.policy.severities[incident.severity]
  const diagnosis = incident.evidence['diagnosis']
  return {
    event: events[event.kind] ?? `incident-${event.kind}`,
    subject: `incident:${incident.id}`,
    severity: incident.severity,
    title:
      event.kind === 'opened' || event.kind === 'severity' ? incident.title : `${incident.title}: ${event.message}`,
    text: event.kind === 'opened' && typeof diagnosis === 'string' ? diagnosis : event.message,
    facts: [
      { label: 'Severity', value: `${incident.severity}, ${title}` },
      { label: 'Environment', value: incident.environment },
      ...(incident.cause ? [{ label: 'Cause', value: incident.cause }] : []),
      ...(event.kind === 'opened' ? [{ label: 'Acknowledge within', value: formatDuration(acknowledgeWithin) }] : []),
      { label: 'By', value: event.who },
    ],
    links: [{ label: `Incident ${incident.id}`, url: `${deps.consoleUrl}/incidents/${incident.id}` }],
    environment: incident.environment,
    isResolution: event.kind === 'resolved',
    at: event.at,
  }
}
