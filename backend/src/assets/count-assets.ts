import { empty, sql, type Querier, type Sql } from '@dam/platform/database'
import { asksOnlyFor } from './asset-filter.ts'
import { whereOf, type ResolvedFilter } from './resolve-filter.ts'

export type Count = { count: number; isEstimate: boolean }

/** Above this many rows a count is an estimate. */
export const countLimit = 5_000

/**
 * The exact number of matches as an expression over stored totals, where these tell it; undefined where rows would have to be counted.
 * Only for callers who see everything in the scope.
 */
export function tallyOf(resolved: ResolvedFilter, scope: 'library' | 'trash'): Sql | undefined {
  const { filter } = resolved
  const sum = (condition: Sql) => sql`(select coalesce(sum(delta), 0)::bigint from asset_tally where ${condition})`
  if (resolved.impossible) return undefined
  if (scope === 'trash') return asksOnlyFor(filter) ? sum(sql`scope = 'trash' and key = ''`) : undefined
  if (asksOnlyFor(filter)) return sum(sql`scope = 'type'`)
  if (asksOnlyFor(filter, 'types')) return sum(sql`scope = 'type' and key = any(${filter.types}::text[])`)
  if (asksOnlyFor(filter, 'dateFrom', 'dateBefore') && startsMonth(filter.dateFrom) && startsMonth(filter.dateBefore)) {
    const from = filter.dateFrom ? sql`and key >= ${filter.dateFrom.slice(0, 7)}` : empty
    const before = filter.dateBefore ? sql`and key < ${filter.dateBefore.slice(0, 7)}` : empty
    return sum(sql`scope = 'month' and length(key) = 7 ${from} ${before}`)
  }
  const [tag] = resolved.tags
  if (asksOnlyFor(filter, 'tags') && tag !== undefined && resolved.tags.length === 1)
    return sum(sql`scope = 'tag' and key = lower(${tag})`)
  return undefined
}

const startsMonth = (day: string | undefined): boolean => day === undefined || day.endsWith('-01')

/** Counts up to `countLimit` rows; what is beyond is the planner's guess, and says so. */
export async function countRows(querier: Querier, visible: Sql, conditions: readonly Sql[]): Promise<Count> {
  const where = whereOf(visible, conditions)
  const row = await querier.row<{ count: number }>(
    sql`select count(*) as count from (select from asset a where ${where} limit ${countLimit + 1}) bounded`,
  )
  const count = row?.count ?? 0
  if (count <= countLimit) return { count, isEstimate: false }
  const plan = await querier.row<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    sql`explain (format json) select from asset a where ${where}`,
  )
  return {
    count: Math.max(countLimit + 1, Math.round(plan?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0)),
    isEstimate: true,
  }
}
