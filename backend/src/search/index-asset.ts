import type { EmbeddedMetadata } from '@dam/contract'
import { sql, type Transaction } from '@dam/platform/database'
import { monthToken, tagToken, typeToken, yearToken } from './text-query.ts'
import { piecesOfName, wordsOf } from './words.ts'

type IndexedRow = {
  id: number
  label: string
  filename: string
  description: string
  tags: string[]
  type: string
  month: string
  fields: EmbeddedMetadata | null
}

const searchedFields = [
  'title',
  'description',
  'keywords',
  'creator',
  'artist',
  'author',
  'copyright',
  'credit',
  'camera_make',
  'camera_model',
  'lens',
  'city',
  'state',
  'country',
  'location',
  'album',
  'genre',
  'track',
  'software',
] as const satisfies readonly (keyof EmbeddedMetadata)[]

const mostWords = 3_000

/**
 * Makes the search documents of these assets anew from what is stored about them, in the transaction of the change.
 * Weights: A label, B tags, C file name and description, D embedded metadata; facet tokens have none.
 */
export async function indexAsset(tx: Transaction, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  const rows = await tx.rows<IndexedRow>(sql`
    select a.id, a.label, a.filename, a.description, a.tags, a.type, to_char(a.sort_date at time zone 'UTC', 'YYYY-MM') as month, e.fields
    from asset a left join asset_embedded e on e.asset_id = a.id
    where a.id = any(${ids}::bigint[])
    order by a.id`)
  const documents = rows.map(documentOf)
  const column = <K extends keyof Document>(name: K): Document[K][] => documents.map((document) => document[name])
  await tx.run(sql`
    insert into asset_search (asset_id, document)
    select id,
      setweight(to_tsvector('pg_catalog.simple', label) || to_tsvector('pg_catalog.russian', label), 'A') ||
      setweight(to_tsvector('pg_catalog.simple', name) || to_tsvector('pg_catalog.simple', about) || to_tsvector('pg_catalog.russian', about), 'C') ||
      setweight(to_tsvector('pg_catalog.simple', embedded) || to_tsvector('pg_catalog.russian', embedded), 'D') ||
      setweight(to_tsvector('pg_catalog.simple', tags) || to_tsvector('pg_catalog.russian', tags), 'B') ||
      array_to_tsvector(string_to_array(tokens, E'\n'))
    from unnest(${column('id')}::bigint[], ${column('label')}::text[], ${column('tags')}::text[], ${column('name')}::text[],
      ${column('about')}::text[], ${column('embedded')}::text[], ${column('tokens')}::text[]) as d (id, label, tags, name, about, embedded, tokens)
    on conflict (asset_id) do update set document = excluded.document
      where asset_search.document is distinct from excluded.document`)
}

/** The same after nothing but the tags of these assets changed: keeps the words of all else. Several times faster for thousands of assets. */
export async function indexTags(tx: Transaction, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return
  const tags = await tx.rows<{ name: string }>(
    sql`select distinct unnest(a.tags) as name from asset a where a.id = any(${ids}::bigint[])`,
  )
  const words = tags.map(({ name }) => wordsOf(name).join(' '))
  const tokens = tags.map(({ name }) => tagToken(name))
  await tx.run(sql`
    with tag as materialized (
      select * from unnest(${tags.map(({ name }) => name)}::text[], ${words}::text[], ${tokens}::text[]) as t (name, words, token)
    ), tagged as (
      select a.id, coalesce(string_agg(nullif(tag.words, ''), ' ' order by own.place), '') as words,
        array[${typeToken('')}::text || a.type, ${monthToken('')}::text || to_char(a.sort_date at time zone 'UTC', 'YYYY-MM'),
          ${yearToken('')}::text || left(to_char(a.sort_date at time zone 'UTC', 'YYYY-MM'), -3)]
          || coalesce(array_agg(tag.token) filter (where tag.token is not null), '{}') as tokens
      from asset a left join lateral unnest(a.tags) with ordinality as own (name, place) on true left join tag on tag.name = own.name
      where a.id = any(${ids}::bigint[]) group by a.id
    )
    update asset_search s set document = ts_filter(s.document, '{a,c,d}')
      || setweight(to_tsvector('pg_catalog.simple', words) || to_tsvector('pg_catalog.russian', words), 'B') || array_to_tsvector(tokens)
    from tagged where s.asset_id = tagged.id`)
}

type Document = ReturnType<typeof documentOf>

function documentOf(row: IndexedRow) {
  const fields = row.fields ?? {}
  const embedded = searchedFields.flatMap((name) => fields[name] ?? []).join(' \n ')
  return {
    id: row.id,
    label: [...wordsOf(row.label, mostWords), ...piecesOfName(row.label)].join(' '),
    tags: row.tags.flatMap((tag) => wordsOf(tag)).join(' '),
    name: [...wordsOf(row.filename, mostWords), ...piecesOfName(row.filename)].join(' '),
    about: wordsOf(row.description, mostWords).join(' '),
    embedded: wordsOf(embedded, mostWords).join(' '),
    tokens: [typeToken(row.type), monthToken(row.month), yearToken(row.month.slice(0, -3)), ...row.tags.map(tagToken)]
      .map((token) => token.replace(/\n/g, ' '))
      .join('\n'),
  }
}
