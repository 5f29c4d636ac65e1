import { raw, sql, type Querier, type Sql } from '@dam/platform/database'
import { countLimit, type Count } from '../assets/count-assets.ts'
import { whereOf, type ResolvedFilter } from '../assets/resolve-filter.ts'
import type { TextQuery } from './text-query.ts'

/** The ids that match, or only that there are more than `countLimit`. */
export type Hits = { few: true; ids: number[] } | { few: false; sample: number[] }

/** Looks the words up in the index; never reads more than `countLimit` + 1 matches. */
export async function findHits(querier: Querier, text: TextQuery, visible: Sql, conditions: readonly Sql[]): Promise<Hits> {
  const rows = await querier.rows<{ id: number }>(sql`
    select s.asset_id as id from asset_search s join asset a on a.id = s.asset_id
    where s.document @@ ${text.tsquery}::tsquery and ${whereOf(visible, conditions)}
    limit ${countLimit + 1}`)
  const ids = rows.map((row) => row.id)
  return ids.length <= countLimit ? { few: true, ids } : { few: false, sample: ids }
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
    ? { conditions: [isOneOf(hits.ids)], known: { count: hits.ids.length, isEstimate: false }, ids: hits.ids, sample: [] }
    : { conditions: [...resolved.conditions, matchesWhileWalking(resolved.text)], known: { count: countLimit, isEstimate: true }, ids: undefined, sample: hits.sample }
}
