import type { Store } from '../store.ts'

export type Overdue = { what: string; since: string }

const graceMs = 60_000
/** So long an urgent message may find every destination down before that is itself an alarm. */
const undeliveredMs = 5 * 60_000

/**
 * Proves that nothing the engine owes is late: no incident without a climb, no climb past its time or asleep without a reason, no event
 * unannounced, no urgent message that should have been attempted or that no destination took for five minutes. Reads only the store; an empty answer is what the heartbeat is allowed to say.
 */
export function findOverdue(store: Store, now: Date): Overdue[] {
  const limit = new Date(now.getTime() - graceMs).toISOString()
  const incidents = store.rows<{ id: number; since: string }>(
    `select id, opened_at as since from incident where state <> 'resolved' and opened_at < ?
     and id not in (select incident_id from escalation)`,
    limit,
  )
  const climbs = store.rows<{ id: number; since: string }>(
    `select incident_id as id, next_at as since from escalation e join incident i on i.id = e.incident_id
     where i.state <> 'resolved' and next_at < ?`,
    limit,
  )
  const messages = store.rows<{ id: number; since: string }>(
    `select id, next_at as since from outbox where state in ('waiting', 'sending') and priority <= 1 and next_at < ?
     and not exists (select 1 from outbox earlier where earlier.channel = outbox.channel and earlier.subject = outbox.subject
                     and earlier.id < outbox.id and earlier.state in ('waiting', 'sending'))`,
    limit,
  )
  const asleep = store.rows<{ id: number; since: string }>(
    `select incident_id as id, entered_at as since from escalation e join incident i on i.id = e.incident_id
     where i.state = 'open' and acknowledged_until is not null and acknowledged_until > ?`,
    now.toISOString(),
  )
  const unannounced = store.rows<{ id: number; since: string }>(
    `select id, at as since from incident_event
     where id > coalesce((select value from progress where name = 'announced'), 0) and at < ? order by id limit 20`,
    limit,
  )
  const undelivered = store.rows<{ id: number; since: string }>(
    `select min(id) as id, min(created_at) as since from outbox where state in ('waiting', 'sending') and priority <= 1 and created_at < ?
       and not exists (select 1 from outbox taken where taken.subject = outbox.subject and taken.state = 'sent'
                       and taken.created_at >= outbox.created_at)
     group by subject`,
    new Date(now.getTime() - undeliveredMs).toISOString(),
  )
  return [
    ...incidents.map(({ id, since }) => ({ what: `incident ${id} has no escalation`, since })),
    ...climbs.map(({ id, since }) => ({ what: `the escalation of incident ${id} is late`, since })),
    ...asleep.map(({ id, since }) => ({ what: `incident ${id} is open but waits for an acknowledgement`, since })),
    ...unannounced.map(({ id, since }) => ({ what: `event ${id} of an incident is not announced`, since })),
    ...undelivered.map(({ id, since }) => ({ what: `no destination took message ${id}`, since })),
    ...messages.map(({ id, since }) => ({ what: `message ${id} is late`, since })),
  ]
}
