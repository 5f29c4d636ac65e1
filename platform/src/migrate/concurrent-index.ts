import type pg from 'pg'
import { withoutComments } from './statements.ts'

type IndexStatement = { verb: 'create' | 'drop'; name: string }

/** The index a statement makes or drops concurrently, when it names one. */
export function indexOf(statement: string): IndexStatement | null {
  const text = withoutComments(statement)
  const name = String.raw`((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)`
  const created = new RegExp(
    String.raw`^create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?(?!on\s)${name}\s+on\s`,
    'i',
  ).exec(text)
  if (created?.[1]) return { verb: 'create', name: created[1] }
  const dropped = new RegExp(String.raw`^drop\s+index\s+concurrently\s+(?:if\s+exists\s+)?${name}\s*$`, 'i').exec(text)
  return dropped?.[1] ? { verb: 'drop', name: dropped[1] } : null
}

/** Removes what an interrupted `create index concurrently` left: it is kept up by every write and used by nobody. */
export async function dropInvalidIndex(client: pg.ClientBase, statement: string): Promise<void> {
  const index = indexOf(statement)
  if (index?.verb !== 'create' || (await stateOf(client, index.name)) !== 'invalid') return
  await client.query(`drop index concurrently ${index.name}`)
}

/** True when the statement was done by a run that ended before it could note so. */
export async function isNeedless(client: pg.ClientBase, statement: string): Promise<boolean> {
  const index = indexOf(statement)
  if (!index) return false
  const state = await stateOf(client, index.name)
  return index.verb === 'create' ? state === 'valid' : state === 'missing'
}

async function stateOf(client: pg.ClientBase, name: string): Promise<'missing' | 'invalid' | 'valid'> {
  const { rows } = await client.query<{ valid: boolean }>(
    'select indisvalid and indisready as valid from pg_index where indexrelid = to_regclass($1)',
    [name],
  )
  return rows[0] ? (rows[0].valid ? 'valid' : 'invalid') : 'missing'
}
