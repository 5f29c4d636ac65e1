import { sql, type Querier, type Transaction } from '@dam/platform/database'

/**
 * A tag as it is kept: NFC, single spaces, at most 100 characters, no invisible characters but the joiners that Persian and emoji need.
 * Empty where nothing visible is left.
 */
export function cleanTag(text: string): string {
  const plain = text
    .normalize('NFC')
    .toWellFormed()
    .replace(/(?:[\p{Cc}\s]|(?![\u200c\u200d])\p{Cf})+/gu, ' ')
    .trim()
  return /[^\p{C}\p{Z}]/u.test(plain) ? Array.from(plain).slice(0, 100).join('').trim() : ''
}

/**
 * The tags as the library spells them (the first spelling wins, whatever case comes later), without repetition and in the given order;
 * tags nobody used before are added.
 */
export async function ensureTags(tx: Transaction, names: readonly string[]): Promise<string[]> {
  const cleaned = [...new Set(names.map(cleanTag))].filter((name) => name !== '')
  if (cleaned.length === 0) return []
  // Sorted, so that two transactions with the same new tags wait for each other in one order.
  await tx.run(sql`
    insert into tag (name)
    select distinct on (lower(name)) name from unnest(${cleaned}::text[]) with ordinality as given (name, place)
    where not exists (select from tag t where lower(t.name) = lower(given.name))
    order by lower(name), place
    on conflict (lower(name)) do nothing`)
  return canonicalTags(tx, cleaned)
}

/** Spellings of the tags that exist, without repetition and in the given order. */
export async function canonicalTags(querier: Querier, names: readonly string[]): Promise<string[]> {
  const rows = await querier.rows<{ name: string }>(sql`
    select t.name from unnest(${names.map(cleanTag)}::text[]) with ordinality as given (name, place)
    join tag t on lower(t.name) = lower(given.name)
    group by t.name order by min(place)`)
  return rows.map((row) => row.name)
}

export type TagCount = { id: number; name: string; asset_count: number }

/** Tags in use, most used first; `q` finds those that begin with it, then those that contain it or come close. */
export async function listTags(
  querier: Querier,
  input: { q?: string | undefined; limit: number; offset: number },
): Promise<{ total: number; tags: TagCount[] }> {
  const q = cleanTag(input.q ?? '')
  const like = q.replace(/[\\%_]/g, '\\$&')
  const matches = q === '' ? sql`true` : sql`(lower(t.name) like lower(${`%${like}%`}) or lower(t.name) % lower(${q}))`
  const closeness =
    q === ''
      ? sql`0`
      : sql`case when lower(t.name) like lower(${`${like}%`}) then 0 when lower(t.name) like lower(${`%${like}%`}) then 1 else 2 end`
  const rows = await querier.rows<TagCount & { total: number }>(sql`
    with used as (
      select t.id, t.name, sum(y.delta)::bigint as asset_count, ${closeness} as closeness
      from tag t join asset_tally y on y.scope = 'tag' and y.key = lower(t.name)
      where ${matches}
      group by t.id, t.name having sum(y.delta) > 0)
    select id, name, asset_count, count(*) over () as total from used
    order by closeness, asset_count desc, lower(name) limit ${input.limit} offset ${input.offset}`)
  const tags = rows.map(({ id, name, asset_count }) => ({ id, name, asset_count }))
  if (rows[0]) return { total: rows[0].total, tags }
  return { total: input.offset === 0 ? 0 : (await listTags(querier, { q, limit: 1, offset: 0 })).total, tags }
}
