import { setTimeout as sleep } from 'node:timers/promises'
import { readPointer } from '@dam/ops/src/deployments/pointer-store.ts'
import { openDeployment } from '@dam/ops/src/deployments/deployment-store.ts'
import { decideWaiting, requestDeploy, requestRollback } from '@dam/ops/src/deployments/request-deployment.ts'
import { liftFreeze } from '@dam/ops/src/deployments/freeze-store.ts'
import { acquireLease, livingHolder } from '@dam/ops/src/deployments/lease-store.ts'
import { runDeployment } from '@dam/ops/src/deployments/run-deployment.ts'
import { nextLookAfterMs } from '@dam/ops/src/judge/bake-policy.ts'
import { holdOpen } from '@dam/ops/src/testing/hold-open.ts'
import { type Faults, installMiniature } from '@dam/ops/src/testing/miniature-release.ts'
import { quickPolicy, scratchDeployer } from '@dam/ops/src/testing/scratch-deployer.ts'
import { type ScratchHost, scratchHost } from '@dam/ops/src/testing/scratch-host.ts'
import { testDatabase } from '@dam/platform/testing/database'
import { config } from './config.ts'
import { type Figure, quantile, report } from './report.ts'

const bakeMs = 60_000
const healthyBakeMs = 30_000
const perSecond = 10

type Round = {
  isRolledBack: boolean
  detectMs: number | null
  restoreMs: number | null
  errors: number
  requests: number
  /** Why it ended before it had traffic. */
  failure: string | null
}

type Kind = {
  name: string
  faults: Faults
  /** What must become of it; `seen`: on the edge, so it is only counted. */
  expected: 'never-served' | 'rolled-back' | 'kept' | 'seen'
  share: number
}

/** Bad releases F20 to F23 of the miniature kind, and healthy ones that err a little; real keeper, front, judge and state machine. */
const kinds: Kind[] = [
  { name: 'F20 crashes at boot', faults: { crashAtBoot: true }, expected: 'never-served', share: 0.5 },
  { name: 'F20 /readyz answers 503', faults: { readiness: 'failing' }, expected: 'never-served', share: 0.3 },
  { name: 'F20 /readyz hangs', faults: { readiness: 'hanging' }, expected: 'never-served', share: 0.3 },
  { name: 'F20 other version', faults: { wrongTag: 'v9.9.9' }, expected: 'never-served', share: 0.5 },
  { name: 'F21 100 % errors', faults: { errorRate: 1, afterSeconds: 4 }, expected: 'rolled-back', share: 1 },
  { name: 'F21 50 % errors', faults: { errorRate: 0.5, afterSeconds: 4 }, expected: 'rolled-back', share: 1 },
  { name: 'F21 20 % errors', faults: { errorRate: 0.2, afterSeconds: 4 }, expected: 'rolled-back', share: 0.5 },
  { name: 'F21 10 % errors', faults: { errorRate: 0.1, afterSeconds: 4 }, expected: 'rolled-back', share: 0.5 },
  { name: 'F21 6 % errors', faults: { errorRate: 0.06, afterSeconds: 4 }, expected: 'seen', share: 0.3 },
  {
    name: 'F21 errors after 25 s',
    faults: { errorRate: 0.5, afterSeconds: 25 },
    expected: 'rolled-back',
    share: 0.3,
  },
  {
    name: 'F21 errors on one route',
    faults: { errorRate: 1, errorRoute: '/api/assets', afterSeconds: 4 },
    expected: 'rolled-back',
    share: 0.3,
  },
  {
    name: 'F22 p95 2.5 s',
    faults: { slowMs: 2_500, slowShare: 0.3, afterSeconds: 4 },
    expected: 'rolled-back',
    share: 0.5,
  },
  {
    name: 'F22 event loop blocked 2.5 s of 3',
    faults: { blockMs: 2_500, afterSeconds: 4 },
    expected: 'rolled-back',
    share: 0.3,
  },
  { name: 'F23 dies', faults: { crashAfterSeconds: 6 }, expected: 'rolled-back', share: 1 },
  { name: 'F23 leaks 40 MB/s', faults: { leakMegabytesPerSecond: 40 }, expected: 'rolled-back', share: 0.3 },
  { name: 'healthy, 0.1 % errors', faults: { errorRate: 0.001 }, expected: 'kept', share: 0.3 },
  { name: 'healthy, 1 % errors', faults: { errorRate: 0.01 }, expected: 'kept', share: 0.3 },
]

/** Minutes after which no further round begins; every kind has had as many as the others then. */
const minutesFor = (rounds: number): number => Math.max(4, 2.4 * rounds)

