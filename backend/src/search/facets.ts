import type { SearchBody } from '@dam/contract'
import { sql, type Querier, type Sql } from '@dam/platform/database'

export type Facets = Record<string, Record<string, number>>
type Counted = { facet: string; key: string; count: number }

const mostTags = 30

/** Counts over at most `limit` assets that meet the condition. */
export async function facetsOf(
  querier: Querier,
  names: SearchBody['facets'],
  where: Sql,
  limit: number,
): Promise<Facets> {
  if (names.length === 0) return {}
  const rows = await querier.rows<Counted>(sql`
    with hit as materialized (select a.type, a.tags, a.sort_date from asset a where ${where} limit ${limit})
    select 'type' as facet, type as key, count(*) as count from hit where 'type' = any(${names}::text[]) group by type
    union all
    select 'year', to_char(sort_date at time zone 'UTC', 'YYYY'), count(*) from hit where 'year' = any(${names}::text[]) group by 2
    union all
    (select 'tags', tag, count(*) from hit, unnest(tags) tag where 'tags' = any(${names}::text[]) group by tag order by count(*) desc, tag limit ${mostTags})`)
  return grouped(names, rows)
}

/** The same for the whole library, exact, from the stored totals. */
export async function facetsOfAll(querier: Querier, names: SearchBody['facets']): Promise<Facets> {
  if (names.length === 0) return {}
  const rows = await querier.rows<Counted>(sql`
    select 'type' as facet, key, sum(delta)::bigint as count from asset_tally where scope = 'type' and 'type' = any(${names}::text[]) group by key having sum(delta) > 0
    union all
    select 'year', left(key, -3), sum(delta)::bigint from asset_tally where scope = 'month' and 'year' = any(${names}::text[]) group by 2 having sum(delta) > 0
    union all
    (select 'tags', t.name, best.count from (
      select key, sum(delta)::bigint as count from asset_tally where scope = 'tag' and 'tags' = any(${names}::text[])
      group by key having sum(delta) > 0 order by 2 desc, key limit ${mostTags}) best join tag t on lower(t.name) = best.key)`)
  return grouped(names, rows)
}

function grouped(names: readonly string[], rows: readonly Counted[]): Facets {
  const facets: Facets = Object.fromEntries(names.map((name) => [name, {}]))
  for (const { facet, key, count } of [...rows].sort((a, b) =>
    a.facet === 'year' && b.facet === 'year' ? b.key.localeCompare(a.key) : b.count - a.count,
  )) {
    const group = facets[facet]
    if (group) Object.defineProperty(group, key, { value: count, enumerable: true })
  }
  return facets
}
