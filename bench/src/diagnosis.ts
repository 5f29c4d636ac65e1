import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { diagnose } from '@dam/ops/src/diagnosis/diagnose.ts'
import { type LoadSeen, startLoad } from '@dam/ops/src/diagnosis/drills/load.ts'
import { runStatements } from '@dam/ops/src/diagnosis/drills/sessions.ts'
import { takeBack } from '@dam/ops/src/diagnosis/drills/undo.ts'
import { type DrillPlace, variantsOf } from '@dam/ops/src/diagnosis/drills/variants.ts'
import { openPlace } from '@dam/ops/src/diagnosis/open-place.ts'
import { topCause } from '@dam/ops/src/diagnosis/rank-causes.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import { type PlaybookName, playbookNames } from '@dam/ops/src/policy/policy.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { config } from './config.ts'
import { dataDirectory, startProduct } from './product.ts'
import { createRandom } from './random.ts'
import { type Figure, median, report } from './report.ts'

type Round = { isRight: boolean; tookMs: number }

/** How long a fault works before somebody looks, milliseconds: an alert comes later. */
const settleMs = { errors: 2_500, slow: 2_500, memory: 4_000, database: 2_500, cdn: 0 } as const

const hasUsersSymptom = { errors: true, slow: true, memory: false, database: false, cdn: false } as const
const isSeen = ({ failed, slow }: LoadSeen): boolean => failed + slow > 1

/** Injects each of the runbook's five issues again and again, with what chance decides, and counts how often the top cause is the right one. */
export async function run(): Promise<void> {
  const rounds = config.rounds ?? (config.quick ? 3 : 100)
  const { next: random } = createRandom(20_260_301)
  const storeDir = mkdtempSync(path.join(tmpdir(), 'dam-diagnosis-'))
  using store = openStore(storeDir, { durability: 'none' })
  const dataDir = dataDirectory('diagnosis', { fresh: true })
  await using product = await startProduct({ dataDir })
  const environment: Environment = {
    name: 'local',
    isLocal: true,
    publicUrl: product.origin,
    host: '127.0.0.1',
    port: config.port,
    dataDir,
    databaseUrl: null,
    runDir: null,
    settings: {},
  }
  const place = (cdnUrl: string | null = null) =>
    openPlace({ environment, store, shell: {}, cdnUrl, gapMs: 1_500, now: new Date() })
  const { connectionString } = place()
  if (connectionString === null) throw new Error('The product runs without its built-in database.')
  const drill: DrillPlace = { connectionString, dataDir, address: product.origin, random }

  const results = new Map<PlaybookName, Round[]>(playbookNames.map((name) => [name, []]))
  const healthy: Round[] = []
  const startedAt = performance.now()
  const isTimeOver = (): boolean =>
    config.minutes !== undefined && performance.now() - startedAt > config.minutes * 60_000
  for (let round = 0; round < rounds && !isTimeOver(); round++) {
    for (const issue of playbookNames) {
      const variants = variantsOf(issue, drill)
      const variant = variants[Math.floor(random() * variants.length)]
      if (!variant) throw new Error(`There is nothing to inject for ${issue}: the product does not run.`)
      const load = startLoad({
        address: product.origin,
        authorization: product.client.authorization,
        perSecond: 3 + random() * 12,
        random,
      })
      try {
        await forgetErrors(connectionString, dataDir)
        const injected = await variant.inject()
        try {
          await sleep(settleMs[issue])
          // As an alert would: nobody is called before somebody has met the fault.
          for (let waited = 0; waited < 10_000 && hasUsersSymptom[issue] && !isSeen(load.seen()); waited += 200)
            await sleep(200)
          const diagnosis = await diagnose(place(injected.cdnUrl ?? null), issue)
          const top = topCause(diagnosis.causes)
          const isRight = top?.cause === variant.expected
          results.get(issue)?.push({ isRight, tookMs: diagnosis.tookMs })
          if (!isRight)
            console.log(
              `round ${round + 1} ${issue}/${variant.name}: ${variant.describe}\n  expected ${variant.expected}, named ${top?.cause ?? 'nothing'}: ${diagnosis.causes.map(({ cause, weight, evidence }) => `${cause} ${weight} (${evidence[0]?.slice(0, 140)})`).join('; ')}`,
            )
        } finally {
          await injected.close()
          for (const step of variant.undo) await takeBack(step)
          // What is freed stays with the process and would hide the next leak; the runbook's answer is a restart, too.
          for (const step of variant.undo) if (step.kind === 'forget') process.kill(step.pid, 'SIGTERM')
        }
      } finally {
        await load.stop()
      }
      if (issue === 'memory') await sleep(1_000)
      await untilCalm(product.isReady)
    }
    if (round % 5 === 0) {
      const calm = await diagnose(place(), 'database')
      healthy.push({ isRight: topCause(calm.causes) === undefined, tookMs: calm.tookMs })
    }
    console.log(
      `round ${round + 1}: ${[...results].map(([name, all]) => `${name} ${right(all)}/${all.length}`).join(', ')}`,
    )
    report('diagnosis', figuresOf(results, healthy), { isPartial: true })
  }
  report('diagnosis', figuresOf(results, healthy))
  rmSync(storeDir, { recursive: true, force: true })
}

function figuresOf(results: ReadonlyMap<PlaybookName, Round[]>, healthy: readonly Round[]): Figure[] {
  return [
    ...[...results].map(([name, all]) => ({
      figure: `${name}: the top cause is the injected one`,
      value: (100 * right(all)) / all.length,
      unit: '%',
      n: all.length,
      target: { atLeast: 95 },
    })),
    ...[...results].map(([name, all]) => ({
      figure: `${name}: time of a diagnosis`,
      value: median(all.map(({ tookMs }) => tookMs)),
      unit: 'ms',
      n: all.length,
    })),
    {
      figure: 'nothing injected: nothing stands out in the playbook database',
      value: (100 * right(healthy)) / healthy.length,
      unit: '%',
      n: healthy.length,
    },
  ]
}

const right = (rounds: readonly Round[]): number => rounds.filter(({ isRight }) => isRight).length

/** Each round is an incident of its own: the errors of the round before, seconds ago here, would be hours ago. */
async function forgetErrors(connectionString: string, dataDir: string): Promise<void> {
  await runStatements(connectionString, ['truncate error_log', 'select pg_stat_statements_reset()'])
  truncateSync(path.join(dataDir, 'logs', 'app.log'))
}

/** Until the fault is over for the product; its pool may need a moment. */
async function untilCalm(isReady: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 120; tries++) {
    if (await isReady()) return
    await sleep(500)
  }
  throw new Error('The product did not come back within a minute after a fault was taken back.')
}
