import pg from 'pg'
import { NotThere } from '../probe.ts'

export type ReadOnlySession = AsyncDisposable & {
  rows<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>
}

/** A session that can change nothing and waits for no lock. Throws NotThere when there is no database to ask. */
export async function openReadOnlySession(connectionString: string | null): Promise<ReadOnlySession> {
  if (connectionString === null) throw new NotThere('the built-in database does not run')
  const client = new pg.Client({
    connectionString,
    application_name: 'dam: diagnose',
    connectionTimeoutMillis: 3_500,
    query_timeout: 2_500,
    options: '-c default_transaction_read_only=on -c lock_timeout=500 -c statement_timeout=2000 -c jit=off',
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    void client.end().catch(() => undefined)
    throw error
  }
  return {
    rows: async <Row extends object>(sql: string, values: unknown[] = []) =>
      (await client.query(sql, values)).rows as Row[],
    [Symbol.asyncDispose]: () => client.end().catch(() => undefined),
  }
}
