import pg from 'pg'

/** The server of test databases ends when nobody has been connected for a while; deployers are only now and then. */
export async function holdOpen(connectionString: string): Promise<AsyncDisposable> {
  const client = new pg.Client({ connectionString })
  client.on('error', () => undefined)
  await client.connect()
  return { [Symbol.asyncDispose]: () => client.end() }
}
