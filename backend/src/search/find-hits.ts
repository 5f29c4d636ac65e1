import { empty, raw, sql, type Querier, type Sql } from '@dam/platform/database'
import { newestFirst, orderBy } from '../assets/asset-order.ts'
import { countLimit, type Count } from '../assets/count-assets.ts'
import { whereOf, type ResolvedFilter } from '../assets/resolve-filter.ts'
import type { TextQuery } from './text-query.ts'

/** The ids that match; or, where they are too many to look at each, some of them and a lower bound of their number. */
export type Hits = { few: true; ids: number[] } | { few: false; sample: number[]; atLeast: number }

/** A query that the planner expects to match more than this is not looked up in the index, which would gather every match first. */
const mostLookedUp = 20_000
/** How many of the newest assets are read in search of a common text. */
const mostWalked = 20_000

/** Finds matches within bounds: whatever the text, no more than some ten thousand rows are read. */
export async function findHits(
  querier: Querier,
  text: TextQuery,
  visible: Sql,
  conditions: readonly Sql[],
): Promise<Hits> {
  const where = whereOf(visible, conditions)
  const few = async (ids: readonly number[], more: Sql = empty): Promise<Hits> => ({
    few: true,
    ids: await idsWhere(querier, sql`${isOneOf(ids)} and ${where} ${more}`),
  })

  if (text.without !== undefined && (await isRare(querier, text.without))) {
    const ids = await lookUp(querier, text.without)
    if (ids.length <= countLimit) return few(ids, sql`and ${matchesWhileWalking(text)}`)
  }
  const found = (await isRare(querier, text.tsquery)) ? await lookUp(querier, text.tsquery) : undefined
  if (found && found.length <= countLimit) return few(found)

  const walk = await walkNewest(querier, text, where)
  if (walk.isWhole && walk.ids.length <= countLimit) return { few: true, ids: walk.ids }
  if (conditions.length > 0 && walk.ids.length > 0)
    return { few: false, sample: walk.ids, atLeast: Math.min(walk.ids.length, countLimit) }
  // Also what is old: nothing new may have it, or the statistics that call it common may be wrong.
  const old = found ?? (walk.ids.length === 0 ? await lookUp(querier, text.tsquery) : [])
  if (walk.ids.length === 0 && old.length <= countLimit) return few(old)
  return { few: false, sample: [...new Set([...walk.ids, ...old])], atLeast: conditions.length > 0 ? 1 : countLimit }
}

/** Matches among the newest assets that meet the other conditions; `isWhole` where these are all. */
async function walkNewest(querier: Querier, text: TextQuery, where: Sql): Promise<{ ids: number[]; isWhole: boolean }> {
  const row = await querier.row<{ walked: number; ids: number[] }>(sql`
    with walked as materialized (select a.id from asset a where ${where} order by ${orderBy(newestFirst)} limit ${mostWalked + 1})
    select (select count(*) from walked) as walked, coalesce(json_agg(met.id), '[]') as ids
    from (select a.id from walked a where ${matchesWhileWalking(text)} limit ${countLimit + 1}) met`)
  return { ids: row?.ids ?? [], isWhole: (row?.walked ?? 0) <= mostWalked }
}

// Without a join: beside one, the planner hopes to meet the limit early and reads every document instead of the index.
const lookUp = async (querier: Querier, tsquery: string): Promise<number[]> => {
  const rows = await querier.rows<{ id: number }>(
    sql`select s.asset_id as id from asset_search s where s.document @@ ${tsquery}::tsquery limit ${countLimit + 1}`,
  )
  return rows.map((row) => row.id)
}

const idsWhere = async (querier: Querier, where: Sql): Promise<number[]> => {
  const rows = await querier.rows<{ id: number }>(sql`select a.id from asset a where ${where}`)
  return rows.map((row) => row.id)
}

/** Whether the planner expects few enough matches to gather them all from the index, which it does before the first one is read. */
async function isRare(querier: Querier, tsquery: string): Promise<boolean> {
  const plan = await querier.row<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    sql`explain (format json) select from asset_search s where s.document @@ ${tsquery}::tsquery`,
  )
  return (plan?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0) <= mostLookedUp
}

/**
 * The condition that an asset's document matches, for reading along an index of `asset`: `offset 0` keeps the planner from
 * turning it around and sorting every match, which costs seconds for a word that half of the library has.
 */
export const matchesWhileWalking = (text: TextQuery): Sql =>
  sql`exists (select from asset_search s where s.asset_id = a.id and s.document @@ ${text.tsquery}::tsquery ${raw('offset 0')})`

export const isOneOf = (ids: readonly number[]): Sql => sql`a.id = any(${ids}::bigint[])`

export type Narrowed = {
  conditions: readonly Sql[]
  /** What the look-up of a text says about the number of matches. */
  known: Count | undefined
  /** All matches of a text, where they are few. */
  ids: readonly number[] | undefined
  /** Some matches of a text, where they are many. */
  sample: readonly number[]
}

/** All conditions of a filter. Few matches of its text become ids; many become a condition to check while reading in order. */
export async function narrowByText(querier: Querier, resolved: ResolvedFilter, visible: Sql): Promise<Narrowed> {
  const none = { ids: undefined, sample: [] }
  if (resolved.impossible) return { conditions: resolved.conditions, known: { count: 0, isEstimate: false }, ...none }
  if (!resolved.text) return { conditions: resolved.conditions, known: undefined, ...none }
  const hits = await findHits(querier, resolved.text, visible, resolved.conditions)
  return hits.few
    ? {
        conditions: [isOneOf(hits.ids)],
        known: { count: hits.ids.length, isEstimate: false },
        ids: hits.ids,
        sample: [],
      }
    : {
        conditions: [...resolved.conditions, matchesWhileWalking(resolved.text)],
        known: { count: hits.atLeast, isEstimate: true },
        ids: undefined,
        sample: hits.sample,
      }
}
