import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { dogStatsDatagrams, sendDogStatsD } from './dogstatsd.ts'
import { sendOtlp } from './otlp.ts'
import type { SignalPoint } from './signal-points.ts'

const points: SignalPoint[] = [
  { signal: 'error-rate', environment: 'production', windowMs: 300_000, value: 0.0125 },
  { signal: 'error-rate', environment: 'staging', windowMs: 300_000, value: 0 },
  { signal: 'response-time-p95', environment: 'production', windowMs: 600_000, value: 0.31 },
]

/** OTLP/HTTP in JSON as the specification has it: lowerCamelCase, nanoseconds as text. */
const attributes = z.array(z.strictObject({ key: z.string(), value: z.strictObject({ stringValue: z.string() }) }))
const otlp = z.strictObject({
  resourceMetrics: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes }),
      scopeMetrics: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string(), version: z.string() }),
          metrics: z.array(
            z.strictObject({
              name: z.string(),
              gauge: z.strictObject({
                dataPoints: z.array(
                  z.strictObject({ attributes, timeUnixNano: z.string().regex(/^\d{19}$/), asDouble: z.number() }),
                ),
              }),
            }),
          ),
        }),
      ),
    }),
  ),
})

test('a collector gets every signal as an OTLP gauge', async () => {
  const received: unknown[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      received.push({ path: request.url, type: request.headers['content-type'], body: otlp.parse(JSON.parse(text)) })
      response.end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const options = { version: '1.0.0', now: new Date('2026-01-01T00:00:00Z'), signal: new AbortController().signal }
  expect(await sendOtlp(url, points, options)).toMatchObject({ ok: true })
  expect(received).toMatchObject([
    {
      path: '/v1/metrics',
      type: 'application/json',
      body: {
        resourceMetrics: [
          {
            scopeMetrics: [{ metrics: [{ name: 'dam.signal.error_rate' }, { name: 'dam.signal.response_time_p95' }] }],
          },
        ],
      },
    },
  ])
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  expect(await sendOtlp(url, points, options)).toMatchObject({ ok: false, retry: true })
})

test('a Datadog Agent gets the same by DogStatsD, with environment and version as tags', async () => {
  const agent = createSocket('udp4')
  await new Promise<void>((resolve) => agent.bind(0, '127.0.0.1', resolve))
  const datagram = new Promise<string>((resolve) => agent.once('message', (bytes) => resolve(bytes.toString())))
  await sendDogStatsD({ host: '127.0.0.1', port: agent.address().port }, points, '1.0.0')
  const lines = (await datagram).split('\n')
  expect(lines[0]).toBe('dam.signal.error_rate:0.0125|g|#service:dam,env:production,version:1.0.0,window:300s')
  for (const line of lines) expect(line).toMatch(/^[\w.]+:-?[\d.e+-]+\|g\|#[\w.:-]+(?:,[\w.:-]+)*$/)
  agent.close()
})

test('no datagram is longer than a packet', () => {
  const many = Array.from({ length: 100 }, (_, index) => ({ ...(points[0] as SignalPoint), windowMs: index * 1_000 }))
  const datagrams = dogStatsDatagrams(many, '1.0.0')
  expect(datagrams.flatMap((one) => one.split('\n'))).toHaveLength(100)
  for (const one of datagrams) expect(Buffer.byteLength(one)).toBeLessThanOrEqual(1_400)
})
