import type { FastifyReply, FastifyRequest } from 'fastify'

const mostBytes = 16 * 1024 * 1024
const mostMs = 5_000

/**
 * Reads what is left of a refused body, so that a client that writes first and reads later sees the answer. A body that is too long for
 * that costs the client its connection.
 */
export async function discardBody(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { raw } = request
  if (raw.readableEnded || raw.destroyed) return
  let seenBytes = 0
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, mostMs)
    const done = (): void => {
      clearTimeout(timer)
      resolve()
    }
    raw.on('data', (chunk: Buffer) => {
      seenBytes += chunk.length
      if (seenBytes > mostBytes) done()
    })
    raw.once('end', done).once('close', done).once('error', done)
    raw.resume()
  })
  if (!raw.readableEnded) void reply.header('connection', 'close')
}
