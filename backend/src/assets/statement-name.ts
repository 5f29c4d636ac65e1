import { createHash } from 'node:crypto'
import type { Sql } from '@dam/platform/database'

/** A name for preparing a statement that can only mean this text, whatever access rules have become part of it. */
export const statementName = (what: string, statement: Sql): string =>
  `${what} ${createHash('sha1').update(statement.text).digest('base64url').slice(0, 16)}`
