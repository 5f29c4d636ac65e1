import type { ClientBase } from 'pg'
import { escapeLiteral } from 'pg'
import { orderObjects } from './order-objects.ts'
import { isBeforeData, type Phase, type SchemaObject } from './schema-object.ts'
import { commentQuery, dependencyQuery, schemaQueries, unsupportedQuery } from './schema-queries.ts'

export type Schema = {
  /** In an order in which they can be made. */
  objects: SchemaObject[]
  /** Keys of what each object needs. */
  needs: Map<string, Set<string>>
}

/**
 * Everything in a database that is not rows, read from the catalogs in the transaction of `client`, whose search path must be empty.
 * Throws when there is something that could not be made again from what is written.
 */
export async function readSchema(client: ClientBase): Promise<Schema> {
  const unsupported = await client.query<{ what: string }>(unsupportedQuery)
  if (unsupported.rows.length > 0) {
    throw new Error(
      `The database has what DAM did not make and its backup cannot write: ${unsupported.rows.map(({ what }) => what).join(', ')}. Move it to another database, or back this one up with PostgreSQL's own pg_dump -Fc.`,
    )
  }
  const objects: SchemaObject[] = []
  for (const { phase, text } of schemaQueries) {
    const { rows } = await client.query<Omit<SchemaObject, 'phase'>>(text)
    objects.push(
      ...rows.map((row) => ({
        ...row,
        phase,
        create: statement(portableView(row) ?? row.create),
        drop: statement(row.drop),
      })),
    )
  }
  const needs = new Map<string, Set<string>>()
  const { rows } = await client.query<{ key: string; needs: string }>(dependencyQuery)
  const known = new Set(objects.map(({ key }) => key))
  for (const row of rows) {
    if (row.key === row.needs || !known.has(row.key) || !known.has(row.needs)) continue
    needs.set(row.key, (needs.get(row.key) ?? new Set()).add(row.needs))
  }
  for (const { key } of objects) {
    const [made, oid] = key.split(':')
    if (made === 'owned' || made === 'refresh' || made === 'security') needs.set(key, new Set([`pg_class:${oid}`]))
  }
  const ordered = orderObjects(objects, needs)
  const comments = await readComments(client, ordered, needs)
  return { objects: orderObjects([...ordered, ...comments], needs), needs }
}

/** The view of ours over an extension's own repeats its columns, which differ between versions of PostgreSQL: with `*` it is right on each. */
const portableView = ({ kind, schema, tag }: Omit<SchemaObject, 'phase'>): string | null =>
  kind === 'VIEW' && schema === 'dam_compat' && tag === 'pg_stat_statements'
    ? `create view dam_compat.pg_stat_statements as
  select s.*, s.total_exec_time as total_time, s.mean_exec_time as mean_time, s.min_exec_time as min_time,
    s.max_exec_time as max_time, s.stddev_exec_time as stddev_time
  from public.pg_stat_statements s`
    : null

const statement = (text: string): string => (text === '' ? '' : `${text.trimEnd().replace(/;$/, '')};\n`)

async function readComments(
  client: ClientBase,
  objects: readonly SchemaObject[],
  needs: Map<string, Set<string>>,
): Promise<SchemaObject[]> {
  const byKey = new Map(objects.map((object) => [object.key, object]))
  const { rows } = await client.query<{ of: string; type: string; identity: string; text: string; schema: string }>(
    commentQuery,
  )
  return rows.flatMap((row, index): SchemaObject[] => {
    const [catalog, oid] = row.of.replace('pg_catalog.', '').split(':')
    const of = byKey.get(`${catalog}:${oid}`)
    const word = wordFor(row.type)
    const key = `comment:${index}`
    needs.set(key, new Set(of ? [of.key] : []))
    const phase: Phase = of && !isBeforeData(of.phase) ? 'comment-after-data' : 'comment-before-data'
    const create = statement(`comment on ${word} ${row.identity} is ${escapeLiteral(row.text)}`)
    return [
      {
        key,
        phase,
        kind: 'COMMENT',
        tag: `${word.toUpperCase()} ${row.identity}`,
        schema: row.schema,
        create,
        drop: '',
      },
    ]
  })
}

/** As COMMENT ON wants it, from what pg_identify_object says. */
const wordFor = (type: string): string =>
  ({
    'table column': 'column',
    'view column': 'column',
    'composite type column': 'column',
    'table constraint': 'constraint',
    'statistics object': 'statistics',
  })[type] ?? type