export async function run(): Promise<void> {
  const rounds = config.rollbackRounds ?? (config.quick ? 1 : 100)
  const plan = Array.from({ length: rounds }, (_, i) =>
    kinds.filter(({ share }) => Math.floor((i + 1) * share) > Math.floor(i * share) || (i === 0 && share < 1)),
  ).flat()
  await using database = await testDatabase({ empty: true })
  await using _held = await holdOpen(database.connectionString)
  await using host = await scratchHost({ databaseUrl: database.connectionString })
  // What leaks is ended by the keeper long before the machine feels it.
  host.startKeeper('--memory-bound', '400', '--memory-patience', '2')
  const version = { next: 1 }
  await serve(host, database.connectionString, version, {})
  const seen = new Map<Kind, Round[]>(kinds.map((kind) => [kind, []]))
  const broken: string[] = []
  const startedAt = performance.now()
  const minutes = (): number => (performance.now() - startedAt) / 60_000
  console.log(`${plan.length} rounds of ${kinds.length} kinds, ${minutesFor(rounds).toFixed(0)} minutes at most`)
  for (const [index, kind] of plan.entries()) {
    if (minutes() > minutesFor(rounds)) {
      console.log(`time is up after ${index} of ${plan.length} rounds`)
      break
    }
    const lasting = kind.expected === 'kept' ? healthyBakeMs : bakeMs
    try {
      const one = await round(host, database.connectionString, version, kind.faults, lasting)
      if (one.failure !== null && kind.expected !== 'never-served') throw new Error(one.failure)
      seen.get(kind)?.push(one)
      const left = (minutes() / (index + 1)) * (plan.length - index - 1)
      console.log(
        `${String(index + 1).padStart(4)}/${plan.length}  ${kind.name.padEnd(34)} ${outcomeOf(kind, one)}, detected in ${one.detectMs === null ? '–' : `${(one.detectMs / 1000).toFixed(1)} s`}, ${one.errors} of ${one.requests} requests bad; about ${left.toFixed(0)} min left`,
      )
    } catch (error) {
      broken.push(`${kind.name}: ${error instanceof Error ? error.message : String(error)}`)
      console.log(`${String(index + 1).padStart(4)}/${plan.length}  ${broken.at(-1) ?? ''}`)
      await settle(host, database.connectionString)
    }
  }
  const rows = [...seen].filter(([, each]) => each.length > 0)
  const figures: Figure[] = rows.flatMap(([kind, each]) => figuresOf(kind, each))
  const restores = rows
    .flatMap(([, each]) => each)
    .flatMap(({ restoreMs }) => (restoreMs === null ? [] : [restoreMs / 1000]))
  if (restores.length > 0) {
    const n = restores.length
    figures.push({ figure: 'restore traffic from decision, median', value: quantile(restores, 0.5), unit: 's', n })
    figures.push({
      figure: 'restore traffic from decision, worst',
      value: Math.max(...restores),
      unit: 's',
      n,
      target: { atMost: 1 },
    })
  }
  figures.push({
    figure: 'rounds that could not be measured',
    value: broken.length,
    unit: 'count',
    n: plan.length,
    target: { atMost: 0 },
  })
  figures.push(...lockFigures(host))
  report('rollback', figures)
}

const outcomeOf = ({ expected }: Kind, { isRolledBack }: Round): string =>
  isRolledBack ? 'rolled back' : expected === 'never-served' ? 'kept away from people' : 'not rolled back'

function figuresOf({ name, expected }: Kind, each: readonly Round[]): Figure[] {
  const n = each.length
  const back = each.filter(({ isRolledBack }) => isRolledBack).length
  const errors = each.map((one) => one.errors)
  if (expected === 'kept')
    return [{ figure: `${name}: false rollbacks`, value: back, unit: 'count', n, target: { atMost: 0 } }]
  if (expected === 'never-served') {
    const figure = `${name}: errors users saw`
    return [{ figure, value: Math.max(...errors), unit: 'count', n, target: { atMost: 0 } }]
  }
  const detect = each.flatMap(({ detectMs }) => (detectMs === null ? [] : [detectMs / 1000]))
  const rolledBack: Figure = { figure: `${name}: rolled back`, value: back, unit: 'count', n }
  return [
    expected === 'rolled-back' ? { ...rolledBack, target: { atLeast: n } } : rolledBack,
    ...(detect.length === 0
      ? []
      : [
          { figure: `${name}: detect, median`, value: quantile(detect, 0.5), unit: 's', n: detect.length },
          {
            figure: `${name}: detect, p95`,
            value: quantile(detect, 0.95),
            unit: 's',
            n: detect.length,
            target: { atMost: 60 },
          },
        ]),
    { figure: `${name}: errors served, median`, value: quantile(errors, 0.5), unit: 'count', n },
  ]
}

