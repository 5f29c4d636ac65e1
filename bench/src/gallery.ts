import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { config } from './config.ts'
import { library } from './library.ts'
import { signInCookie, startProduct } from './product.ts'
import { median, quantile, report, type Figure } from './report.ts'

const peers = { grid: 'Piwigo 790, Immich 1 860, Directus 2 840', script: 'Piwigo 36, Immich 497, Directus 2 206' }
const viewport = { width: 1440, height: 900 }
const rows = 100_000

type Visit = {
  firstGridMs: number
  firstCardsMs: number
  thumbnails: number
  shift: number
  requests: number
  bytes: number
  scriptBytes: number
  scriptEncodings: string[]
  scripts: Script[]
}
type Script = { name: string; gzipBytes: number }

export async function run(): Promise<void> {
  await using product = await startProduct({ dataDir: await library(rows, { withPictures: true }) })
  const cookie = await signInCookie(product)
  const visit = { origin: product.origin, cookie }
  await coldVisit(visit)
  const visits: Visit[] = []
  for (let i = 0; i < (config.quick ? 2 : 7); i++) visits.push(await coldVisit(visit))
  const frames = await scroll(visit)
  const n = visits.length
  const gzipped = ({ scripts }: Visit): number => scripts.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0)
  console.log(
    `scripts, gzipped: ${visits[0]?.scripts.map(({ name, gzipBytes }) => `${name} ${(gzipBytes / 1000).toFixed(1)}`).join(', ')}`,
  )
  const of = (value: (visit: Visit) => number): number => median(visits.map(value))
  const figures: Figure[] = [
    {
      figure: `time to first grid, ${of(({ thumbnails }) => thumbnails)} thumbnails painted, cold browser, ${rows} rows`,
      value: of((v) => v.firstGridMs),
      unit: 'ms',
      n,
      peer: peers.grid,
      target: { atMost: 700 },
    },
    { figure: 'time to first cards with placeholders', value: of((v) => v.firstCardsMs), unit: 'ms', n },
    {
      figure: 'JavaScript, gzipped',
      value: of(gzipped) / 1000,
      unit: 'kB',
      n,
      peer: peers.script,
      target: { atMost: 120 },
    },
    {
      figure: `JavaScript on the wire (${[...new Set(visits.flatMap((v) => v.scriptEncodings))].join(', ')})`,
      value: of((v) => v.scriptBytes) / 1000,
      unit: 'kB',
      n,
    },
    { figure: 'everything on the wire until quiet', value: of((v) => v.bytes) / 1000, unit: 'kB', n },
    { figure: 'requests until quiet', value: of((v) => v.requests), unit: 'count', n },
    {
      figure: 'cumulative layout shift',
      value: Math.max(...visits.map((v) => v.shift)),
      unit: 'score',
      n,
      target: { atMost: 0.02 },
    },
    { figure: 'scrolling 20 screens: frame time p50', value: median(frames), unit: 'ms', n: frames.length },
    { figure: 'scrolling 20 screens: frame time p95', value: quantile(frames, 0.95), unit: 'ms', n: frames.length },
    {
      figure: 'scrolling 20 screens: frames over 50 ms',
      value: (frames.filter((ms) => ms > 50).length / frames.length) * 100,
      unit: '%',
      n: frames.length,
    },
  ]
  report('gallery', figures)
}

type Where = { origin: string; cookie: { name: string; value: string } }

/** A new browser opens the gallery; ends when it has been quiet for a second. */
async function coldVisit({ origin, cookie }: Where): Promise<Visit> {
  const browser = await launchBrowser()
  try {
    const context = await browser.newContext({ viewport })
    await context.addCookies([{ ...cookie, url: origin, httpOnly: true, sameSite: 'Lax' }])
    const page = await context.newPage()
    await page.addInitScript(watchGrid)
    const network = await watchNetwork(page)
    await page.goto(origin, { waitUntil: 'commit' })
    await page.waitForFunction(() => (window as Watched).benchGrid?.firstGridMs !== undefined, undefined, {
      timeout: 30_000,
    })
    await network.quiet(1_000)
    const grid = await page.evaluate(() => (window as Watched).benchGrid)
    if (!grid?.firstGridMs || grid.firstCardsMs === undefined) throw new Error('The gallery showed no grid.')
    return { ...grid, firstGridMs: grid.firstGridMs, firstCardsMs: grid.firstCardsMs, ...(await network.totals()) }
  } finally {
    await browser.close()
  }
}

type Watched = Window & {
  benchGrid?: { firstGridMs?: number; firstCardsMs?: number; thumbnails: number; shift: number }
}

/**
 * Runs in the page. The first grid is there at the first frame after which every picture that stands in the window is
 * loaded and decoded, six at the least; the frame after that one has been painted. Times count from the navigation.
 */
