import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Upstream } from '../front-api.ts'

export type TestUpstream = AsyncDisposable & Upstream & { server: Server; connections: () => number }

/** A program behind the front: an HTTP server on a free port that says in `x-release` which one it is. */
export async function startUpstream(tag: string, listener: RequestListener, port = 0): Promise<TestUpstream> {
  let open = 0
  const server = createServer((request, response) => {
    response.setHeader('x-release', tag)
    listener(request, response)
  })
  server.on('connection', (socket) => {
    open++
    socket.once('close', () => open--)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    slot: `slot-${tag}`,
    tag,
    port: (server.address() as AddressInfo).port,
    server,
    connections: () => open,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
