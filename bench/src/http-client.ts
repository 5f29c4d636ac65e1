import { Agent, request, type IncomingHttpHeaders } from 'node:http'

export type Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer; ms: number }
export type Client = {
  send(
    method: string,
    path: string,
    options?: { headers?: Record<string, string>; body?: Buffer | string },
  ): Promise<Answer>
  /** Sends and reads JSON; throws unless the answer is 2xx. */
  json<T>(method: string, path: string, body?: unknown): Promise<T>
  readonly origin: string
  readonly authorization: string
}

/** A client of one product over kept-alive connections. `ms` is from the first byte sent to the last received. */
export function createClient(origin: string, token?: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const authorization = token ? `Token ${token}` : ''
  const send: Client['send'] = (method, path, options = {}) =>
    new Promise((resolve, reject) => {
      const startedAt = performance.now()
      const headers: Record<string, string> = { ...(authorization ? { authorization } : {}), ...options.headers }
      if (options.body !== undefined) headers['content-length'] = String(Buffer.byteLength(options.body))
      const outgoing = request(new URL(path, origin), { method, agent, headers, timeout: 60_000 }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            ms: performance.now() - startedAt,
          }),
        )
        response.on('error', reject)
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} was not answered within 60 s`)))
      outgoing.on('error', reject)
      outgoing.end(options.body)
    })
  return {
    send,
    origin,
    authorization,
    json: async <T>(method: string, path: string, body?: unknown) => {
      const answer = await send(
        method,
        path,
        body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
      )
      if (answer.status < 200 || answer.status > 299)
        throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString().slice(0, 500)}`)
      return JSON.parse(answer.body.toString()) as T
    },
  }
}