function watchGrid(): void {
  const state: NonNullable<Watched['benchGrid']> = { thumbnails: 0, shift: 0 }
  ;(window as Watched).benchGrid = state
  type Shift = { value: number; hadRecentInput: boolean }
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries() as unknown as Shift[])
      if (!hadRecentInput) state.shift += value
  }).observe({ type: 'layout-shift', buffered: true })
  const look = (): void => {
    const pictures = [...document.images].filter((image) => {
      const { top, bottom, left, right, width } = image.getBoundingClientRect()
      return (
        image.src.includes('/renditions/') &&
        width > 20 &&
        bottom > 0 &&
        right > 0 &&
        top < innerHeight &&
        left < innerWidth
      )
    })
    if (pictures.length >= 6 && state.firstCardsMs === undefined) state.firstCardsMs = performance.now()
    if (pictures.length < 6 || !pictures.every((image) => image.complete && image.naturalWidth > 0))
      return void requestAnimationFrame(look)
    void Promise.all(pictures.map((image) => image.decode())).then(() => {
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          state.thumbnails = pictures.length
          state.firstGridMs = performance.now()
        }),
      )
    })
  }
  requestAnimationFrame(look)
}

async function watchNetwork(page: Page) {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  const scripts = new Map<string, string>()
  const encodings = new Set<string>()
  const waiting = new Set<string>()
  let [requests, bytes, scriptBytes, lastAt] = [0, 0, 0, performance.now()]
  session.on('Network.requestWillBeSent', ({ requestId, type, request }) => {
    if (request.url.startsWith('data:') || request.url.startsWith('blob:')) return
    requests++
    lastAt = performance.now()
    // A stream of events never ends.
    if (type !== 'EventSource' && !request.url.includes('/events/stream/')) waiting.add(requestId)
  })
  session.on('Network.responseReceived', ({ requestId, type, response }) => {
    if (type !== 'Script' && !/javascript/.test(response.mimeType)) return
    scripts.set(requestId, response.url)
    encodings.add(
      Object.entries(response.headers).find(([name]) => name.toLowerCase() === 'content-encoding')?.[1] ??
        'not compressed',
    )
  })
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    lastAt = performance.now()
    waiting.delete(requestId)
    bytes += encodedDataLength
    if (scripts.has(requestId)) scriptBytes += encodedDataLength
  })
  session.on('Network.loadingFailed', ({ requestId }) => waiting.delete(requestId))
  return {
    quiet: async (ms: number): Promise<void> => {
      const startedAt = performance.now()
      while (waiting.size > 0 || performance.now() - lastAt < ms) {
        if (performance.now() - startedAt > 20_000) throw new Error('The gallery was not quiet after 20 s.')
        await page.waitForTimeout(50)
      }
    },
    totals: async () => {
      const scriptGzip: Script[] = []
      for (const [requestId, url] of scripts) {
        const { body, base64Encoded } = await session.send('Network.getResponseBody', { requestId })
        scriptGzip.push({
          name: new URL(url).pathname,
          gzipBytes: gzipSync(Buffer.from(body, base64Encoded ? 'base64' : 'utf8'), { level: 9 }).length,
        })
      }
      return { requests, bytes, scriptBytes, scripts: scriptGzip, scriptEncodings: [...encodings] }
    },
  }
}

/** Turns the wheel through 20 screens; the times between frames. */
async function scroll({ origin, cookie }: Where): Promise<number[]> {
  const browser = await launchBrowser()
  try {
    const context = await browser.newContext({ viewport })
    await context.addCookies([{ ...cookie, url: origin, httpOnly: true, sameSite: 'Lax' }])
    const page = await context.newPage()
    await page.addInitScript(watchGrid)
    await page.goto(origin, { waitUntil: 'commit' })
    await page.waitForFunction(() => (window as Watched).benchGrid?.firstGridMs !== undefined, undefined, {
      timeout: 30_000,
    })
    await page.waitForTimeout(1_000)
    await page.mouse.move(viewport.width / 2, viewport.height / 2)
    await page.evaluate(() => {
      const state = window as Window & { benchFrames?: number[]; benchFirst?: string; benchScrolls?: number }
      state.benchFrames = []
      state.benchScrolls = 0
      document.addEventListener('scroll', () => (state.benchScrolls = (state.benchScrolls ?? 0) + 1), {
        capture: true,
        passive: true,
      })
      let last = performance.now()
      const tick = (now: number): void => {
        state.benchFrames?.push(now - last)
        last = now
        requestAnimationFrame(tick)
      }
      requestAnimationFrame(tick)
    })
    const steps = (20 * viewport.height) / 150
    for (let step = 0; step < steps; step++) {
      await page.mouse.wheel(0, 150)
      await page.waitForTimeout(16)
    }
    const { frames, scrolls } = await page.evaluate(() => {
      const state = window as Window & { benchFrames?: number[]; benchScrolls?: number }
      return { frames: state.benchFrames ?? [], scrolls: state.benchScrolls ?? 0 }
    })
    if (scrolls < 20) throw new Error('Turning the wheel did not scroll the gallery.')
    return frames.slice(1)
  } finally {
    await browser.close()
  }
}
