import { request as requestPlain, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as requestSecure } from 'node:https'
import type { Socket } from 'node:net'

/** Seconds from the beginning, in the words of curl's --write-out; `null` where the phase did not happen. */
export type Timings = {
  url: string
  time_namelookup: number | null
  time_connect: number | null
  time_appconnect: number | null
  time_pretransfer: number | null
  time_starttransfer: number | null
  time_total: number
  http_code: number
  size_download: number
  headers: Record<string, string>
}

/** One GET over a connection of its own, phase by phase. Rejects when nothing answers within the bound. */
export function readTimings(url: string, headers: Record<string, string> = {}, boundMs = 15_000): Promise<Timings> {
  const target = new URL(url)
  const startedAt = performance.now()
  const seconds = (): number => Math.round(performance.now() - startedAt) / 1_000
  const phases: Pick<Timings, 'time_namelookup' | 'time_connect' | 'time_appconnect' | 'time_pretransfer'> = {
    time_namelookup: null,
    time_connect: null,
    time_appconnect: null,
    time_pretransfer: null,
  }
  const options: RequestOptions = {
    agent: false,
    headers: { 'user-agent': 'dam timings', accept: '*/*', ...headers },
    signal: AbortSignal.timeout(boundMs),
  }
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage): void => {
      const time_starttransfer = seconds()
      let size_download = 0
      answer.on('data', (chunk: Buffer) => (size_download += chunk.length))
      answer.on('error', reject)
      answer.on('end', () =>
        resolve({
          url,
          ...phases,
          time_starttransfer,
          time_total: seconds(),
          http_code: answer.statusCode ?? 0,
          size_download,
          headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
        }),
      )
    }
    const request =
      target.protocol === 'https:' ? requestSecure(target, options, onAnswer) : requestPlain(target, options, onAnswer)
    request.on('socket', (socket: Socket) => {
      socket.once('lookup', () => (phases.time_namelookup = seconds()))
      socket.once('connect', () => (phases.time_connect = seconds()))
      socket.once('secureConnect', () => (phases.time_appconnect = seconds()))
    })
    request.on('finish', () => (phases.time_pretransfer = seconds()))
    request.on('error', reject)
    request.end()
  })
}
