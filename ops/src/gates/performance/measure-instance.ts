import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure } from './budgets.ts'
import { testPicture } from '../../verification/test-picture.ts'

type Instance = { origin: string; authorization: string; pid: number; startMs: number }

const uploads = 12
const listRequests = 300
const thumbnailSeconds = 3
const thumbnailConnections = 16

/** A short real load: uploads of about 3 MB, the list, one cached thumbnail; then start time and memory of all processes. */
export async function measureInstance(instance: Instance, from: string): Promise<Figure[]> {
  using client = createClient(instance)
  const uploadTimes: number[] = []
  for (let index = 0; index < uploads; index++)
    uploadTimes.push(await client.upload(`noise-${index}.png`, testPicture(randomBytes(3_000_000), 1_000)))
  const thumbnail = await firstThumbnail(client, instance.origin)
  const listTimes: number[] = []
  for (let index = 0; index < listRequests; index++)
    listTimes.push((await client.get('/api/v4/dam/assets/?page_size=50')).ms)
  const rate = await thumbnailRate(client, thumbnail)
  const figures: Figure[] = [
    { figure: 'list, p95', value: quantile(listTimes, 0.95), unit: 'ms', n: listRequests, from },
    { figure: 'upload of 3 MB, p50', value: quantile(uploadTimes, 0.5), unit: 'ms', n: uploads, from },
    { figure: 'cached thumbnail', value: rate.perSecond, unit: '1/s', n: rate.requests, from },
    { figure: 'start', value: instance.startMs, unit: 'ms', n: 1, from },
  ]
  const memory = treeMemoryMB(instance.pid)
  if (memory !== null) figures.push({ figure: 'memory of all processes', value: memory, unit: 'MB', n: 1, from })
  return figures
}

type Client = Disposable & {
  get(path: string): Promise<{ ms: number; body: Buffer }>
  upload(name: string, bytes: Buffer): Promise<number>
}

function createClient({ origin, authorization }: Instance): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: thumbnailConnections })
  const send = (method: string, path: string, headers: Record<string, string>, body?: Buffer) =>
    new Promise<{ ms: number; body: Buffer }>((resolve, reject) => {
      const startedAt = performance.now()
      const outgoing = request(
        new URL(path, origin),
        { method, agent, headers: { authorization, ...headers }, timeout: 60_000 },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const status = response.statusCode ?? 0
            if (status < 200 || status > 299)
              reject(
                new Error(`${method} ${path} answered ${status}: ${Buffer.concat(chunks).toString().slice(0, 300)}`),
              )
            else resolve({ ms: performance.now() - startedAt, body: Buffer.concat(chunks) })
          })
        },
      )
      outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} was not answered within 60 s`)))
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  return {
    get: (path) => send('GET', path, {}),
    upload: async (name, bytes) => {
      const { ms } = await send(
        'POST',
        '/api/v4/uploads/',
        {
          'tus-resumable': '1.0.0',
          'upload-length': String(bytes.length),
          'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`,
          'content-type': 'application/offset+octet-stream',
          'content-length': String(bytes.length),
        },
        bytes,
      )
      return ms
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}

/** Path of a thumbnail that is ready. Also waits until all uploads are: nothing else should run while the rest is measured. */
async function firstThumbnail(client: Client, origin: string): Promise<string> {
  for (let attempt = 0; attempt < 240; attempt++) {
    const { body } = await client.get('/api/v4/dam/assets/?page_size=50')
    const { results } = JSON.parse(body.toString()) as { results: { thumbnail_url: string | null }[] }
    const ready = results.flatMap(({ thumbnail_url: url }) => (url ? [url] : []))
    if (ready.length === uploads && ready[0]) {
      const url = new URL(ready[0], origin)
      await client.get(url.pathname + url.search)
      return url.pathname + url.search
    }
    await sleep(500)
  }
  throw new Error('The uploads did not get thumbnails within two minutes.')
}

async function thumbnailRate(client: Client, path: string): Promise<{ perSecond: number; requests: number }> {
  const startedAt = performance.now()
  const endsAt = startedAt + thumbnailSeconds * 1_000
  let requests = 0
  const lane = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      await client.get(path)
      requests++
    }
  }
  await Promise.all(Array.from({ length: thumbnailConnections }, lane))
  return { perSecond: requests / ((performance.now() - startedAt) / 1_000), requests }
}

/** Proportional set size of a process and all below it; null where /proc does not tell. */
function treeMemoryMB(pid: number): number | null {
  try {
    const parents = new Map<number, number>()
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue
      const stat = readText(`/proc/${name}/stat`)
      if (stat) parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    }
    const isBelow = (child: number): boolean => child === pid || (child > 1 && isBelow(parents.get(child) ?? 0))
    const kilobytes = [...parents.keys()]
      .filter(isBelow)
      .map((child) => Number(/^Pss:\s+(\d+) kB/m.exec(readText(`/proc/${child}/smaps_rollup`) ?? '')?.[1] ?? 0))
    const total = kilobytes.reduce((sum, one) => sum + one, 0)
    return total > 0 ? total / 1_000 : null
  } catch {
    return null
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (value === undefined) throw new Error('Nothing was measured.')
  return value
}
