import { createServer, type IncomingMessage, type Server } from 'node:http'
import { chmod, rename, rm } from 'node:fs/promises'
import path from 'node:path'

/** A refusal that the caller of the control socket is told. */
export class ControlRefusal extends Error {
  readonly status: number
  readonly details: Record<string, unknown>
  constructor(status: number, message: string, details: Record<string, unknown> = {}) {
    super(message)
    this.name = 'ControlRefusal'
    this.status = status
    this.details = details
  }
}

export type ControlHandlers = Record<string, (body: unknown, query: URLSearchParams) => unknown>

const bodyLimitBytes = 1024 * 1024
/** What every system allows for the path of a socket, less what our drafts append. */
const longestPath = 92

export const controlSocketOf = (runDir: string): string => path.join(runDir, 'front.sock')

/** Serves the handlers, named `METHOD /path`, on the socket file; it replaces what another process has there at once. */
export async function openControlServer(file: string, handlers: ControlHandlers): Promise<Server> {
  if (Buffer.byteLength(file) > longestPath)
    throw new Error(
      `${file} is too long for a socket (${longestPath} bytes at most). Prepare the host in a folder with a shorter path.`,
    )
  const server = createServer((request, response) => {
    void answer(handlers, request).then(({ status, body }) => {
      const text = JSON.stringify(body)
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
      response.end(text)
    })
  })
  // A drain is answered when it is over.
  server.requestTimeout = 0
  const draft = `${file}.${process.pid}`
  await rm(draft, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path: draft }, () => resolve())
  })
  await chmod(draft, 0o600)
  await rename(draft, file)
  return server
}

async function answer(handlers: ControlHandlers, request: IncomingMessage): Promise<{ status: number; body: unknown }> {
  try {
    const url = new URL(request.url ?? '/', 'http://front')
    const handler = handlers[`${request.method} ${url.pathname}`]
    if (!handler) throw new ControlRefusal(404, `The front knows ${Object.keys(handlers).join(', ')}.`)
    return { status: 200, body: await handler(await bodyOf(request), url.searchParams) }
  } catch (error) {
    if (error instanceof ControlRefusal)
      return { status: error.status, body: { error: error.message, ...error.details } }
    return { status: 500, body: { error: error instanceof Error ? error.message : String(error) } }
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let size = 0
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimitBytes) throw new ControlRefusal(413, 'The body is too large.')
    chunks.push(chunk)
  }
  if (size === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown
  } catch {
    throw new ControlRefusal(400, 'The body is not JSON.')
  }
}
