import { createServer, connect, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

/** The way to a database, which can be cut and mended. */
export type BreakableDatabase = AsyncDisposable & {
  connectionString: string
  open(): Promise<void>
  close(): Promise<void>
}

export async function breakableDatabase(connectionString: string): Promise<BreakableDatabase> {
  const url = new URL(connectionString)
  // A folder of sockets is named in the query, beside its port.
  const folder = url.searchParams.get('host')
  const targetPort = Number(url.searchParams.get('port') ?? (url.port || 5432))
  const reach = (): Socket =>
    folder?.startsWith('/') ? connect(`${folder}/.s.PGSQL.${targetPort}`) : connect(targetPort, url.hostname)
  const sockets = new Set<Socket>()
  let server: Server | null = null
  let port = 0
  const open = async (): Promise<void> => {
    if (server) return
    server = createServer((client) => {
      const upstream = reach()
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          sockets.delete(socket)
          client.destroy()
          upstream.destroy()
        })
      }
      client.pipe(upstream).pipe(client)
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address === 'object' && address) port = address.port
  }
  const close = async (): Promise<void> => {
    if (!server) return
    const closed = once(server, 'close')
    server.close()
    server = null
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await open()
  const way = new URL(connectionString)
  way.hostname = '127.0.0.1'
  way.port = String(port)
  way.searchParams.delete('host')
  way.searchParams.delete('port')
  return { connectionString: way.href, open, close, [Symbol.asyncDispose]: close }
}
