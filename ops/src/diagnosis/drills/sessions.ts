import pg from 'pg'
import type { Injected } from './variants.ts'

/** Statements one after the other on a connection of their own. */
export async function runStatements(connectionString: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({
    connectionString,
    application_name: 'dam: drill',
    connectionTimeoutMillis: 5_000,
    options: '-c default_transaction_read_only=off -c lock_timeout=10000',
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Sessions that are opened and left alone. They end with this process, whichever way it ends. */
export async function openSessions(
  connectionString: string,
  options: { count: number | 'all'; application: string; statements: readonly string[] },
): Promise<Injected> {
  const clients: pg.Client[] = []
  const close = async (): Promise<void> => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
  }
  try {
    const most = options.count === 'all' ? await freeConnections(connectionString) : options.count
    while (clients.length < most) {
      const client = new pg.Client({
        connectionString,
        application_name: options.application,
        connectionTimeoutMillis: 5_000,
      })
      client.on('error', () => undefined)
      await client.connect()
      clients.push(client)
      for (const statement of options.statements) await client.query(statement)
    }
  } catch (error) {
    await close()
    throw error
  }
  return { close }
}

/** What is left for everybody: the administrator's reserve stays. */
async function freeConnections(connectionString: string): Promise<number> {
  const client = new pg.Client({ connectionString, application_name: 'dam: drill', connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query<{ free: number }>(
      `select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - (select count(*)::int from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()) as free`,
    )
    return Math.max(0, rows[0]?.free ?? 0)
  } finally {
    await client.end().catch(() => undefined)
  }
}
