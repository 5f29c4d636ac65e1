import type { SearchBody } from '@dam/contract'
import { raw, sql, type Querier, type Sql } from '@dam/platform/database'
import { asksOnlyFor, filterOfBody, type AssetFilter } from '../assets/asset-filter.ts'
import { newestFirst, orderBy, orderOf } from '../assets/asset-order.ts'
import { ownerColumns } from '../assets/asset-row.ts'
import { countLimit, countRows, tallyOf, type Count } from '../assets/count-assets.ts'
import { resolveFilter, whereOf, type ResolvedFilter } from '../assets/resolve-filter.ts'
import type { ListedRow } from '../assets/summary-cache.ts'
import { seesAll, visibleAssets, type Principal } from '../people/access.ts'
import { facetsOf, facetsOfAll, type Facets } from './facets.ts'
import { isOneOf, narrowByText, type Narrowed } from './find-hits.ts'
import { rankHits } from './rank-hits.ts'

export type Found = Count & { rows: ListedRow[]; facets: Facets }

/** A filter with everything looked up that answering it needs. */
type Prepared = {
  principal: Principal
  filter: AssetFilter
  resolved: ResolvedFilter
  narrowed: Narrowed
  visible: Sql
}

/** One page of matches with facets. Whatever is asked, no more than some thousand assets are read. */
export async function searchAssets(querier: Querier, principal: Principal, body: SearchBody): Promise<Found> {
  const filter = filterOfBody(body.filters, body.q)
  const byRelevance = body.sort === 'relevance' || (body.sort === undefined && filter.text !== undefined)
  const order = orderBy(body.sort === 'relevance' ? newestFirst : orderOf({ sort: body.sort }))
  const prepared = await prepare(querier, principal, filter)
  const { resolved, narrowed, visible } = prepared
  const page = { limit: body.limit, offset: body.offset }
  const rows = resolved.impossible
    ? []
    : resolved.text && byRelevance
      ? rankHits(querier, resolved.text, amongHits(prepared), page).then((ids) => rowsInOrder(querier, ids, visible))
      : rowsOf(querier, whereOf(visible, narrowed.conditions), order, page)
  const [found, count, facets] = await Promise.all([
    rows,
    countOf(querier, prepared),
    allFacets(querier, prepared, body.facets),
  ])
  return { ...count, rows: found, facets }
}

async function prepare(querier: Querier, principal: Principal, filter: AssetFilter): Promise<Prepared> {
  const visible = visibleAssets(principal, 'library')
  const resolved = await resolveFilter(querier, filter)
  return { principal, filter, resolved, visible, narrowed: await narrowByText(querier, resolved, visible) }
}

const amongHits = ({ narrowed, visible }: Prepared): Sql => whereOf(visible, [isOneOf(narrowed.ids ?? narrowed.sample)])

async function countOf(querier: Querier, { principal, resolved, narrowed, visible }: Prepared): Promise<Count> {
  if (narrowed.known) return narrowed.known
  const tally = seesAll(principal, 'library') ? tallyOf(resolved, 'library') : undefined
  if (!tally) return countRows(querier, visible, resolved.conditions)
  return { count: (await querier.row<{ total: number }>(sql`select ${tally} as total`))?.total ?? 0, isEstimate: false }
}

/**
 * Counts for each facet. Types and years stay open: theirs are counted as if no type, no date was chosen, so that another one can be.
 * Tags are counted within the choice, because chosen tags must all be there.
 */
async function allFacets(querier: Querier, prepared: Prepared, names: SearchBody['facets']): Promise<Facets> {
  const { types, dateFrom, dateBefore, ...rest } = prepared.filter
  const open: Partial<Record<SearchBody['facets'][number], AssetFilter>> = {}
  if (types) open.type = { ...rest, ...(dateFrom ? { dateFrom } : {}), ...(dateBefore ? { dateBefore } : {}) }
  if (dateFrom || dateBefore) open.year = { ...rest, ...(types ? { types } : {}) }
  const parts = await Promise.all([
    facetsWithin(
      querier,
      prepared,
      names.filter((name) => !open[name]),
    ),
    ...names.flatMap((name) => {
      const filter = open[name]
      return filter
        ? [prepare(querier, prepared.principal, filter).then((opened) => facetsWithin(querier, opened, [name]))]
        : []
    }),
  ])
  const facets: Facets = Object.assign({}, ...parts)
  return Object.fromEntries(names.map((name) => [name, facets[name] ?? {}]))
}

async function facetsWithin(querier: Querier, prepared: Prepared, names: SearchBody['facets']): Promise<Facets> {
  const { filter, principal, resolved, visible } = prepared
  if (resolved.impossible) return {}
  if (resolved.text) return facetsOf(querier, names, amongHits(prepared), 2 * countLimit)
  if (asksOnlyFor(filter) && seesAll(principal, 'library')) return facetsOfAll(querier, names)
  const newest = sql`select a.id from asset a where ${whereOf(visible, resolved.conditions)} order by ${orderBy(newestFirst)} limit ${countLimit}`
  return facetsOf(querier, names, sql`a.id in (${newest})`, countLimit)
}

const rowsOf = (
  querier: Querier,
  where: Sql,
  order: Sql,
  page: { limit: number; offset: number },
): Promise<ListedRow[]> =>
  querier.rows<ListedRow>(sql`
    select a.id, a.revision, ${ownerColumns} from (select a.* from asset a where ${where} order by ${order} limit ${raw(String(page.limit))} offset ${page.offset}) a
    left join account o on o.id = a.owner_id order by ${order}`)

const rowsInOrder = (querier: Querier, ids: readonly number[], visible: Sql): Promise<ListedRow[]> =>
  querier.rows<ListedRow>(sql`
    select a.id, a.revision, ${ownerColumns} from unnest(${ids}::bigint[]) with ordinality as hit (id, place)
    join asset a on a.id = hit.id left join account o on o.id = a.owner_id where ${visible} order by hit.place`)
