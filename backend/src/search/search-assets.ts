import type { SearchBody } from '@dam/contract'
import { raw, sql, type Querier, type Sql } from '@dam/platform/database'
import { asksOnlyFor, filterOfBody } from '../assets/asset-filter.ts'
import { newestFirst, orderBy, orderOf } from '../assets/asset-order.ts'
import { ownerColumns } from '../assets/asset-row.ts'
import { countLimit, countRows, tallyOf, type Count } from '../assets/count-assets.ts'
import { resolveFilter, whereOf } from '../assets/resolve-filter.ts'
import type { ListedRow } from '../assets/summary-cache.ts'
import { seesAll, visibleAssets, type Principal } from '../people/access.ts'
import { facetsOf, facetsOfAll, type Facets } from './facets.ts'
import { isOneOf, narrowByText } from './find-hits.ts'
import { rankHits } from './rank-hits.ts'

export type Found = Count & { rows: ListedRow[]; facets: Facets }

/** One page of matches with facets. Whatever is asked, no more than some thousand assets are read. */
export async function searchAssets(querier: Querier, principal: Principal, body: SearchBody): Promise<Found> {
  const filter = filterOfBody(body.filters, body.q)
  const byRelevance = body.sort === 'relevance' || (body.sort === undefined && filter.text !== undefined)
  const order = body.sort === 'relevance' ? newestFirst : orderOf({ sort: body.sort })
  const resolved = await resolveFilter(querier, filter)
  if (resolved.impossible) return { count: 0, isEstimate: false, rows: [], facets: Object.fromEntries(body.facets.map((name) => [name, {}])) }

  const visible = visibleAssets(principal, 'library')
  const narrowed = await narrowByText(querier, resolved, visible)
  const page = { limit: body.limit, offset: body.offset }

  if (resolved.text && narrowed.known) {
    const within = whereOf(visible, [isOneOf(narrowed.ids ?? narrowed.sample)])
    const [rows, facets] = await Promise.all([
      byRelevance
        ? rowsInOrder(querier, await rankHits(querier, resolved.text, within, page), visible)
        : rowsOf(querier, whereOf(visible, narrowed.conditions), orderBy(order), page),
      facetsOf(querier, body.facets, within, 2 * countLimit),
    ])
    return { ...narrowed.known, rows, facets }
  }

  const where = whereOf(visible, resolved.conditions)
  const [rows, count, facets] = await Promise.all([
    rowsOf(querier, where, orderBy(order), page),
    countOf(querier, principal, resolved, visible),
    asksOnlyFor(filter) && seesAll(principal, 'library')
      ? facetsOfAll(querier, body.facets)
      : facetsOf(querier, body.facets, sql`a.id in (select a.id from asset a where ${where} order by ${orderBy(newestFirst)} limit ${countLimit})`, countLimit),
  ])
  return { ...count, rows, facets }
}

async function countOf(querier: Querier, principal: Principal, resolved: Parameters<typeof tallyOf>[0], visible: Sql): Promise<Count> {
  const tally = seesAll(principal, 'library') ? tallyOf(resolved, 'library') : undefined
  if (!tally) return countRows(querier, visible, resolved.conditions)
  return { count: (await querier.row<{ total: number }>(sql`select ${tally} as total`))?.total ?? 0, isEstimate: false }
}

const rowsOf = (querier: Querier, where: Sql, order: Sql, page: { limit: number; offset: number }): Promise<ListedRow[]> =>
  querier.rows<ListedRow>(sql`
    select a.id, a.revision, ${ownerColumns} from (select a.* from asset a where ${where} order by ${order} limit ${raw(String(page.limit))} offset ${page.offset}) a
    left join account o on o.id = a.owner_id order by ${order}`)

const rowsInOrder = (querier: Querier, ids: readonly number[], visible: Sql): Promise<ListedRow[]> =>
  querier.rows<ListedRow>(sql`
    select a.id, a.revision, ${ownerColumns} from unnest(${ids}::bigint[]) with ordinality as hit (id, place)
    join asset a on a.id = hit.id left join account o on o.id = a.owner_id where ${visible} order by hit.place`)
