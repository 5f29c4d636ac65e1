import { createHash, randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Upstream } from '@dam/ops/src/front/front-api.ts'
import type { FrontClient } from '@dam/ops/src/front/front-client.ts'
import { frontEntry, startFront } from '@dam/ops/src/front/start-front.ts'
import { config, root } from './config.ts'
import { loadFrom } from './load.ts'
import { cpuByRole, total } from './process-tree.ts'
import { dataDirectory, startProduct, type Product } from './product.ts'
import { quantile, report } from './report.ts'

const perSecond = 200
/** As many more go to the release directly at the same moments: what the front is compared with. */
const directPerSecond = 50
const uploadLanes = 4
const streamCount = 10
const uploadBytes = 512 * 1024
const paths = ['/api/v4/dam/assets/?page_size=50', '/', '/api/v4/tags/', '/api/v4/users/current/', '/health']

/** Two web processes of the product on one data folder behind the front: the pointer swaps between them under load. */
export async function run(): Promise<void> {
  const [swaps, everyMs] = config.quick ? [4, 2_000] : [20, 2_600]
  await using product = await startProduct({ dataDir: dataDirectory('swap', { fresh: true }) })
  await using second = await secondWebProcess(product)
  const runDir = path.join(mkdtempSync(path.join(tmpdir(), 'dam-swap-')), 'bench', 'run')
  const port = config.port + 2
  const { client } = await startFront({ runDir, host: '127.0.0.1', port })
  const origin = `http://127.0.0.1:${port}`
  const slots: [Upstream, Upstream] = [
    { slot: 'a', tag: 'a', port: config.port },
    { slot: 'b', tag: 'b', port: second.port },
  ]
  let token = 0
  // Origin of the process that the pointer names: the direct requests go there, too, so that both sides wait in the same queue.
  let active = product.origin
  const pointTo = (active: Upstream) =>
    client.switchTo({ environment: 'bench', fencingToken: ++token, active, control: null, maintenance: null })
  try {
    await pointTo(slots[0])
    const headers = { authorization: product.client.authorization }
    for (const one of [origin, product.origin, second.origin])
      await steadily({ origin: () => one, headers, perSecond: 100, isOver: after(1_000) })

    let isOver = false
    const over = (): boolean => isOver
    const streams = Array.from({ length: streamCount }, () => followEvents(origin, headers, over))
    const uploads = Array.from({ length: uploadLanes }, () => uploadAgainAndAgain(origin, headers, over))
    const through = steadily({ origin: () => origin, headers, perSecond, isOver: over })
    const direct = steadily({
      origin: () => active,
      headers,
      perSecond: directPerSecond,
      isOver: over,
    })

    await sleep(1_000)
    const switchMs: number[] = []
    let replacedMs = 0
    let leftOver = 0
    for (let swap = 1; swap <= swaps; swap++) {
      const startedAt = performance.now()
      const [from, to] = swap % 2 === 1 ? slots : ([slots[1], slots[0]] as const)
      await pointTo(to)
      active = `http://127.0.0.1:${to.port}`
      switchMs.push(performance.now() - startedAt)
      const drained = client.drain(from.slot)
      if (swap === Math.ceil(swaps / 2)) {
        const replacedAt = performance.now()
        await client.replace({ entry: frontEntry, cwd: root })
        replacedMs = performance.now() - replacedAt
      }
      leftOver += (await drained).left.length
      await sleep(Math.max(0, everyMs - (performance.now() - startedAt)))
    }
    isOver = true
    const [sent, compared, uploaded] = [await through, await direct, (await Promise.all(uploads)).flat()]
    const events = await eventsMissed(product, await Promise.all(streams))
    const lost = await uploadsLost(product, uploaded)
    const speed = await throughput(product, client, origin)
    report('swap', [
      { figure: 'swaps between two web processes of the product', value: swaps, unit: 'count', n: swaps },
      {
        figure: 'requests at 200/s over kept-alive connections',
        value: sent.times.length,
        unit: 'count',
        n: 1,
        target: { atLeast: 10_000 },
      },
      {
        figure: '  of these failed',
        value: sent.failures.length,
        unit: 'count',
        n: sent.times.length,
        target: { atMost: 0 },
      },
      { figure: 'p50 through the front', value: quantile(sent.times, 0.5), unit: 'ms', n: sent.times.length },
      {
        figure: 'p50 directly, at the same time',
        value: quantile(compared.times, 0.5),
        unit: 'ms',
        n: compared.times.length,
      },
      { figure: 'p99 through the front', value: quantile(sent.times, 0.99), unit: 'ms', n: sent.times.length },
      {
        figure: 'p99 directly, at the same time',
        value: quantile(compared.times, 0.99),
        unit: 'ms',
        n: compared.times.length,
      },
      {
        figure: 'added p99',
        value: quantile(sent.times, 0.99) - quantile(compared.times, 0.99),
        unit: 'ms',
        n: sent.times.length,
        target: { atMost: 50 },
      },
      { figure: 'slowest through the front', value: quantile(sent.times, 1), unit: 'ms', n: sent.times.length },
      { figure: 'uploads of 2.4 s that were under way', value: uploaded.length, unit: 'count', n: uploadLanes },
      {
        figure: '  of these failed, lost or different',
        value: lost,
        unit: 'count',
        n: uploaded.length,
        target: { atMost: 0 },
      },
      { figure: 'events that an open stream should have had', value: events.expected, unit: 'count', n: streamCount },
      {
        figure: '  of these missed or had twice',
        value: events.wrong,
        unit: 'count',
        n: events.expected,
        target: { atMost: 0 },
      },
      { figure: '  times a stream connected', value: events.connects, unit: 'count', n: streamCount },
      { figure: 'pointer written, synced and switched, p50', value: quantile(switchMs, 0.5), unit: 'ms', n: swaps },
      { figure: 'requests left at the bounds of a drain', value: leftOver, unit: 'count', n: swaps },
      { figure: 'the front itself replaced', value: replacedMs, unit: 'ms', n: 1 },
      ...speed,
    ])
    for (const failure of [...sent.failures, ...compared.failures].slice(0, 10)) console.log(`failed: ${failure}`)
  } finally {
    const { pid } = await client.status()
    process.kill(pid, 'SIGTERM')
    rmSync(path.dirname(path.dirname(runDir)), { recursive: true, force: true })
  }
}

