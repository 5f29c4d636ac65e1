import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSignals } from '@dam/backend/src/operations/signals.ts'
import { createOpsClient, type OpsClient } from '@dam/contract/ops-client'
import { createApp } from '@dam/ops/src/app.ts'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import { localEnvironment } from '@dam/ops/src/environments/local-environment.ts'
import { addOperator } from '@dam/ops/src/people/change-operator.ts'
import { createSession } from '@dam/ops/src/people/operator-session-store.ts'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { openLog } from '@dam/platform/log'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const program = findProgram('prometheus')

function findProgram(name: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

/** A process of a release as Prometheus sees it: the metrics of the backend, with requests that we make up. */
async function startRelease(tag: string, dataDir: string) {
  const signals = createSignals({
    release: { version: tag.slice(1), commit: 'abcdef0', tag },
    dataDir,
    activeUsers: () => 1,
    pool: () => ({ total: 1, idle: 1, waiting: 0, max: 10 }),
    queue: () => Promise.resolve({ waiting: 0, running: 0, failed: 0, oldestSeconds: 0 }),
    databaseUp: () => Promise.resolve(true),
    storageUp: () => Promise.resolve(true),
    satisfaction: () => Promise.resolve({ ratio: null, people: 0 }),
    cacheUp: () => true,
    workers: () => Promise.resolve([]),
  })
  const server = createServer((_, response) => {
    void signals
      .render()
      .then((text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const request = (status: number, durationMs = 20, route = '/api/v4/dam/assets/', method = 'GET'): void =>
    signals.requestDone({ method, route, status, durationMs })
  return { request, server, port: (server.address() as AddressInfo).port }
}

describe.skipIf(program === undefined)('the judge asks Prometheus', { timeout: 180_000 }, () => {
  let stack: AsyncDisposableStack
  let prometheusUrl: string
  let folder: string
  let old: Awaited<ReturnType<typeof startRelease>>
  let fresh: Awaited<ReturnType<typeof startRelease>>
  let ask: OpsClient
  let traffic: { freshBad: number; freshSlow: number; oldBad: number }

  beforeAll(async () => {
    stack = new AsyncDisposableStack()
    folder = mkdtempSync(path.join(tmpdir(), 'dam-prometheus-'))
    stack.defer(() => rmSync(folder, { recursive: true, force: true }))
    ;[old, fresh] = await Promise.all([startRelease('v1.0.0', folder), startRelease('v1.1.0', folder)])
    for (const { server } of [old, fresh]) stack.defer(() => void server.close())
    const port = await freePort()
    prometheusUrl = `http://127.0.0.1:${port}`
    writeFileSync(
      path.join(folder, 'prometheus.yml'),
      `global: { scrape_interval: 1s }
scrape_configs:
  - job_name: dam
    static_configs:
      - targets: ['127.0.0.1:${old.port}', '127.0.0.1:${fresh.port}']
        labels: { namespace: dam }
`,
    )
    const child = spawn(
      program ?? '',
      [
        `--config.file=${path.join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${path.join(folder, 'tsdb')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, GOMAXPROCS: '1' } },
    )
    stack.defer(() => ended(child))
    // Ten requests a second on each side, all the time.
    traffic = { freshBad: 0, freshSlow: 0, oldBad: 0 }
    let count = 0
    const ticking = setInterval(() => {
      count++
      const hits = (share: number): boolean => share > 0 && count % Math.round(1 / share) === 0
      old.request(hits(traffic.oldBad) ? 500 : 200)
      fresh.request(hits(traffic.freshBad) ? 500 : 200, hits(traffic.freshSlow) ? 3_000 : 20)
      // What says nothing about a release: probes, mistakes of clients, a long upload, an event stream.
      fresh.request(503, 20, '/readyz')
      fresh.request(404)
      fresh.request(200, 60_000, '/api/v4/uploads/:id/', 'PATCH')
      fresh.request(200, 900_000, '/api/v4/events/stream/')
    }, 100)
    stack.defer(() => clearInterval(ticking))

    const store = openStore(path.join(folder, 'ops'), { durability: 'none' })
    stack.defer(() => store.close())
    const config = readOpsConfig({
      DAM_DATA: folder,
      OPS_HOST: '127.0.0.1',
      DAM_PROMETHEUS_URL: prometheusUrl,
      PORT: '9',
    })
    const app = createApp({
      config,
      store,
      environments: () => [localEnvironment(config)],
      policy: () => readPolicy().policy,
      log: openLog({ directory: path.join(folder, 'logs'), process: 'ops', level: 'error', stdout: false }),
      version: '1.0.0',
      root: folder,
      environment: {},
      outputs: path.join(folder, 'actions'),
    })
    stack.defer(() => app.close())
    const baseUrl = await app.http.listen({ host: '127.0.0.1', port: 0 })
    const now = new Date()
    const { id } = await addOperator(
      store,
      { username: 'argo', password: 'correct horse battery', role: 'viewer' },
      { who: 'test', now },
    )
    const token = createSession(store, { operatorId: id, kind: 'token', label: 'argo', lifetimeDays: 1, now })
    ask = createOpsClient({ baseUrl, headers: { Authorization: `Token ${token}` } })
    await until(async () => (await answerOf('warm-up')).control !== null)
  }, 120_000)
  afterAll(() => stack.disposeAsync(), 60_000)

  const answerOf = async (analysis: string) =>
    (await ask('askJudge', { params: { analysis }, body: { release: 'v1.1.0', labels: { namespace: 'dam' } } })).data

  test('a healthy release collects requests of both sides and is not condemned', async () => {
    Object.assign(traffic, { freshBad: 0, freshSlow: 0, oldBad: 0 })
    const answer = await until(async () => {
      const seen = await answerOf('healthy')
      return seen.sums.errors.requests >= 450 ? seen : null
    })
    expect(answer).toMatchObject({ verdict: 'inconclusive', source: 'prometheus' })
    expect(answer.sums.errors.failures).toBe(0)
    expect(answer.sums.slowness.failures).toBe(0)
    // Three times as many as on the other side; with probes and clients' mistakes it would be five times.
    expect(answer.control?.requests).toBeGreaterThan(answer.sums.errors.requests / 4)
  })

  test('half of the requests fail: bad, though the first 500 made a new series', async () => {
    traffic.freshBad = 0.5
    const answer = await until(async () => {
      const seen = await answerOf('failing')
      return seen.verdict === 'bad' ? seen : null
    })
    expect(answer.because).toMatch(/^error-rate: /)
    traffic.freshBad = 0
  })

  test('half of the requests are slow: bad', async () => {
    traffic.freshSlow = 0.5
    const answer = await until(async () => {
      const seen = await answerOf('slow')
      return seen.verdict === 'bad' ? seen : null
    })
    expect(answer.because).toMatch(/^response-time: /)
    traffic.freshSlow = 0
  })

  test('both releases fail: the environment, and no rollback', async () => {
    Object.assign(traffic, { freshBad: 0.5, oldBad: 0.5 })
    const answer = await until(async () => {
      const seen = await answerOf('outage')
      return seen.verdict === 'inconclusive' ? null : seen
    })
    expect(answer.verdict).toBe('environment')
  })

  test('series of another namespace are not counted', async () => {
    const { data } = await ask('askJudge', {
      params: { analysis: 'elsewhere' },
      body: { release: 'v1.1.0', labels: { namespace: 'other' } },
    })
    expect(data).toMatchObject({ verdict: 'inconclusive', control: null, sums: { errors: { requests: 0 } } })
  })
})

async function until<T>(look: () => Promise<T | null | false>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== null && found !== false) return found
    await sleep(1_000)
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await exit
}
