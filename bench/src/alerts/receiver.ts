import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type Arrival = { at: number; path: string; body: Record<string, unknown> }
export type Receiver = AsyncDisposable & {
  url: string
  arrivals: Arrival[]
  /** Requests that were received and not answered yet. */
  unanswered(): number
}

/** Takes whatever is posted, notes it when it has arrived, and answers 202 after up to `slowestMs`. */
export async function startReceiver(slowestMs: number): Promise<Receiver> {
  const arrivals: Arrival[] = []
  let open = 0
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      arrivals.push({ at: Date.now(), path: request.url ?? '', body: JSON.parse(text) as Record<string, unknown> })
      open++
      void sleep(Math.random() * slowestMs).then(() => {
        open--
        response.writeHead(202, { 'content-type': 'text/plain' }).end('ok')
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    unanswered: () => open,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
