import { setTimeout as sleep } from 'node:timers/promises'
import { config } from './config.ts'
import { watchMemory, type MemorySeen } from './memory-watch.ts'
import { basePhotos, makeUnique } from './photos.ts'
import { dataDirectory, startProduct, type Product } from './product.ts'
import { median, quantile, report, type Figure } from './report.ts'
import { inParallel, uploadInOneRequest } from './upload.ts'

const npmStart = ['npm', 'start'] as const

export async function run(): Promise<void> {
  const dataDir = dataDirectory('start', { fresh: true })
  // The first start makes the database and builds what is not built.
  await (await startProduct({ dataDir, command: npmStart })).stop()
  const times: number[] = []
  const cpu: number[] = []
  for (let i = 0; i < (config.quick ? 2 : 6); i++) {
    await using product = await startProduct({ dataDir, command: npmStart })
    times.push(product.readyMs)
    cpu.push(product.cpuUntilReadyMs)
  }
  await using product = await startProduct({ dataDir, command: npmStart })
  await sleep(config.quick ? 10_000 : 90_000)
  const atRest = await look(product)
  await use(product)
  await sleep(config.quick ? 5_000 : 30_000)
  const afterUse = await look(product)
  const n = times.length
  report('start', [
    { figure: 'npm start, second time: ready', value: median(times), unit: 'ms', n, target: { atMost: 3_000 } },
    { figure: 'npm start, second time: slowest', value: quantile(times, 1), unit: 'ms', n },
    { figure: 'npm start, second time: CPU until ready', value: median(cpu), unit: 'ms', n },
    {
      figure: 'memory of all processes after 90 s at rest (PSS)',
      value: median(atRest.totals) / 1e6,
      unit: 'MB',
      n: atRest.totals.length,
      target: { atMost: 400 },
    },
    ...byRole(atRest),
    {
      figure: 'memory of all processes 30 s after 12 photos (PSS)',
      value: median(afterUse.totals) / 1e6,
      unit: 'MB',
      n: afterUse.totals.length,
    },
    ...byRole(afterUse),
  ])
}

async function look(product: Product): Promise<MemorySeen> {
  const watch = watchMemory(product.pid, 500)
  await sleep(5_000)
  return watch.stop()
}

const byRole = (seen: MemorySeen): Figure[] =>
  Object.entries(seen.atPeak)
    .toSorted(([, a], [, b]) => b - a)
    .map(([role, bytes]) => ({ figure: `  of that: ${role}`, value: bytes / 1e6, unit: 'MB', n: 1 }))

async function use({ client }: Product): Promise<void> {
  const photos = await basePhotos()
  const upload = uploadInOneRequest(client)
  await inParallel(Array.from({ length: 12 }), 4, (_, index) => {
    const photo = photos[index % photos.length]
    if (!photo) throw new Error('there are no photos')
    return upload({ name: photo.name, bytes: makeUnique(photo.bytes) })
  })
}
