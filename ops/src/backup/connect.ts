import pg from 'pg'

export type Connection = pg.Client & AsyncDisposable

/** One connection for long work: no time limit on statements; a lost connection rejects them and never ends the process. */
export async function connect(connectionString: string, purpose: string): Promise<Connection> {
  const client = new pg.Client({
    connectionString,
    application_name: `dam: ${purpose}`,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  })
  client.on('error', () => undefined)
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

/** The same server and user, another database. */
export function onDatabase(connectionString: string, name: string): string {
  const url = new URL(connectionString)
  url.pathname = `/${encodeURIComponent(name)}`
  return url.href
}

export const databaseOf = (connectionString: string): string =>
  decodeURIComponent(new URL(connectionString).pathname.slice(1))
