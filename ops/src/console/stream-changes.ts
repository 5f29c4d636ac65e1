import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Changes } from './watch-changes.ts'

const keepAliveMs = 20_000
const mostStreams = 100

export type Streams = { open: Set<() => void> }

/** Sends `change` with the topics that changed, until the client leaves or its session ends. */
export function streamChanges(options: {
  changes: Changes
  streams: Streams
  request: FastifyRequest
  reply: FastifyReply
  isStillSignedIn: () => boolean
}): FastifyReply {
  const { changes, streams, reply } = options
  if (streams.open.size >= mostStreams) return reply.code(503).header('retry-after', '10').send()
  reply.hijack()
  const response = reply.raw
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'private, no-store',
    'x-accel-buffering': 'no',
  })
  const write = (text: string): void => {
    if (response.writableNeedDrain) end()
    else response.write(text)
  }
  const unsubscribe = changes.subscribe((topics) => write(`event: change\ndata: ${JSON.stringify({ topics })}\n\n`))
  const beat = setInterval(() => {
    if (options.isStillSignedIn()) write(': still here\n\n')
    else end()
  }, keepAliveMs)
  let isOpen = true
  const end = (): void => {
    if (!isOpen) return
    isOpen = false
    clearInterval(beat)
    unsubscribe()
    streams.open.delete(end)
    response.destroy()
  }
  streams.open.add(end)
  response.once('close', end)
  response.write('retry: 1000\nevent: hello\ndata: {}\n\n')
  return reply
}
