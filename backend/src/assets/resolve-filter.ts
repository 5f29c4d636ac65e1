import { join, raw, sql, type Querier, type Sql } from '@dam/platform/database'
import { textQueryOf, type TextQuery } from '../search/text-query.ts'
import { canonicalTags, cleanTag } from '../tags/tag-store.ts'
import type { AssetFilter } from './asset-filter.ts'

/** A filter made ready for SQL. `conditions` speak of `asset a` and leave out the text, which is searched in its own way. */
export type ResolvedFilter = {
  filter: AssetFilter
  conditions: readonly Sql[]
  text: TextQuery | undefined
  /** The tags asked for, as they are spelled in the library. */
  tags: readonly string[]
  /** Nothing can match: an unknown tag, a text without words. */
  impossible: boolean
}

/** Looks up what the filter names (tags, words, the collections below one) and gives its conditions. */
export async function resolveFilter(querier: Querier, filter: AssetFilter): Promise<ResolvedFilter> {
  const impossible: ResolvedFilter = { filter, conditions: [sql`false`], text: undefined, tags: [], impossible: true }
  if (JSON.stringify(filter).includes('\\u0000')) return impossible
  const tags = filter.tags ? await canonicalTags(querier, filter.tags) : []
  if (filter.tags && tags.length < new Set(filter.tags.map((tag) => cleanTag(tag).toLowerCase())).size)
    return impossible
  const text = filter.text === undefined ? undefined : await textQueryOf(querier, filter, tags)
  if (filter.text !== undefined && text === undefined) return impossible
  const collections =
    filter.collectionId === undefined ? undefined : await collectionAndBelow(querier, filter.collectionId)
  if (collections?.length === 0) return impossible
  return { filter, conditions: conditionsOf(filter, tags, collections), text, tags, impossible: false }
}

function conditionsOf(filter: AssetFilter, tags: readonly string[], collections: readonly number[] | undefined): Sql[] {
  const conditions: Sql[] = []
  const anyOf = (column: Sql, values: readonly string[] | undefined) => {
    if (values?.length === 1) conditions.push(sql`${column} = ${values[0]}`)
    else if (values) conditions.push(sql`${column} = any(${values}::text[])`)
  }
  anyOf(sql`a.type`, filter.types)
  anyOf(sql`a.mime_type`, filter.mimeTypes)
  // Literals, so that the planner can prove the partial indexes of the rare states.
  if (filter.statuses) conditions.push(sql`a.status in (${literals(filter.statuses)})`)
  if (filter.previewStates) conditions.push(sql`a.preview_state in (${literals(filter.previewStates)})`)
  if (tags.length > 0) conditions.push(sql`a.tags @> ${tags}::text[]`)
  if (filter.dateFrom !== undefined) conditions.push(sql`a.sort_date >= ${`${filter.dateFrom}T00:00:00Z`}::timestamptz`)
  if (filter.dateBefore !== undefined)
    conditions.push(sql`a.sort_date < ${`${filter.dateBefore}T00:00:00Z`}::timestamptz`)
  if (filter.sizeMin !== undefined) conditions.push(sql`a.size_bytes >= ${filter.sizeMin}`)
  if (filter.sizeMax !== undefined) conditions.push(sql`a.size_bytes <= ${filter.sizeMax}`)
  if (filter.ownerId !== undefined) conditions.push(sql`a.owner_id = ${filter.ownerId}`)
  if (filter.checksum !== undefined) conditions.push(sql`a.sha256 = ${filter.checksum}`)
  if (collections) {
    conditions.push(
      sql`exists (select from collection_asset member where member.asset_id = a.id and member.collection_id = any(${collections}::bigint[]))`,
    )
  }
  for (const [name, value] of Object.entries(filter.metadata ?? {})) conditions.push(embeddedEquals(name, value))
  return conditions
}

// A field holds a text, a number or a list of texts; the query says only what is written in it.
function embeddedEquals(name: string, value: string | number): Sql {
  const forms: unknown[] = [value, [value]]
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) forms.push(Number(value))
  const alternatives = forms.map((form) => sql`e.fields @> ${JSON.stringify({ [name]: form })}::jsonb`)
  return sql`exists (select from asset_embedded e where e.asset_id = a.id and (${join(alternatives, ' or ')}))`
}

/** Only for values from a closed list of words. */
const literals = (words: readonly string[]): Sql =>
  raw(words.map((word) => `'${word.replace(/[^a-z]/g, '')}'`).join(', '))

const collectionAndBelow = async (querier: Querier, id: number): Promise<number[]> => {
  const rows = await querier.rows<{ id: number }>(sql`
    with recursive below (id) as (
      select id from collection where id = ${id} union select child.id from collection child join below on child.parent_id = below.id)
    select id from below`)
  return rows.map((row) => row.id)
}

/** `where` of a statement over `asset a`: what the caller may see, and the filter without its text. */
export const whereOf = (visible: Sql, conditions: readonly Sql[]): Sql => join([visible, ...conditions], ' and ')
