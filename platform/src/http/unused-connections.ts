import type { Server, Socket } from 'node:net'

/**
 * Follows connections that have not carried a byte, as browsers open them ahead. Node.js does not count them as idle, so that a closing
 * server waits for each until it times out. The function that is returned ends those there are.
 */
export function followUnusedConnections(server: Server): () => void {
  const open = new Set<Socket>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return () => {
    for (const socket of open) if (socket.bytesRead === 0) socket.destroy()
  }
}
