import { setTimeout as sleep } from 'node:timers/promises'
import { config } from './config.ts'
import type { Client } from './http-client.ts'
import { watchMemory } from './memory-watch.ts'
import { basePhotos, makeUnique, type Photo } from './photos.ts'
import { dataDirectory, startProduct } from './product.ts'
import { measureRawParts } from './raw-parts.ts'
import { median, quantile, report, type Figure } from './report.ts'
import { inParallel, uploadInOneRequest, uploadWithTusClient, type UploadOne } from './upload.ts'

const peers = {
  cpu: 'Immich 693, Piwigo 774, Strapi 930, Directus 132 (one thumbnail on demand, little metadata)',
  answered: 'Directus 157',
}
const atOnce = 4

export async function run(): Promise<void> {
  const count = config.quick ? 24 : 240
  const photos = await basePhotos()
  const mean = (of: (photo: Photo) => number): number =>
    photos.reduce((sum, photo) => sum + of(photo), 0) / photos.length
  console.log(
    `${count} photos from ${photos.length}, mean ${(mean(({ bytes }) => bytes.length) / 1e6).toFixed(2)} MB, ${mean(({ megapixels }) => megapixels).toFixed(1)} megapixels; ${atOnce} uploads at once`,
  )

  await using product = await startProduct({ dataDir: dataDirectory('ingest', { fresh: true }) })
  await warmUp(product.client, photos)
  const memory = watchMemory(product.pid)
  const tus = await ingest(product, photos, count, uploadWithTusClient(product.client))
  const seen = await memory.stop()
  const single = await ingest(product, photos, config.quick ? 12 : 60, uploadInOneRequest(product.client))
  await product.stop()
  const raw = await measureRawParts(photos, config.quick ? 24 : 120)
  const rawTotal = raw.pictures + raw.exiftool + raw.store

  const figures: Figure[] = [
    {
      figure: 'CPU per photo, first byte to all ready',
      value: tus.cpuMs,
      unit: 'ms',
      n: count,
      peer: peers.cpu,
      target: { atMost: 150 },
    },
    ...[...tus.cpuByRole]
      .toSorted(([, a], [, b]) => b - a)
      .map(([role, value]): Figure => ({ figure: `  of that: ${role}`, value, unit: 'ms', n: count })),
    { figure: 'raw parts together', value: rawTotal, unit: 'ms', n: raw.count },
    { figure: '  sharp, 1440 and 250 px from one decode', value: raw.pictures, unit: 'ms', n: raw.count },
    { figure: '  exiftool in batch', value: raw.exiftool, unit: 'ms', n: raw.count },
    { figure: '  store: receive, hash, write, sync', value: raw.store, unit: 'ms', n: raw.count },
    { figure: 'CPU per photo, product / raw parts', value: tus.cpuMs / rawTotal, unit: 'ratio', n: count },
    { figure: 'photos per second, wall', value: tus.perSecond, unit: '1/s', n: count },
    {
      figure: 'upload answered, p50 (tus-js-client, POST and PATCH)',
      value: median(tus.answeredMs),
      unit: 'ms',
      n: count,
      peer: peers.answered,
      target: { atMost: 100 },
    },
    {
      figure: 'upload answered, p95 (tus-js-client, POST and PATCH)',
      value: quantile(tus.answeredMs, 0.95),
      unit: 'ms',
      n: count,
    },
    {
      figure: 'upload answered, p50 (one POST)',
      value: median(single.answeredMs),
      unit: 'ms',
      n: single.answeredMs.length,
      peer: peers.answered,
    },
    {
      figure: 'upload answered, p95 (one POST)',
      value: quantile(single.answeredMs, 0.95),
      unit: 'ms',
      n: single.answeredMs.length,
    },
    {
      figure: 'upload answered, p50 (bare store, nothing else running)',
      value: raw.storeMedianMs,
      unit: 'ms',
      n: raw.count,
    },
    {
      figure: 'CPU per photo (one POST)',
      value: single.cpuMs,
      unit: 'ms',
      n: single.answeredMs.length,
      peer: peers.cpu,
    },
    {
      figure: 'peak memory of all processes (PSS)',
      value: Math.max(...seen.totals) / 1e6,
      unit: 'MB',
      n: seen.totals.length,
      target: { atMost: 500 },
    },
    ...Object.entries(seen.atPeak)
      .toSorted(([, a], [, b]) => b - a)
      .map(([role, bytes]): Figure => ({ figure: `  at that moment: ${role}`, value: bytes / 1e6, unit: 'MB', n: 1 })),
  ]
  report('ingest', figures)
}

