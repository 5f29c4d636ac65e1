import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Upload } from 'tus-js-client'
import { config } from './config.ts'
import type { Client } from './http-client.ts'
import { readTree } from './process-tree.ts'
import { dataDirectory, runCommand, startProduct, type Product } from './product.ts'
import { createRandom } from './random.ts'
import { median, quantile, report } from './report.ts'
import { inParallel } from './upload.ts'

const atOnce = 4
/** As over a line of some 4 MB/s, so that uploads last long enough to be hit. */
const chunkBytes = 256 * 1024
const pauseMs = 60

/** kill -9 of the web process at random moments while tus clients upload and resume; then every byte is compared. */
export async function run(): Promise<void> {
  const [kills, uploads] = config.quick ? [5, 20] : [50, 200]
  const seed = Date.now()
  const random = createRandom(seed)
  console.log(`seed ${seed}`)
  const dataDir = dataDirectory('kill', { fresh: true })
  await using product = await startProduct({ dataDir })
  const files = Array.from({ length: uploads }, (_, index) => ({
    name: `file-${index}.bin`,
    sizeBytes: random.between(1, 10 * 1024 * 1024),
  }))

  const killing = startKilling(product, random, kills)
  const acknowledged: { name: string; sizeBytes: number; sha256: string }[] = []
  await inParallel(files, atOnce, async ({ name, sizeBytes }, index) => {
    // As many files are begun as the kills have come along, so that every kill meets uploads under way.
    await killing.reached(Math.floor((index / uploads) * kills) - 1)
    const bytes = randomBytes(sizeBytes)
    await killing.during(() => upload(product.client, name, bytes))
    acknowledged.push({ name, sizeBytes, sha256: createHash('sha256').update(bytes).digest('hex') })
  })
  await killing.done

  const found = await inParallel(acknowledged, atOnce, (file) => compare(product.client, file))
  const count = (state: Comparison): number => found.filter((one) => one === state).length
  await product.stop()
  const fsck = await runCommand(['fsck'], { dataDir })
  if (fsck.code !== 0) console.log(fsck.output)
  report('kill', [
    {
      figure: 'kill -9 of the web process',
      value: killing.downMs.length,
      unit: 'count',
      n: kills,
      target: { atLeast: kills },
    },
    { figure: 'of these with uploads under way', value: killing.withUploads(), unit: 'count', n: kills },
    {
      figure: 'uploads acknowledged',
      value: acknowledged.length,
      unit: 'count',
      n: uploads,
      target: { atLeast: uploads },
    },
    {
      figure: 'of these identical byte for byte',
      value: count('identical'),
      unit: 'count',
      n: acknowledged.length,
      target: { atLeast: acknowledged.length },
    },
    { figure: 'of these lost', value: count('lost'), unit: 'count', n: acknowledged.length, target: { atMost: 0 } },
    {
      figure: 'of these different',
      value: count('different'),
      unit: 'count',
      n: acknowledged.length,
      target: { atMost: 0 },
    },
    {
      figure: 'of these there more than once',
      value: count('twice'),
      unit: 'count',
      n: acknowledged.length,
      target: { atMost: 0 },
    },
    { figure: './dam fsck afterwards: exit code', value: fsck.code, unit: 'code', n: 1, target: { atMost: 0 } },
    { figure: 'killed until ready again, p50', value: median(killing.downMs), unit: 'ms', n: kills },
    { figure: 'killed until ready again, slowest', value: quantile(killing.downMs, 1), unit: 'ms', n: kills },
  ])
}

function upload(client: Client, name: string, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    new Upload(bytes, {
      endpoint: `${client.origin}/api/v4/uploads/`,
      headers: { authorization: client.authorization },
      metadata: { filename: name },
      chunkSize: chunkBytes,
      onBeforeRequest: (request) => (request.getMethod() === 'PATCH' ? sleep(pauseMs) : undefined),
      retryDelays: [100, 200, 300, ...Array<number>(1_000).fill(500)],
      onSuccess: () => resolve(),
      onError: reject,
    }).start()
  })
}

type Comparison = 'identical' | 'lost' | 'different' | 'twice'

async function compare(client: Client, file: { name: string; sha256: string }): Promise<Comparison> {
  const { results } = await client.json<{ results: { filename: string; download_url: string }[] }>(
    'GET',
    `/api/v4/dam/assets/?checksum=${file.sha256}`,
  )
  const [asset] = results
  if (!asset || asset.filename !== file.name) return 'lost'
  if (results.length > 1) return 'twice'
  const { status, body } = await client.send('GET', asset.download_url)
  return status === 200 && createHash('sha256').update(body).digest('hex') === file.sha256 ? 'identical' : 'different'
}

/** Kills until it has done so `kills` times, each time at a random moment after the product is ready again. */
function startKilling(product: Product, random: ReturnType<typeof createRandom>, kills: number) {
  const downMs: number[] = []
  let underWay = 0
  let met = 0
  const wake: (() => void)[] = []
  const webPid = (): number | undefined => readTree(product.pid).find(({ role }) => role === 'web')?.pid
  const done = (async () => {
    for (let kill = 0; kill < kills; kill++) {
      while (underWay === 0) await sleep(5)
      await sleep(random.between(0, 1_500))
      const pid = webPid()
      if (pid === undefined) throw new Error('The web process is gone, though it answered just now.')
      if (underWay > 0) met++
      const killedAt = performance.now()
      process.kill(pid, 'SIGKILL')
      // On a busy machine a process answers for a moment after it was killed.
      while (webPid() === pid) await sleep(5)
      while (!(await product.isReady())) {
        if (performance.now() - killedAt > 60_000)
          throw new Error('The web process was not back 60 s after it was killed.')
        await sleep(10)
      }
      downMs.push(performance.now() - killedAt)
      for (const resume of wake.splice(0)) resume()
    }
  })()
  done.catch(() => undefined)
  return {
    done,
    downMs,
    withUploads: () => met,
    /** Resolves when that many kills are over. */
    reached: async (number: number): Promise<void> => {
      while (downMs.length < number) await Promise.race([done, new Promise<void>((resolve) => wake.push(resolve))])
    },
    during: async (work: () => Promise<void>): Promise<void> => {
      underWay++
      try {
        await work()
      } finally {
        underWay--
      }
    },
  }
}