/** A round that broke off leaves a deployment that has not ended; it is taken back, so that the next one can begin. */
async function settle(host: ScratchHost, databaseUrl: string): Promise<void> {
  const open = openDeployment(host.store, 'staging')
  if (!open) return
  const deps = scratchDeployer(host.hostDir, host.store, { databaseUrl, policy: quickPolicy(1_000) })
  requestRollback(deps, { to: null, because: 'the round broke off' })
  await runDeployment(deps, open.id)
}

/** A lease held by a process of this machine that is dead is free at once; one of another machine after its time to live. */
function lockFigures({ store }: ScratchHost): Figure[] {
  const attempts = 200
  let won = 0
  for (let i = 0; i < attempts; i++) {
    try {
      acquireLease(store, { environment: 'lock-bench', who: 'bench', purpose: 'measures', now: new Date() })
      won++
    } catch {
      // Refused, as it should be from the second on.
    }
  }
  const holder = livingHolder(store, 'lock-bench', new Date(Date.now() + 30_001))
  return [
    { figure: 'lock: winners', value: won, unit: 'count', n: attempts, target: { atMost: 1 } },
    {
      figure: 'lock: free after 30 s without heartbeat',
      value: holder === null ? 1 : 0,
      unit: 'count',
      n: 1,
      target: { atLeast: 1 },
    },
  ]
}

async function serve(host: ScratchHost, databaseUrl: string, version: { next: number }, faults: Faults): Promise<void> {
  const tag = `v1.${version.next++}.0`
  installMiniature(host.hostDir, host.store, { tag, faults })
  const deps = scratchDeployer(host.hostDir, host.store, { databaseUrl, policy: quickPolicy(1_000) })
  const { id, state } = await runDeployment(deps, requestDeploy(deps, tag).id)
  if (state !== 'waiting-for-person') return
  decideWaiting(deps, { kind: 'accept', reason: 'serves the bench', bakeMs: 0 })
  await runDeployment(deps, id)
}

async function round(
  host: ScratchHost,
  databaseUrl: string,
  version: { next: number },
  faults: Faults,
  lasting: number,
): Promise<Round> {
  const tag = `v1.${version.next++}.0`
  const release = installMiniature(host.hostDir, host.store, { tag, faults })
  const policy = { ...quickPolicy(lasting), nextLookAfterMs, ready: { times: 3, everyMs: 250, withinMs: 15_000 } }
  const deps = scratchDeployer(host.hostDir, host.store, { databaseUrl, policy })
  const before = readPointer(host.store, 'staging')?.active?.tag
  const people = load(host.publicUrl)
  const { data, state, id, because } = await runDeployment(deps, requestDeploy(deps, tag).id)
  const { requests, failures } = await people.stop()
  if (state === 'waiting-for-person') {
    requestRollback(deps, { to: null, because: 'nothing was decided' })
    await runDeployment(deps, id)
  }
  liftFreeze(host.store, { environment: 'staging', who: 'bench', reason: 'the next round', now: new Date() })
  const isRolledBack = data.rollback !== undefined && readPointer(host.store, 'staging')?.active?.tag === before
  // What serves beside the next one must be healthy.
  if (state === 'good' && Object.keys(faults).length > 0) await serve(host, databaseUrl, version, {})
  const first = failures.find((failure) => failure.tag === release.tag || failure.tag === null)?.at
  const decidedAt = Date.parse(data.stamps?.decidedAt ?? '')
  return {
    isRolledBack,
    // From the first answer that was bad: what the judge had to see.
    detectMs: isRolledBack && first !== undefined ? Math.max(0, decidedAt - first) : null,
    restoreMs: data.restoreSeconds === undefined ? null : data.restoreSeconds * 1000,
    errors: failures.length,
    requests,
    failure: state === 'failed' ? because : null,
  }
}

/** Ten requests a second through the front, as people make them. */
function load(publicUrl: string) {
  const failures: { at: number; tag: string | null }[] = []
  let requests = 0
  const stopped = new AbortController()
  const one = async (i: number): Promise<void> => {
    const begin = performance.now()
    const response = await fetch(`${publicUrl}/api/assets?${i}`, { signal: AbortSignal.timeout(10_000) }).catch(
      () => null,
    )
    await response?.body?.cancel()
    requests++
    if (!response?.ok || performance.now() - begin > 2_000) {
      failures.push({ at: Date.now(), tag: response?.headers.get('x-served-by') ?? null })
    }
  }
  const done = (async () => {
    const running: Promise<void>[] = []
    for (let i = 0; !stopped.signal.aborted; i++) {
      running.push(one(i))
      await sleep(1000 / perSecond)
    }
    await Promise.all(running)
  })()
  return {
    stop: async () => {
      stopped.abort()
      await done
      return { requests, failures: failures.toSorted((a, b) => a.at - b.at) }
    },
  }
}
