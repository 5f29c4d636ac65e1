import type { Timeline } from '@dam/contract'
import { sql, type Querier } from '@dam/platform/database'

type Row = {
  kind: 'stage' | 'event'
  name: string
  started_at: Date
  ended_at: Date | null
  outcome: string
  error: string | null
  attempt: number | null
  worker: string | null
  actor: string | null
  detail: Record<string, unknown> | null
}

const mostEntries = 500

/**
 * What happened to an asset, oldest first: each run of an ingest stage, and each change with who made it. An event and the audit row of
 * its transaction are one entry.
 */
export async function assetTimeline(querier: Querier, id: number): Promise<Timeline> {
  const rows = await querier.rows<Row>(sql`
    select * from (
      select 'stage' as kind, s.stage as name, s.started_at, s.ended_at, s.outcome, s.error, s.attempt, s.worker, null as actor, s.detail, s.id as place
      from ingest_stage s where s.asset_id = ${id}
      union all
      select 'event', coalesce(e.kind, t.action), coalesce(e.at, t.at), coalesce(e.at, t.at), 'done', null, null, null,
        coalesce(nullif(o.display_name, ''), o.username), coalesce(e.data, '{}') || coalesce(t.detail, '{}'), coalesce(e.id, t.id)
      from (select * from event where asset_id = ${id}) e
      full join (select * from audit where object = ${`asset:${id}`}) t on t.action = e.kind and t.at = e.at
      left join account o on o.id = coalesce(e.actor_id, t.actor_id)
    ) entry
    order by started_at desc, place desc limit ${mostEntries}`)
  const entries = rows.reverse().map((row) => ({
    kind: row.kind,
    name: row.name,
    started_at: row.started_at.toISOString(),
    ended_at: row.ended_at?.toISOString() ?? null,
    duration_ms: row.kind === 'stage' && row.ended_at ? row.ended_at.getTime() - row.started_at.getTime() : null,
    outcome: row.outcome,
    error: row.error,
    attempt: row.attempt,
    worker: row.worker === '' ? null : row.worker,
    actor: row.actor,
    detail: row.detail ?? {},
  }))
  return { asset: id, entries }
}
