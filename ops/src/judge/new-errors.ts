import pg from 'pg'
import { integrityCodes } from '@dam/contract/error-codes'
import type { NewError } from './bake-evidence.ts'

/** What the database of an environment says; `errors` is null when it cannot say (`because`). */
export type ErrorReading = { databaseAnswers: boolean; errors: NewError[] | null; because: string }

type Row = {
  fingerprint: string
  message: string
  isFatal: boolean
  isIntegrity: boolean
  events: string
  users: string
}

/**
 * Errors that release `tag` logged since `since` and no other release ever has (as far as `error_log` reaches back). A release that
 * fails beside the new one in the same way takes its fingerprint off this list.
 */
export async function readNewErrors(options: {
  connectionString: string
  tag: string
  since: Date
  timeoutMs?: number
}): Promise<ErrorReading> {
  const { timeoutMs = 1_500 } = options
  const client = new pg.Client({
    connectionString: options.connectionString,
    application_name: 'dam: bake',
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs + 500,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<Row>(
      `select fingerprint, max(message) as message, bool_or(is_fatal) as "isFatal",
              bool_or(code = any ($3)) as "isIntegrity",
              count(*) as events, count(distinct user_id) as users
       from error_log mine
       where release = $1 and "timestamp" >= $2 and fingerprint is not null
         and not exists (select from error_log other
                         where other.fingerprint = mine.fingerprint and other.release is distinct from mine.release)
       group by fingerprint order by count(*) desc limit 100`,
      [options.tag, options.since, integrityCodes],
    )
    const errors = rows.map((row) => ({ ...row, events: Number(row.events), users: Number(row.users) }))
    return { databaseAnswers: true, errors, because: '' }
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    // It answered, only not what was asked: a schema from before fingerprints, or a statement that took too long.
    const hasAnswered = error instanceof pg.DatabaseError && !/^(57P|53|08)/.test(error.code ?? '')
    return { databaseAnswers: hasAnswered, errors: null, because }
  } finally {
    await client.end().catch(() => undefined)
  }
}
