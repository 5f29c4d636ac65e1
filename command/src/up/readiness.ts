import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `GET /readyz` answers 200. `check` is asked between tries and throws to give up. */
export async function untilReady(options: { host: string; port: number; check: () => void }): Promise<void> {
  for (;;) {
    options.check()
    if (await answersReady(options.host, options.port)) return
    await sleep(20)
  }
}

function answersReady(host: string, port: number): Promise<boolean> {
  const target = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return new Promise((resolve) => {
    const request = get({ host: target, port, path: '/readyz', agent: false, timeout: 5_000 }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode === 200))
      response.once('error', () => resolve(false))
    })
    request.once('timeout', () => request.destroy())
    request.once('error', () => resolve(false))
  })
}
