import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openCollector } from './collect-sample.ts'
import { increases, parsePrometheusText } from './prometheus-text.ts'
import { quantileOf } from './sample.ts'

let server: Server
let dataDir: string
let metrics = ''
let health = {
  status: 200,
  body: '{"status":"healthy","database":"connected","cache":"connected","storage":"available"}',
}
beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'dam-collect-'))
  server = createServer((request, response) => {
    if (request.url === '/metrics') response.end(metrics)
    else if (request.url === '/api/health') response.writeHead(health.status).end(health.body)
    else response.end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => {
  server.close()
  rmSync(dataDir, { recursive: true })
})

const collector = () =>
  openCollector({
    environment: {
      name: 'local',
      isLocal: true,
      publicUrl: 'http://localhost',
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      dataDir,
      databaseUrl: null,
      runDir: null,
      settings: {},
    },
    syntheticSecret: null,
    crashes: () => null,
    ages: () => ({ backupSeconds: 120, drillSeconds: null }),
  })

const text = (requests: number, errors: number, uptime: number): string => `# HELP x y
dam_http_requests_total{method="GET",route="/api/v4/dam/assets/",status="200"} ${requests}
dam_http_requests_total{method="GET",route="/api/v4/dam/assets/",status="503"} ${errors}
dam_http_requests_total{method="GET",route="/metrics",status="200"} ${requests * 7}
dam_http_request_duration_seconds_bucket{le="0.1",method="GET",route="/api/v4/dam/assets/"} ${requests}
dam_http_request_duration_seconds_bucket{le="0.5",method="GET",route="/api/v4/dam/assets/"} ${requests + errors}
dam_http_request_duration_seconds_bucket{le="+Inf",method="GET",route="/api/v4/dam/assets/"} ${requests + errors}
dam_uploads_total{outcome="stored"} ${requests}
dam_uploads_total{outcome="failed"} ${errors}
dam_process_uptime_seconds ${uptime}
`

test('counts are of the time between two looks, probes are no users, and a restart is seen', async () => {
  const collect = collector()
  metrics = text(1_000, 10, 50)
  expect((await collect(new Date())).requests).toEqual({ total: 0, bad: 0 })
  metrics = text(1_090, 20, 60)
  const sample = await collect(new Date())
  expect(sample.requests).toEqual({ total: 100, bad: 10 })
  expect(sample.uploads).toEqual({ total: 100, bad: 10 })
  expect(sample.durations).toEqual({ '0.1': 90, '0.5': 10, '+Inf': 0 })
  expect(quantileOf(sample.durations, 0.95)).toBeCloseTo(0.3)
  expect(sample.restarts).toBe(0)
  metrics = text(8, 2, 1)
  const restarted = await collect(new Date())
  expect(restarted.requests).toEqual({ total: 10, bad: 2 })
  expect(restarted.restarts).toBe(1)
})

test('what is down is told, and what cannot be known is left out', async () => {
  health = {
    status: 503,
    body: '{"status":"unhealthy","database":"disconnected","cache":"connected","storage":"available"}',
  }
  const collect = collector()
  expect((await collect(new Date())).up).toEqual({ system: 1, database: 0, cache: 1, storage: 1 })
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  const gone = await collect(new Date())
  expect(gone.up).toEqual({ system: 0 })
  expect(gone.gauges.disk).toBeGreaterThan(0)
  expect(gone.gauges.memory).toBeGreaterThan(0)
  expect(gone.gauges.backupAge).toBe(120)
})

test('Prometheus text is read with its escapes, and counters that began again count from zero', () => {
  expect(parsePrometheusText('a{b="x\\"y\\\\z\\n"} 1e3 1700000000\nnonsense\nc +Inf\n')).toEqual([
    { name: 'a', labels: { b: 'x"y\\z\n' }, value: 1_000 },
    { name: 'c', labels: {}, value: Number.POSITIVE_INFINITY },
  ])
  const at = (value: number) => parsePrometheusText(`a ${value}`)
  expect(increases(at(10), at(3))[0]?.value).toBe(3)
  expect(increases(at(10), at(12))[0]?.value).toBe(2)
})
