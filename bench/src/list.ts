import { setTimeout as sleep } from 'node:timers/promises'
import { config } from './config.ts'
import type { Client } from './http-client.ts'
import { library } from './library.ts'
import { load } from './load.ts'
import { startProduct, type Product } from './product.ts'
import { createRandom } from './random.ts'
import { median, quantile, report, type Figure } from './report.ts'
import { tags, vocabulary } from './words.ts'

const peers = { cpu: 'Immich 3.0, Strapi 26, Directus 59', perSecond: 'Immich 412' }
const list = '/api/v4/dam/assets/'
const firstPage = `${list}?page_size=50`
const headline = 100_000

export async function run(): Promise<void> {
  const sizes = config.quick ? [10_000] : [10_000, 100_000, 1_000_000]
  const figures: Figure[] = []
  const cpuBySize = new Map<number, number>()
  for (const size of sizes) {
    await using product = await startProduct({ dataDir: await library(size, { withPictures: false }) })
    const found = await measure(product, size)
    figures.push(...found.figures)
    cpuBySize.set(size, found.cpuMs)
  }
  const [small, large] = [cpuBySize.get(sizes[0] as number) as number, cpuBySize.get(sizes.at(-1) as number) as number]
  if (sizes.length > 1)
    figures.push({
      figure: 'first page, CPU at 1 000 000 rows / at 10 000',
      value: large / small,
      unit: 'ratio',
      n: sizes.length,
      target: { atMost: 1.2 },
    })
  report('list', figures)
}

async function measure(product: Product, size: number): Promise<{ figures: Figure[]; cpuMs: number }> {
  const { client } = product
  const rows = size.toLocaleString('en').replaceAll(',', ' ')
  const isHeadline = size === headline
  const seconds = config.quick ? 2 : 6
  await quiet(product)
  await load(product, { paths: [firstPage], connections: 16, seconds: 2 })
  const page = await load(product, { paths: [firstPage], connections: 16, seconds })
  const figures: Figure[] = [
    {
      figure: `first page of 50, ${rows} rows: CPU per request`,
      value: page.cpuMsPerRequest,
      unit: 'ms',
      n: page.requests,
      target: { atMost: 1 },
      ...(isHeadline ? { peer: peers.cpu } : {}),
    },
    ...[...page.cpu.byRole]
      .filter(([, ms]) => ms / page.requests > 0.005)
      .map(([role, ms]): Figure => ({
        figure: `  of that: ${role}`,
        value: ms / page.requests,
        unit: 'ms',
        n: page.requests,
      })),
    {
      figure: `first page of 50, ${rows} rows: at 16 connections`,
      value: page.perSecond,
      unit: '1/s',
      n: page.requests,
      target: { atLeast: 1_200 },
      ...(isHeadline ? { peer: peers.perSecond } : {}),
    },
    {
      figure: `first page of 50, ${rows} rows: p50 at 16 connections`,
      value: page.p50Ms,
      unit: 'ms',
      n: page.requests,
    },
    {
      figure: `first page of 50, ${rows} rows: p99 at 16 connections`,
      value: page.p99Ms,
      unit: 'ms',
      n: page.requests,
    },
  ]
  const deep = await pageDeep(client, Math.min(1_000, Math.floor(size / 50) - 2))
  const random = createRandom(size)
  const tag = (): string => encodeURIComponent(tags[random.zipf(tags.length)] as string)
  const year = new Date().getUTCFullYear() - 2
  const month = (): string => `${year}-${String(random.between(1, 12)).padStart(2, '0')}`
  const word = (): string => vocabulary[random.zipf(2_000)] as string
  const one = { ask: (path: string) => client.send('GET', path) }
  const searchBody = (text: string): string => JSON.stringify({ q: text, limit: 50, facets: ['type', 'tags', 'year'] })
  const variety: { name: string; n: number; ask: () => Promise<{ status: number; ms: number }> }[] = [
    { name: 'first page', n: 400, ask: () => one.ask(firstPage) },
    { name: `${deep.depth} pages deep by cursor`, n: 400, ask: () => one.ask(deep.path) },
    {
      name: 'filter by type',
      n: 200,
      ask: () => one.ask(`${firstPage}&type=${random.pick(['image', 'video', 'document', 'audio'])}`),
    },
    { name: 'filter by tag', n: 200, ask: () => one.ask(`${firstPage}&tags=${tag()}`) },
    { name: 'filter by month', n: 200, ask: () => one.ask(`${firstPage}&date=${month()}`) },
    {
      name: 'filter by type, tag and year',
      n: 100,
      ask: () => one.ask(`${firstPage}&type=image&tags=${tag()}&date=${year}`),
    },
    { name: 'ordered by label', n: 200, ask: () => one.ask(`${firstPage}&ordering=label`) },
    {
      name: 'search, one or two words',
      n: 150,
      ask: () => one.ask(`${firstPage}&q=${word()}${random.next() < 0.5 ? `%20${word()}` : ''}`),
    },
    { name: 'search as typed, a prefix', n: 100, ask: () => one.ask(`${firstPage}&q=${word().slice(0, 4)}`) },
    {
      name: 'search with facets',
      n: 100,
      ask: () =>
        client.send('POST', `${list}search/`, {
          headers: { 'content-type': 'application/json' },
          body: searchBody(word()),
        }),
    },
  ]
  for (const { name, n, ask } of variety)
    figures.push(...(await oneByOne(product, `${name}, ${rows} rows`, config.quick ? 10 : n, ask)))
  return { figures, cpuMs: page.cpuMsPerRequest }
}

/** Waits until what starts with the product (a vacuum of a library just made, the sweeps) is over. */
async function quiet(product: Product): Promise<void> {
  for (let tries = 0; tries < 30; tries++) {
    const meter = product.meterCpu()
    await sleep(2_000)
    if (meter.stop().totalMs < 60) return
  }
  throw new Error('The product is busy with something of its own for a minute; see its log.')
}

/** One request after the other: latency without a queue, and CPU. */
async function oneByOne(
  product: Product,
  name: string,
  n: number,
  ask: () => Promise<{ status: number; ms: number }>,
): Promise<Figure[]> {
  for (let i = 0; i < 3; i++) await ask()
  const meter = product.meterCpu()
  const times: number[] = []
  for (let i = 0; i < n; i++) {
    const { status, ms } = await ask()
    if (status !== 200) throw new Error(`${name}: answered ${status}`)
    times.push(ms)
  }
  const cpu = meter.stop()
  return [
    { figure: `${name}: p50`, value: median(times), unit: 'ms', n },
    { figure: `${name}: p95`, value: quantile(times, 0.95), unit: 'ms', n },
    { figure: `${name}: CPU per request`, value: cpu.totalMs / n, unit: 'ms', n },
  ]
}

/** Follows `next` as a reader would; every page must be full and none may repeat the one before. */
async function pageDeep(client: Client, depth: number): Promise<{ path: string; depth: number }> {
  let path = `${firstPage}&cursor=`
  let last = 0
  for (let page = 0; page < depth; page++) {
    const { next, results } = await client.json<{ next: string | null; results: { id: number }[] }>('GET', path)
    if (next === null || results.length !== 50 || results[0]?.id === last)
      throw new Error(`Page ${page + 1} by cursor is not as it should be: ${results.length} rows, next ${String(next)}`)
    last = results[0]?.id ?? 0
    path = new URL(next).pathname + new URL(next).search
  }
  return { path, depth }
}
