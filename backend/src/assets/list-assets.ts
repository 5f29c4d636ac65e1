import { Problem, type ListQuery } from '@dam/contract'
import { raw, sql, type Querier, type Sql } from '@dam/platform/database'
import { accessLevelOf, seesAll, visibleAssets, type Principal } from '../people/access.ts'
import { narrowByText } from '../search/find-hits.ts'
import { filterOfQuery, type AssetFilter } from './asset-filter.ts'
import { beyond, keyOf, newestFirst, orderBy, orderOf, type AssetOrder } from './asset-order.ts'
import { ownerColumns } from './asset-row.ts'
import { countRows, tallyOf, type Count } from './count-assets.ts'
import { cursorText, readCursor, type Cursor } from './cursor.ts'
import { resolveFilter, whereOf, type ResolvedFilter } from './resolve-filter.ts'
import { statementName } from './statement-name.ts'
import type { ListedRow, SummaryCache } from './summary-cache.ts'

export type ListDeps = { querier: Querier; summaries: SummaryCache }

export type ListRequest = {
  principal: Principal
  scope: 'library' | 'trash'
  query: ListQuery
  /** Joined to the filter of the query. */
  within?: AssetFilter
  defaultOrder?: AssetOrder
  origin: string
  /** Path and query as the client sent them; the links of the answer keep its parameters. */
  url: string
}

type Row = ListedRow & { key: string; total: number | null }
type Paging =
  | { kind: 'cursor'; cursor: Cursor | undefined; size: number }
  | { kind: 'page'; page: number; size: number }
  | { kind: 'offset'; offset: number; size: number }

/** One page of assets as the JSON text of the envelope. */
export async function listAssets({ querier, summaries }: ListDeps, request: ListRequest): Promise<string> {
  const { principal, scope, query, origin } = request
  const order = orderOf(query, request.defaultOrder ?? newestFirst)
  const paging = pagingOf(query, order)
  const resolved = await resolveFilter(querier, { ...filterOfQuery(query), ...request.within })
  const visible = visibleAssets(principal, scope)
  const { conditions, known } = await narrowByText(querier, resolved, visible)
  const tally = known === undefined && seesAll(principal, scope) ? tallyOf(resolved, scope) : undefined

  const offset = paging.kind === 'page' ? (paging.page - 1) * paging.size : paging.kind === 'offset' ? paging.offset : 0
  const cursor = paging.kind === 'cursor' ? paging.cursor : undefined
  const statement = pageStatement({ order, visible, conditions, cursor, size: paging.size, offset, tally })
  const isHot = conditions.length === 0 && offset === 0 && hotSizes.has(paging.size)
  const found = resolved.impossible
    ? []
    : isHot
      ? await querier.prepared<Row>(statementName('list', statement), statement.text, statement.values)
      : await querier.rows<Row>(statement)

  const hasMore = found.length > paging.size
  const rows = hasMore ? found.slice(0, paging.size) : found
  if (cursor?.backward) rows.reverse()
  const { count, isEstimate } = await countOf(querier, { found, known, tally, resolved, visible, conditions })
  if (paging.kind === 'page' && paging.page > 1 && rows.length === 0) throw new Problem('invalid-page', 'Invalid page.')
  const links = linksOf({ paging, order, rows, hasMore, origin, url: request.url })
  const results = await summaries.arrayText(querier, rows, { origin, accessLevel: accessLevelOf(principal) })
  const estimate = isEstimate ? '"count_is_estimate":true,' : ''
  return `{"count":${count},${estimate}"next":${JSON.stringify(links.next)},"previous":${JSON.stringify(links.previous)},"results":${results}}`
}

// Sizes our own pages ask for. A statement is prepared for each, order and direction on every connection, so the list stays short.
const hotSizes: ReadonlySet<number> = new Set([50, 60, 100])

type PageInput = {
  order: AssetOrder
  visible: Sql
  conditions: readonly Sql[]
  cursor: Cursor | undefined
  size: number
  offset: number
  tally: Sql | undefined
}

function pageStatement({ order, visible, conditions, cursor, size, offset, tally }: PageInput): Sql {
  const backward = cursor?.backward ?? false
  const after = cursor ? [beyond(order, cursor, backward)] : []
  const ordered = orderBy(order, backward)
  // Literal, not a parameter: a plan for an unknown limit would sort the whole table.
  const limit = raw(String(size + 1))
  const where = whereOf(visible, [...conditions, ...after])
  // Far down, rows are skipped in the index alone and only the page itself is read from the table.
  const source =
    offset === 0
      ? sql`(select a.* from asset a where ${where} order by ${ordered} limit ${limit})`
      : sql`(select far.* from (select a.id from asset a where ${where} order by ${ordered} limit ${limit} offset ${offset}) page join asset far on far.id = page.id)`
  return sql`select a.id, a.revision, ${keyOf(order)} as key, ${ownerColumns}, ${tally ?? sql`null::bigint`} as total
    from ${source} a left join account o on o.id = a.owner_id order by ${ordered}`
}

type CountInput = {
  found: readonly Row[]
  known: Count | undefined
  tally: Sql | undefined
  resolved: ResolvedFilter
  visible: Sql
  conditions: readonly Sql[]
}

async function countOf(querier: Querier, { found, known, tally, visible, conditions }: CountInput): Promise<Count> {
  if (known) return known
  if (!tally) return countRows(querier, visible, conditions)
  const total = found[0]?.total ?? (await querier.row<{ total: number }>(sql`select ${tally} as total`))?.total ?? 0
  return { count: total, isEstimate: false }
}

function pagingOf(query: ListQuery, order: AssetOrder): Paging {
  const size = query.limit ?? query.page_size ?? 50
  if (query.cursor !== undefined)
    return { kind: 'cursor', cursor: query.cursor === '' ? undefined : readCursor(order, query.cursor), size }
  if (query.limit !== undefined || query.offset !== undefined)
    return { kind: 'offset', offset: query.offset ?? 0, size }
  return { kind: 'page', page: query.page ?? 1, size }
}

type LinkInput = {
  paging: Paging
  order: AssetOrder
  rows: readonly Row[]
  hasMore: boolean
  origin: string
  url: string
}

function linksOf({ paging, order, rows, hasMore, origin, url }: LinkInput): {
  next: string | null
  previous: string | null
} {
  const link = (changes: Record<string, string>): string => {
    const address = new URL(url, origin)
    for (const [name, value] of Object.entries(changes)) address.searchParams.set(name, value)
    return `${origin}${address.pathname}${address.search}`
  }
  if (paging.kind === 'page') {
    return {
      next: hasMore ? link({ page: String(paging.page + 1) }) : null,
      previous: paging.page > 1 ? link({ page: String(paging.page - 1) }) : null,
    }
  }
  if (paging.kind === 'offset') {
    return {
      next: hasMore ? link({ limit: String(paging.size), offset: String(paging.offset + paging.size) }) : null,
      previous:
        paging.offset > 0
          ? link({ limit: String(paging.size), offset: String(Math.max(0, paging.offset - paging.size)) })
          : null,
    }
  }
  const at = (row: Row | undefined, backward: boolean): string | null =>
    row ? link({ cursor: cursorText(order, { key: row.key, id: row.id, backward }) }) : null
  const { cursor } = paging
  const first = rows[0]
  const last = rows.at(-1)
  return cursor?.backward
    ? { next: at(last, false), previous: hasMore ? at(first, true) : null }
    : { next: hasMore ? at(last, false) : null, previous: cursor ? at(first, true) : null }
}
