import { sql, type Querier, type Sql } from '@dam/platform/database'
import { newestFirst, orderBy } from '../assets/asset-order.ts'
import { whereOf } from '../assets/resolve-filter.ts'
import { matchesWhileWalking } from './find-hits.ts'
import type { TextQuery } from './text-query.ts'

/** Ranking reads whole documents, so only this many of the newest matches are ranked; the others follow by date. */
const mostRanked = 1_000
/** How far back the library is read for new matches of a very common word. */
const walkedRows = 20_000

/** New matches of a text that has too many to look at all of them. */
export async function newestHits(querier: Querier, text: TextQuery, visible: Sql, conditions: readonly Sql[]): Promise<number[]> {
  const order = orderBy(newestFirst)
  const rows = await querier.rows<{ id: number }>(sql`
    select a.id from (select a.* from asset a where ${whereOf(visible, conditions)} order by ${order} limit ${walkedRows}) a
    where ${matchesWhileWalking(text)} order by ${order} limit ${mostRanked}`)
  return rows.map((row) => row.id)
}

/** The hits with the best first: title and tags weigh most, then file name and description, then what is embedded. */
export async function rankHits(querier: Querier, text: TextQuery, ids: readonly number[], page: { limit: number; offset: number }): Promise<number[]> {
  const rows = await querier.rows<{ id: number }>(sql`
    select a.id from (
      select a.id, a.date_added, row_number() over (order by a.date_added desc, a.id desc) as place from asset a where a.id = any(${ids}::bigint[])) a
    left join asset_search s on s.asset_id = a.id and a.place <= ${mostRanked}
    order by coalesce(ts_rank('{0.1, 0.5, 1, 1}', s.document, ${text.tsquery}::tsquery), -1) desc, a.date_added desc, a.id desc
    limit ${page.limit} offset ${page.offset}`)
  return rows.map((row) => row.id)
}
