import { sql, type Querier, type Sql } from '@dam/platform/database'
import type { TextQuery } from './text-query.ts'

/** Ranking reads whole documents, so only this many of the newest matches are ranked; the others follow by date. */
const mostRanked = 1_000

/** The hits among these assets with the best first: title and tags weigh most, then file name and description, then what is embedded. */
export async function rankHits(
  querier: Querier,
  text: TextQuery,
  among: Sql,
  page: { limit: number; offset: number },
): Promise<number[]> {
  const rows = await querier.rows<{ id: number }>(sql`
    select a.id from (
      select a.id, a.date_added, row_number() over (order by a.date_added desc, a.id desc) as place from asset a where ${among}) a
    left join asset_search s on s.asset_id = a.id and a.place <= ${mostRanked}
    order by coalesce(ts_rank('{0.1, 0.5, 1, 1}', s.document, ${text.tsquery}::tsquery), -1) desc, a.date_added desc, a.id desc
    limit ${page.limit} offset ${page.offset}`)
  return rows.map((row) => row.id)
}
