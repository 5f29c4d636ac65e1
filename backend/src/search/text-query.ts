import { join, sql, type Querier, type Sql } from '@dam/platform/database'
import type { AssetFilter } from '../assets/asset-filter.ts'
import { parseQuery, type Clause, type Term } from './parse-query.ts'

/**
 * A query PostgreSQL has parsed. `without`: the same without the word that is still being typed, where enough is left to look up: the index
 * has to gather every word that begins so before it looks at the rest, so the rest goes first.
 */
export type TextQuery = { tsquery: string; without: string | undefined }

/** What was typed plus the filters that documents carry as tokens, as one tsquery; undefined where the text holds no word. */
export async function textQueryOf(
  querier: Querier,
  filter: AssetFilter,
  tags: readonly string[],
): Promise<TextQuery | undefined> {
  const clauses = parseQuery(filter.text ?? '')
  if (clauses.length === 0) return undefined
  const tokens = tokenClauses(filter, tags).map((token) => sql`${token}::tsquery`)
  const whole = clauses.filter((clause) => !clause.alternatives.some((term) => term.prefix))
  const rest = whole.length < clauses.length ? [...whole.map(clauseSql), ...tokens] : []
  const row = await querier.row<{ tsquery: string; nodes: number; without: string; tree: string }>(sql`
    select q::text as tsquery, numnode(q) as nodes, rest::text as without, querytree(rest) as tree
    from (select ${join([...clauses.map(clauseSql), ...tokens], ' && ')} as q, ${rest.length > 0 ? join(rest, ' && ') : sql`''::tsquery`} as rest) parsed`)
  if (!row || row.nodes === 0) return undefined
  return { tsquery: row.tsquery, without: row.tree === '' || row.tree === 'T' ? undefined : row.without }
}

function clauseSql(clause: Clause): Sql {
  const any = join(clause.alternatives.map(termSql), ' || ')
  return clause.negated ? sql`!!(${any})` : sql`(${any})`
}

// The russian configuration stems Cyrillic words as Russian and ASCII words as English.
function termSql(term: Term): Sql {
  const text = term.words.join(' ')
  const exact = term.prefix
    ? sql`to_tsquery('pg_catalog.simple', ${`${term.words.map((word) => `'${word}'`).join(' <-> ')}:*`})`
    : sql`phraseto_tsquery('pg_catalog.simple', ${text})`
  return term.exact ? exact : sql`(${exact} || phraseto_tsquery('pg_catalog.russian', ${text}))`
}

function tokenClauses(filter: AssetFilter, tags: readonly string[]): string[] {
  const clauses = tags.map((tag) => quoted(tagToken(tag)))
  if (filter.types) clauses.push(filter.types.map((type) => quoted(typeToken(type))).join(' | '))
  const months = monthsOf(filter.dateFrom, filter.dateBefore)
  if (months) clauses.push(months.map(quoted).join(' | '))
  return clauses
}

export const typeToken = (type: string): string => `/t/${type}`
export const tagToken = (tag: string): string => `/g/${tag}`
export const monthToken = (month: string): string => `/m/${month}`
export const yearToken = (year: string): string => `/y/${year}`

/** Tokens of the months or years that a closed range touches; the exact days are a condition on the rows. */
function monthsOf(from: string | undefined, before: string | undefined): string[] | undefined {
  if (from === undefined || before === undefined) return undefined
  const [year = 0, month = 0] = from.split('-').map(Number)
  const last = new Date(Date.parse(`${before}T00:00:00Z`) - 1)
  const span = (last.getUTCFullYear() - year) * 12 + last.getUTCMonth() + 1 - month
  const pad = (value: number, length: number) => String(value).padStart(length, '0')
  if (span < 24) {
    return Array.from({ length: span + 1 }, (_, index) => {
      const at = month - 1 + index
      return monthToken(`${pad(year + Math.floor(at / 12), 4)}-${pad((at % 12) + 1, 2)}`)
    })
  }
  const years = last.getUTCFullYear() - year + 1
  return years > 50 ? undefined : Array.from({ length: years }, (_, index) => yearToken(pad(year + index, 4)))
}

const quoted = (lexeme: string): string => `'${lexeme.replace(/['\\]/g, '$&$&')}'`
