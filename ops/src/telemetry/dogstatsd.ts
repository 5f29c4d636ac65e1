import { createSocket } from 'node:dgram'
import { datadogMetric } from '../exports/datadog.ts'
import type { SignalPoint } from './signal-points.ts'

/** Agents read datagrams up to 8 KiB; this fits into one packet of any network. */
const longestBytes = 1_400

/** `dam.signal.error_rate:0.01|g|#service:dam,env:production,version:1.0.0,window:300s`, as many lines a datagram as fit. */
export function dogStatsDatagrams(points: readonly SignalPoint[], version: string): string[] {
  const datagrams: string[] = []
  let current = ''
  for (const { signal, environment, windowMs, value } of points) {
    const tags = `service:dam,env:${environment},version:${version},window:${windowMs / 1_000}s`
    const line = `${datadogMetric(signal)}:${value}|g|#${tags}`
    if (current !== '' && Buffer.byteLength(current) + 1 + Buffer.byteLength(line) > longestBytes) {
      datagrams.push(current)
      current = ''
    }
    current = current === '' ? line : `${current}\n${line}`
  }
  return current === '' ? datagrams : [...datagrams, current]
}

/** Sends to an agent; nobody answers, so that only an address that cannot be reached at all is an error. */
export async function sendDogStatsD(
  to: { host: string; port: number },
  points: readonly SignalPoint[],
  version: string,
): Promise<void> {
  const socket = createSocket(to.host.includes(':') ? 'udp6' : 'udp4')
  try {
    for (const datagram of dogStatsDatagrams(points, version))
      await new Promise<void>((resolve, reject) =>
        socket.send(datagram, to.port, to.host, (error) => (error ? reject(error) : resolve())),
      )
  } finally {
    socket.close()
  }
}
