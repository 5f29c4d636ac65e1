import type { Store } from '../store.ts'

export type Overdue = { what: string; since: string }

const graceMs = 60_000

/**
 * Proves that nothing the engine owes is late: no incident without a climb, no climb past its time, no urgent message that should have
 * been attempted. Reads only the store; an empty answer is what the heartbeat is allowed to say.
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
  return [
    ...incidents.map(({ id, since }) => ({ what: `incident ${id} has no escalation`, since })),
    ...climbs.map(({ id, since }) => ({ what: `the escalation of incident ${id} is late`, since })),
    ...messages.map(({ id, since }) => ({ what: `message ${id} is late`, since })),
  ]
}
