import type { EventKind } from '@dam/contract'
import { join, sql, type Transaction } from '@dam/platform/database'

export type NewEvent = {
  kind: EventKind
  assetId?: number | null
  actorId?: number | null
  data?: Record<string, unknown>
}

/** Adds events to the log in the transaction of the change they tell of, and wakes the sequencer at commit. */
export async function recordEvents(tx: Transaction, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return
  const rows = events.map(
    (event) =>
      sql`(${event.kind}, ${event.assetId ?? null}::bigint, ${event.actorId ?? null}::bigint, ${JSON.stringify(event.data ?? {})}::jsonb)`,
  )
  await tx.run(sql`
    with recorded as (insert into event (kind, asset_id, actor_id, data) values ${join(rows)})
    select pg_notify('dam_event', '')`)
}

export type NewAudit = { actorId: number | null; action: string; object: string; detail?: Record<string, unknown> }

/** Adds audit rows in the transaction of the change. */
export async function recordAudit(tx: Transaction, entries: readonly NewAudit[]): Promise<void> {
  if (entries.length === 0) return
  const rows = entries.map(
    (entry) =>
      sql`(${entry.actorId}::bigint, ${entry.action}, ${entry.object}, ${JSON.stringify(entry.detail ?? {})}::jsonb)`,
  )
  await tx.run(sql`insert into audit (actor_id, action, object, detail) values ${join(rows)}`)
}
