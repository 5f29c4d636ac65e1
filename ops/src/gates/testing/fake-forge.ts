import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'

export type ForgeAnswer = { status?: number; body: unknown; headers?: Record<string, string> }

/** A server in the place of GitHub or GitLab: answers by method and path with query, and notes every request. */
export async function fakeForge(
  answers: (request: IncomingMessage, origin: string) => ForgeAnswer | undefined,
): Promise<
  AsyncDisposable & { origin: string; requests: { method: string; url: string; headers: IncomingMessage['headers'] }[] }
> {
  const requests: { method: string; url: string; headers: IncomingMessage['headers'] }[] = []
  let origin = ''
  const server = createServer((request, response) => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    const answer = answers(request, origin) ?? { status: 404, body: { message: 'Not Found' } }
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers })
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  origin = `http://127.0.0.1:${address.port}`
  return {
    origin,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
