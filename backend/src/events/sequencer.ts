import type { DamEvent, EventKind } from '@dam/contract'
import { sql, type Database, type Querier } from '@dam/platform/database'

/** Names the advisory lock under which events get their numbers; any constant does. */
const lockId = 4_051_988

type Row = {
  seq: number
  at: Date
  kind: EventKind
  assetId: number | null
  actorId: number | null
  data: Record<string, unknown>
}

/**
 * Numbers committed events. Only one process numbers at a time and the lock is held until the numbers are committed, so numbers become
 * visible in their order and a reader that asks for everything after N never misses one.
 */
export async function numberEvents(database: Database): Promise<void> {
  for (;;) {
    const numbered = await database.transaction(async (tx) => {
      // A number lost in a power cut is given again, higher.
      await tx.run(sql`set local synchronous_commit = off`)
      await tx.run(sql`select pg_advisory_xact_lock(${lockId})`)
      return tx.run(sql`
        with batch as (select id from event where seq is null order by id limit 1000),
          numbered as materialized (select id, nextval('event_seq') as seq from (select id from batch order by id) ordered)
        update event set seq = numbered.seq from numbered where event.id = numbered.id`)
    })
    if (numbered < 1000) return
  }
}

export async function readEvents(db: Querier, after: number, limit: number): Promise<DamEvent[]> {
  const rows = await db.rows<Row>(sql`
    select seq, at, kind, asset_id as "assetId", actor_id as "actorId", data
    from event where seq > ${after} order by seq limit ${limit}`)
  return rows.map((row) => ({
    seq: row.seq,
    at: row.at.toISOString(),
    kind: row.kind,
    asset_id: row.assetId,
    actor_id: row.actorId,
    data: row.data,
  }))
}

export const lastEventSeq = async (db: Querier): Promise<number> =>
  (await db.row<{ last: number | null }>(sql`select max(seq) as last from event`))?.last ?? 0

const keptDays = 35

/** The log is for following changes, not an archive: what is older than 35 days goes, at most `limit` rows a time. Audit rows stay. */
export const deleteOldEvents = (database: Database, limit = 50_000): Promise<number> =>
  database.run(sql`
    delete from event where id in (
      select id from event where at < now() - make_interval(days => ${keptDays}) and seq is not null order by id limit ${limit})`)
