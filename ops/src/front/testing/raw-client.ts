import { once } from 'node:events'
import { request, type Agent, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/** Sends these bytes on a connection of its own and gives all that comes back until its end. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(bytes)
  return text(socket)
}

export type Answer = { status: number; headers: IncomingHttpHeaders; body: string }

export function ask(
  origin: string,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; agent?: Agent } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body, agent } = options
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, origin), { method, headers, agent: agent ?? false }, (answer) => {
      text(answer).then(
        (received) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: received }),
        reject,
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
