import { request } from 'node:http'
import path from 'node:path'
import type { DrainResult, FrontStatus, Outcomes, Pointer } from '../front/front-api.ts'

/** The front does not answer on its control socket, or refuses. */
export class FrontError extends Error {
  override readonly name = 'FrontError'
  readonly status: number | null

  constructor(message: string, status: number | null) {
    super(message)
    this.status = status
  }
}

/** Speaks with the front process of an environment over its control socket. Every call throws FrontError when it cannot. */
export type FrontControl = {
  status(): Promise<FrontStatus>
  putPointer(pointer: Pointer): Promise<FrontStatus>
  /** Answers when nothing is in flight there any more, or the bounds are over (two minutes at most). */
  drain(slot: string): Promise<DrainResult>
  outcomes(after: number): Promise<Outcomes>
}

export const frontSocket = (runDir: string): string => path.join(runDir, 'front.sock')

export function frontControl(runDir: string): FrontControl {
  const socketPath = frontSocket(runDir)
  const call = async <T>(method: string, url: string, body?: unknown, boundMs = 5_000): Promise<T> => {
    const { status, text } = await exchange({ socketPath, method, path: url, body, boundMs })
    if (status < 200 || status > 299)
      throw new FrontError(`the front answered ${status} to ${method} ${url}: ${text.slice(0, 500)}`, status)
    return JSON.parse(text) as T
  }
  return {
    status: () => call('GET', '/status'),
    putPointer: (pointer) => call('PUT', '/pointer', { pointer }),
    drain: (slot) => call('POST', '/drain', { slot }, 150_000),
    outcomes: (after) => call('GET', `/outcomes?after=${after}`),
  }
}

function exchange(options: {
  socketPath: string
  method: string
  path: string
  body: unknown
  boundMs: number
}): Promise<{ status: number; text: string }> {
  const { body, boundMs, ...target } = options
  const sent = body === undefined ? '' : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const call = request({
      ...target,
      agent: false,
      headers: { host: 'front', 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) },
      signal: AbortSignal.timeout(boundMs),
    })
    call.once('error', (error) => reject(new FrontError(`the front does not answer (${error.message})`, null)))
    call.once('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.once('error', (error) => reject(new FrontError(`the front broke off (${error.message})`, null)))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    call.end(sent)
  })
}