type Ingested = { cpuMs: number; cpuByRole: Map<string, number>; perSecond: number; answeredMs: number[] }
type Metered = { client: Client; meterCpu: Awaited<ReturnType<typeof startProduct>>['meterCpu'] }

async function ingest(product: Metered, photos: readonly Photo[], count: number, upload: UploadOne): Promise<Ingested> {
  const { client } = product
  const already = await ready(client)
  // Made before the clock starts, so that making them costs no time that is measured.
  const files = Array.from({ length: count }, (_, index) => {
    const { name, bytes } = photos[index % photos.length] as Photo
    return { name: `${index}-${name}`, bytes: makeUnique(bytes) }
  })
  const cpu = product.meterCpu()
  const startedAt = performance.now()
  const answeredMs = await inParallel(files, atOnce, (file) => upload(file))
  while ((await ready(client)) < already + count) {
    if (performance.now() - startedAt > 170_000)
      throw new Error(`After 170 s only ${(await ready(client)) - already} of ${count} photos have their previews.`)
    await sleep(200)
  }
  const wallMs = performance.now() - startedAt
  const used = cpu.stop()
  await demandComplete(client, count)
  return {
    cpuMs: used.totalMs / count,
    cpuByRole: new Map([...used.byRole].map(([role, ms]) => [role, ms / count])),
    perSecond: (count / wallMs) * 1000,
    answeredMs,
  }
}

const ready = async (client: Client): Promise<number> =>
  (await client.json<{ count: number }>('GET', '/api/v4/dam/assets/?status=ready&preview_state=ready&page_size=1'))
    .count

/** Processes that start with the first file are up before the clock runs. */
async function warmUp(client: Client, photos: readonly Photo[]): Promise<void> {
  const upload = uploadInOneRequest(client)
  await inParallel(Array.from({ length: 8 }), atOnce, (_, index) =>
    upload({ name: `warm-up-${index}.jpg`, bytes: makeUnique((photos[index % photos.length] as Photo).bytes) }),
  )
  const startedAt = performance.now()
  while ((await ready(client)) < 8) {
    if (performance.now() - startedAt > 60_000) throw new Error('The first 8 photos have no previews after 60 s.')
    await sleep(100)
  }
}

type Asset = {
  id: number
  status: string
  placeholder: string | null
  thumbnail_url: string | null
  preview_url: string | null
  width: number | null
}

/** Ready must mean ready: both pictures are served, placeholder and metadata are there. */
async function demandComplete(client: Client, count: number): Promise<void> {
  let path: string | null = '/api/v4/dam/assets/?ordering=-date_added&page_size=100&cursor='
  const newest: Asset[] = []
  while (path !== null && newest.length < count) {
    const page: { next: string | null; results: Asset[] } = await client.json('GET', path)
    newest.push(...page.results)
    path = page.next
  }
  const incomplete = newest
    .slice(0, count)
    .filter(
      (asset) =>
        asset.status !== 'ready' || !asset.placeholder || !asset.thumbnail_url || !asset.preview_url || !asset.width,
    )
  if (incomplete.length > 0)
    throw new Error(
      `${incomplete.length} of ${count} assets are not complete, such as ${JSON.stringify(incomplete[0])}`,
    )
  for (const asset of newest.filter((_, index) => index % 10 === 0).slice(0, 12)) {
    for (const url of [asset.thumbnail_url, asset.preview_url]) {
      const answer = await client.send('GET', url as string)
      if (answer.status !== 200 || !String(answer.headers['content-type']).startsWith('image/'))
        throw new Error(`${String(url)}: ${answer.status}`)
    }
    const { exif } = await client.json<{ exif: Record<string, unknown> }>('GET', `/api/v4/dam/assets/${asset.id}/`)
    if (Object.keys(exif).length < 5) throw new Error(`Asset ${asset.id} has no embedded metadata.`)
  }
}
