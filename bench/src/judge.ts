import { config } from './config.ts'
import { controlShare, secondsToBad, simulate, type World } from './judge/simulated-bakes.ts'
import { createRandom } from './random.ts'
import { median, quantile, report, type Figure } from './report.ts'

const rates = [
  { name: '10/min', perSecond: 10 / 60 },
  { name: '60/min', perSecond: 1 },
  { name: '300/min', perSecond: 5 },
  { name: '20/s', perSecond: 20 },
]

export async function run(): Promise<void> {
  const bakes = config.quick ? 100 : 1_000
  console.log(`seed ${config.seed} (DAM_BENCH_SEED)`)
  const figures: Figure[] = []
  for (const base of [0.001, 0.005, 0.01]) {
    for (const clusters of ['none', 'bursts', 'retrying client', 'broken asset'] as const) {
      const falsely = rates.map(({ perSecond }, index) => {
        const random = createRandom(config.seed * 104_729 + Math.round(base * 1e6) + index * 7919 + clusters.length)
        let count = 0
        for (let n = 0; n < bakes; n++) {
          if (secondsToBad(simulate({ perSecond, base, clusters, fresh: { bad: 0, slow: 0 } }, random)) !== null)
            count++
        }
        return count
      })
      for (const [index, { name }] of rates.entries()) {
        figures.push({
          figure: `healthy, ${base * 100} % errors, ${clusters === 'none' ? 'single' : clusters}, ${name}: rolled back`,
          value: falsely[index] ?? 0,
          unit: 'bakes',
          n: bakes,
          ...(base <= 0.005 ? { target: { atMost: 0 } } : base <= 0.01 ? { target: { atMost: bakes / 1000 } } : {}),
        })
      }
      console.log(`${base * 100} % ${clusters}: ${falsely.join(' ')}`)
    }
  }
  figures.push(...detection(config.quick ? 50 : 400))
  report('judge', figures)
}

function detection(bakes: number): Figure[] {
  const figures: Figure[] = []
  for (const [kind, share, target] of [
    ['bad', 1, { atMost: 3 }],
    ['bad', 0.5, { atMost: 5 }],
    ['bad', 0.2, undefined],
    ['bad', 0.1, { atMost: 15 }],
    ['bad', 0.05, undefined],
    ['slow', 1, { atMost: 3 }],
    ['slow', 0.2, undefined],
    ['slow', 0.1, { atMost: 15 }],
  ] as const) {
    const random = createRandom(config.seed * 104_729 + share * 1000 + (kind === 'bad' ? 0 : 1))
    const times = Array.from({ length: bakes }, () => {
      const fresh = { bad: 0, slow: 0, [kind]: share }
      const world: World = { perSecond: 10 / (1 - controlShare), base: 0.001, clusters: 'none', fresh }
      return secondsToBad(simulate(world, random), { until: 300 }) ?? Infinity
    })
    const name = `${share * 100} % ${kind === 'bad' ? 'errors' : 'slow'} at 10/s on the new release`
    figures.push(
      { figure: `${name}: median`, value: median(times), unit: 's', n: bakes, ...(target ? { target } : {}) },
      {
        figure: `${name}: p95`,
        value: quantile(times, 0.95),
        unit: 's',
        n: bakes,
        ...(share === 0.05 ? { target: { atMost: 60 } } : share >= 0.5 && target ? { target } : {}),
      },
    )
    console.log(`${name}: median ${median(times)} s, p95 ${quantile(times, 0.95)} s`)
  }
  return figures
}
