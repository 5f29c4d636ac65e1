import lighthouse, { desktopConfig } from 'lighthouse'
import { launchBrowser } from './browser.ts'
import { config } from './config.ts'
import { library } from './library.ts'
import { signInCookie, startProduct } from './product.ts'
import { median, report, type Figure } from './report.ts'

const peers = { performance: 'Immich 74-83', accessibility: 'Immich 82', shift: 'Immich 0.29' }

export async function run(): Promise<void> {
  await using product = await startProduct({ dataDir: await library(100_000, { withPictures: true }) })
  const { name, value } = await signInCookie(product)
  const figures = [
    ...(await judge('sign-in page', product.origin, {})),
    ...(await judge('gallery', product.origin, { Cookie: `${name}=${value}` })),
  ]
  report('lighthouse', figures)
}

type Scores = {
  performance: number
  practices: number
  accessibility: number
  shift: number
  paintMs: number
  failed: string[]
}

async function judge(page: string, url: string, extraHeaders: Record<string, string>): Promise<Figure[]> {
  const runs: Scores[] = []
  for (let i = 0; i < (config.quick ? 1 : 3); i++) runs.push(await once(url, extraHeaders))
  const failed = [...new Set(runs.flatMap((run) => run.failed))]
  if (failed.length > 0) console.log(`${page}: not passed: ${failed.join(', ')}`)
  const n = runs.length
  const of = (key: 'performance' | 'practices' | 'accessibility' | 'shift' | 'paintMs'): number =>
    median(runs.map((run) => run[key]))
  return [
    {
      figure: `${page}: performance`,
      value: of('performance'),
      unit: 'of 100',
      n,
      peer: peers.performance,
      target: { atLeast: 95 },
    },
    { figure: `${page}: best practices`, value: of('practices'), unit: 'of 100', n, target: { atLeast: 95 } },
    {
      figure: `${page}: accessibility`,
      value: of('accessibility'),
      unit: 'of 100',
      n,
      peer: peers.accessibility,
      target: { atLeast: 100 },
    },
    {
      figure: `${page}: layout shift`,
      value: of('shift'),
      unit: 'score',
      n,
      peer: peers.shift,
      target: { atMost: 0.02 },
    },
    { figure: `${page}: largest contentful paint`, value: of('paintMs'), unit: 'ms', n },
  ]
}

/** One run in a browser of its own. */
async function once(url: string, extraHeaders: Record<string, string>): Promise<Scores> {
  const port = config.port + 2
  const browser = await launchBrowser({ debuggingPort: port })
  try {
    const result = await lighthouse(
      url,
      {
        port,
        extraHeaders,
        logLevel: 'error',
        output: 'json',
        onlyCategories: ['performance', 'best-practices', 'accessibility'],
      },
      desktopConfig,
    )
    if (!result) throw new Error('Lighthouse gave no result.')
    const { categories, audits, runtimeError, runWarnings } = result.lhr
    if (runtimeError) throw new Error(`Lighthouse: ${runtimeError.message}`)
    for (const warning of runWarnings) console.log(`Lighthouse warns: ${warning}`)
    const score = (name: string): number => {
      const found = categories[name]?.score
      if (found === null || found === undefined) throw new Error(`Lighthouse gave no score for ${name}.`)
      return Math.round(found * 100)
    }
    return {
      performance: score('performance'),
      practices: score('best-practices'),
      accessibility: score('accessibility'),
      shift: audits['cumulative-layout-shift']?.numericValue ?? Number.NaN,
      paintMs: audits['largest-contentful-paint']?.numericValue ?? Number.NaN,
      failed: Object.values(audits)
        .filter((audit) => audit.scoreDisplayMode === 'binary' && audit.score === 0)
        .map((audit) => audit.id),
    }
  } finally {
    await browser.close()
  }
}