const after = (ms: number): (() => boolean) => {
  const until = performance.now() + ms
  return () => performance.now() > until
}

/** A further web process on the product's data, as a second release beside it is. */
async function secondWebProcess(product: Product): Promise<AsyncDisposable & { origin: string; port: number }> {
  const port = config.port + 1
  const origin = `http://127.0.0.1:${port}`
  const child = spawn(process.execPath, [path.join(root, 'backend', 'src', 'main.ts'), 'web'], {
    cwd: root,
    env: {
      ...config.inherited,
      DAM_DATA: product.dataDir,
      HOST: '127.0.0.1',
      PORT: String(port),
      DAM_LOG_STDOUT: 'no',
    },
    stdio: 'ignore',
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for (const isLate = after(30_000); ; await sleep(50)) {
    const response = await fetch(`${origin}/readyz`).catch(() => null)
    if (response?.status === 200) break
    if (isLate() || child.exitCode !== null) throw new Error('The second web process did not start.')
  }
  return {
    origin,
    port,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

type Steady = { times: number[]; failures: string[] }

/** Requests at a steady pace, whether or not earlier ones have been answered; none is tried twice. */
async function steadily(options: {
  /** Where each goes, asked at its moment. */
  origin: () => string
  headers: Record<string, string>
  perSecond: number
  isOver: () => boolean
}): Promise<Steady> {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 })
  const steady: Steady = { times: [], failures: [] }
  const open = new Set<Promise<void>>()
  const startedAt = performance.now()
  for (let n = 0; !options.isOver(); n++) {
    const dueIn = startedAt + (n * 1_000) / options.perSecond - performance.now()
    if (dueIn > 0) await sleep(dueIn)
    const url = new URL(paths[n % paths.length] ?? '/', options.origin())
    const one = new Promise<void>((resolve) => {
      const sentAt = performance.now()
      const end = (failure: string | null): void => {
        if (failure) steady.failures.push(`${url.pathname}: ${failure}`)
        steady.times.push(performance.now() - sentAt)
        resolve()
      }
      request(url, { agent, headers: options.headers }, (answer) => {
        answer.resume()
        answer.on('error', (error) => end(error.message))
        answer.on('end', () => end(answer.statusCode === 200 ? null : String(answer.statusCode)))
      })
        .on('error', (error) => end(error.message))
        .end()
    })
    open.add(one)
    void one.then(() => open.delete(one))
  }
  await Promise.all(open)
  agent.destroy()
  return steady
}

type Uploaded = { sha256: string; failure: string | null }

/** tus uploads whose bytes take 2.4 s each, one after the other. */
async function uploadAgainAndAgain(
  origin: string,
  headers: Record<string, string>,
  isOver: () => boolean,
): Promise<Uploaded[]> {
  const uploaded: Uploaded[] = []
  while (!isOver()) {
    const bytes = randomBytes(uploadBytes)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const failure = await uploadSlowly(origin, headers, `${sha256.slice(0, 12)}.bin`, bytes).then(
      () => null,
      (error: unknown) => String(error),
    )
    if (failure) console.log(`upload failed: ${failure}`)
    uploaded.push({ sha256, failure })
  }
  return uploaded
}

async function uploadSlowly(
  origin: string,
  headers: Record<string, string>,
  name: string,
  bytes: Buffer,
): Promise<void> {
  const tus = { ...headers, 'tus-resumable': '1.0.0' }
  const created = await fetch(`${origin}/api/v4/uploads/`, {
    method: 'POST',
    headers: {
      ...tus,
      'upload-length': String(bytes.length),
      'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`,
    },
  })
  const location = created.headers.get('location')
  if (created.status !== 201 || !location) throw new Error(`creation answered ${created.status}`)
  const outgoing = request(new URL(new URL(location, origin).pathname, origin), {
    method: 'PATCH',
    agent: false,
    headers: {
      ...tus,
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
      'content-length': String(bytes.length),
    },
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    outgoing.on('response', resolve).on('error', reject),
  )
  answered.catch(() => undefined)
  const part = bytes.length / 16
  for (let n = 0; n < 16; n++) {
    outgoing.write(bytes.subarray(n * part, (n + 1) * part))
    await sleep(150)
  }
  outgoing.end()
  const answer = await answered
  answer.resume()
  if (answer.statusCode !== 204 || answer.headers['upload-offset'] !== String(bytes.length))
    throw new Error(`the bytes were answered ${answer.statusCode}`)
}

async function uploadsLost(product: Product, uploaded: readonly Uploaded[]): Promise<number> {
  let lost = 0
  for (const { sha256, failure } of uploaded) {
    const { results } = await product.client.json<{ results: unknown[] }>(
      'GET',
      `/api/v4/dam/assets/?checksum=${sha256}`,
    )
    if (failure || results.length !== 1) lost++
  }
  return lost
}

type Followed = { ids: number[]; connects: number }

/** Reads events as a browser does: connects again when the stream ends, and says what it has seen last. */
async function followEvents(origin: string, headers: Record<string, string>, isOver: () => boolean): Promise<Followed> {
  const followed: Followed = { ids: [], connects: 0 }
  let last: string | null = null
  while (!isOver()) {
    followed.connects++
    const leaving = new AbortController()
    const watch = setInterval(() => {
      if (isOver()) leaving.abort()
    }, 100)
    try {
      const response: Response = await fetch(`${origin}/api/v4/events/stream/`, {
        headers: { ...headers, ...(last === null ? {} : { 'last-event-id': last }) },
        signal: leaving.signal,
      })
      let rest = ''
      for await (const chunk of response.body ?? []) {
        const events = (rest + Buffer.from(chunk).toString()).split('\n\n')
        rest = events.pop() ?? ''
        for (const event of events) {
          const id = /^id: (\d+)$/m.exec(event)?.[1]
          if (id === undefined) continue
          last = id
          if (!/^event: hello$/m.test(event)) followed.ids.push(Number(id))
        }
      }
    } catch (error) {
      if (!leaving.signal.aborted) console.log(`stream: ${String(error)}`)
    } finally {
      clearInterval(watch)
    }
    await sleep(100)
  }
  return followed
}

/** Compares what the streams had with the log of events, between the first and the last that each has seen. */
async function eventsMissed(product: Product, followed: readonly Followed[]) {
  const logged: number[] = []
  for (let from = 0; ;) {
    const { results } = await product.client.json<{ results: { seq: number }[] }>(
      'GET',
      `/api/v4/events/?after=${from}&limit=200`,
    )
    if (results.length === 0) break
    logged.push(...results.map(({ seq }) => seq))
    from = logged.at(-1) ?? from
  }
  let [expected, wrong] = [0, 0]
  for (const { ids } of followed) {
    const [first, last] = [ids[0] ?? 0, ids.at(-1) ?? 0]
    const due = logged.filter((seq) => seq >= first && seq <= last)
    const counted = new Map<number, number>()
    for (const id of ids) counted.set(id, (counted.get(id) ?? 0) + 1)
    expected += due.length
    wrong += due.filter((seq) => counted.get(seq) !== 1).length
  }
  return { expected, wrong, connects: followed.reduce((sum, { connects }) => sum + connects, 0) }
}

/** The same small answer through the front and directly, as fast as 32 connections can. */
async function throughput(product: Product, client: FrontClient, origin: string) {
  const options = { paths: ['/health'], connections: 32, seconds: config.quick ? 2 : 8 }
  const { authorization } = product.client
  const direct = await loadFrom({ origin: product.origin, authorization }, options)
  const { pid, pointer } = await client.status()
  await client.switchTo({
    ...pointer,
    fencingToken: pointer.fencingToken + 1,
    active: { slot: 'a', tag: 'a', port: config.port },
  })
  const before = total(cpuByRole(pid))
  const through = await loadFrom({ origin, authorization }, options)
  const cpuMs = total(cpuByRole(pid)) - before
  return [
    { figure: '/health directly at 32 connections', value: direct.perSecond, unit: '1/s', n: direct.requests },
    {
      figure: '/health through the front at 32 connections',
      value: through.perSecond,
      unit: '1/s',
      n: through.requests,
    },
    { figure: '  ratio', value: through.perSecond / direct.perSecond, unit: 'ratio', n: through.requests },
    { figure: '  CPU of the front per request', value: cpuMs / through.requests, unit: 'ms', n: through.requests },
  ]
}
