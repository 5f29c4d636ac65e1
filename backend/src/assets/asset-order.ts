import { Problem } from '@dam/contract'
import { orderings } from '@dam/contract/schemas'
import { raw, sql, type Sql } from '@dam/platform/database'

export type OrderField = (typeof orderings)[number]
export type AssetOrder = { field: OrderField | 'date_trashed'; descending: boolean }

type Column = { expression: string; kind: 'time' | 'text' | 'integer' }

// Each has an index on (expression, id); `left` keeps index entries small, see the first migration.
const columns: Record<AssetOrder['field'], Column> = {
  date_added: { expression: 'a.date_added', kind: 'time' },
  date: { expression: 'a.sort_date', kind: 'time' },
  date_modified: { expression: 'a.date_modified', kind: 'time' },
  date_trashed: { expression: 'a.trashed_at', kind: 'time' },
  label: { expression: 'left(a.label, 250) collate dam_natural', kind: 'text' },
  filename: { expression: 'left(a.filename, 250) collate dam_natural', kind: 'text' },
  size: { expression: 'a.size_bytes', kind: 'integer' },
}

export const newestFirst: AssetOrder = { field: 'date_added', descending: true }

/** Reads `ordering`, `_ordering` or `sort`; throws `invalid-ordering` naming the allowed ones. */
export function orderOf(
  query: { ordering?: string | undefined; _ordering?: string | undefined; sort?: string | undefined },
  otherwise: AssetOrder = newestFirst,
): AssetOrder {
  const text = [query.ordering, query._ordering, query.sort].find((value) => value !== undefined && value !== '')
  if (text === undefined) return otherwise
  const field = text.replace(/^-/, '')
  if (!(orderings as readonly string[]).includes(field)) {
    const allowed = orderings.flatMap((name) => [name, `-${name}`])
    throw new Problem('invalid-ordering', `Cannot order by ${JSON.stringify(text)}. Allowed: ${allowed.join(', ')}.`, {
      details: { allowed },
    })
  }
  return { field: field as OrderField, descending: text.startsWith('-') }
}

export const orderName = (order: AssetOrder): string => `${order.descending ? '-' : ''}${order.field}`

/** `order by` list over `asset a`; ties by id make it total. */
export function orderBy(order: AssetOrder, backward = false): Sql {
  const direction = order.descending !== backward ? 'desc' : 'asc'
  return raw(`${columns[order.field].expression} ${direction}, a.id ${direction}`)
}

/** The row's place in the order as text, exact to the microsecond. */
export function keyOf(order: AssetOrder): Sql {
  const { expression, kind } = columns[order.field]
  return raw(
    kind === 'time'
      ? `(extract(epoch from ${expression}) * 1000000)::bigint::text`
      : kind === 'integer'
        ? `${expression}::text`
        : `left(a.${order.field}, 250)`,
  )
}

/** Rows after (or before) a place in the order. */
export function beyond(order: AssetOrder, place: { key: string; id: number }, backward: boolean): Sql {
  const { expression, kind } = columns[order.field]
  const comparison = raw(order.descending !== backward ? '<' : '>')
  const key =
    kind === 'time'
      ? sql`(timestamptz 'epoch' + (${place.key}::bigint / 1000000) * interval '1 second' + (${place.key}::bigint % 1000000) * interval '1 microsecond')`
      : kind === 'integer'
        ? sql`${place.key}::bigint`
        : sql`${place.key}::text`
  return sql`(${raw(expression)}, a.id) ${comparison} (${key}, ${place.id}::bigint)`
}

/** Whether a key that came from outside can be compared with this order's column at all. */
export function isKeyOf(order: AssetOrder, key: string): boolean {
  const { kind } = columns[order.field]
  if (kind === 'text') return key.length <= 500 && !key.includes('\0')
  if (!/^-?\d{1,18}$/.test(key)) return false
  return kind === 'integer' || BigInt(key) > -200_000_000_000_000_000n
}
