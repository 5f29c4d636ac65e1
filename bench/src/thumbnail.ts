import { config } from './config.ts'
import { library } from './library.ts'
import { load, loadFrom } from './load.ts'
import { startProduct } from './product.ts'
import { serveBytes } from './raw-parts.ts'
import { report } from './report.ts'

const peers = 'Strapi 1 890, Immich 290, Directus 180'

/** A thumbnail that has been fetched before, by a signed-in client: what a gallery asks the server when the browser's own cache is cold. */
export async function run(): Promise<void> {
  await using product = await startProduct({ dataDir: await library(100_000, { withPictures: true }) })
  const { results } = await product.client.json<{ results: { thumbnail_url: string }[] }>(
    'GET',
    '/api/v4/dam/assets/?page_size=48',
  )
  const paths = results.map(({ thumbnail_url: url }) => new URL(url).pathname + new URL(url).search)
  let bytes = 0
  for (const path of paths) {
    const answer = await product.client.send('GET', path)
    if (
      answer.status !== 200 ||
      !String(answer.headers['content-type']).startsWith('image/') ||
      !/max-age=\d{5,}/.test(String(answer.headers['cache-control']))
    ) {
      throw new Error(
        `${path}: ${answer.status} ${String(answer.headers['content-type'])} ${String(answer.headers['cache-control'])}`,
      )
    }
    bytes += answer.body.length
  }
  const seconds = config.quick ? 2 : 10
  await load(product, { paths: paths.slice(0, 1), connections: 64, seconds: 2 })
  const one = await load(product, { paths: paths.slice(0, 1), connections: 64, seconds })
  const many = await load(product, { paths, connections: 64, seconds })
  using bare = await serveBytes(Math.round(bytes / paths.length))
  const floor = await loadFrom(
    { origin: bare.origin, authorization: product.client.authorization },
    { paths: ['/'], connections: 64, seconds },
  )
  report('thumbnail', [
    {
      figure: 'one cached thumbnail at 64 connections',
      value: one.perSecond,
      unit: '1/s',
      n: one.requests,
      peer: peers,
      target: { atLeast: 10_000 },
    },
    {
      figure: `${paths.length} cached thumbnails in turn at 64 connections`,
      value: many.perSecond,
      unit: '1/s',
      n: many.requests,
    },
    { figure: 'the same bytes from a bare Node.js server', value: floor.perSecond, unit: '1/s', n: floor.requests },
    { figure: 'product / bare server', value: one.perSecond / floor.perSecond, unit: 'ratio', n: one.requests },
    { figure: 'p50 at 64 connections', value: one.p50Ms, unit: 'ms', n: one.requests },
    { figure: 'p99 at 64 connections', value: one.p99Ms, unit: 'ms', n: one.requests },
    { figure: 'CPU per request', value: one.cpuMsPerRequest, unit: 'ms', n: one.requests },
    { figure: 'mean size of a thumbnail', value: bytes / paths.length / 1000, unit: 'kB', n: paths.length },
  ])
}
