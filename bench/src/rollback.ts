import { setTimeout as sleep } from 'node:timers/promises'
import { readPointer } from '@dam/ops/src/deployments/pointer-store.ts'
import { decideWaiting, requestDeploy } from '@dam/ops/src/deployments/request-deployment.ts'
import { liftFreeze } from '@dam/ops/src/deployments/freeze-store.ts'
import { acquireLease, livingHolder } from '@dam/ops/src/deployments/lease-store.ts'
import { runDeployment } from '@dam/ops/src/deployments/run-deployment.ts'
import { nextLookAfterMs } from '@dam/ops/src/judge/bake-policy.ts'
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
}

/** Bad releases F20 to F23 of the miniature kind, and healthy ones that err a little; real keeper, front, judge and state machine. */
const kinds: { name: string; faults: Faults; isBad: boolean; share: number }[] = [
  { name: 'F20 crashes at boot', faults: { crashAtBoot: true }, isBad: true, share: 0.5 },
  { name: 'F20 other version', faults: { wrongTag: 'v9.9.9' }, isBad: true, share: 0.5 },
  { name: 'F21 100 % errors', faults: { errorRate: 1, afterSeconds: 4 }, isBad: true, share: 1 },
  { name: 'F21 20 % errors', faults: { errorRate: 0.2, afterSeconds: 4 }, isBad: true, share: 1 },
  { name: 'F22 p95 2.5 s', faults: { slowMs: 2_500, slowShare: 0.3, afterSeconds: 4 }, isBad: true, share: 1 },
  { name: 'F23 dies', faults: { crashAfterSeconds: 6 }, isBad: true, share: 1 },
  { name: 'healthy, 0.1 % errors', faults: { errorRate: 0.001 }, isBad: false, share: 0.3 },
  { name: 'healthy, 1 % errors', faults: { errorRate: 0.01 }, isBad: false, share: 0.3 },
  { name: 'healthy, 4 % errors as before', faults: { errorRate: 0.04 }, isBad: false, share: 0.3 },
]

export async function run(): Promise<void> {
  const rounds = config.rollbackRounds ?? (config.quick ? 3 : 100)
  await using database = await testDatabase({ empty: true })
  await using host = await scratchHost({ databaseUrl: database.connectionString })
  host.startKeeper()
  const version = { next: 1 }
  const figures: Figure[] = []
  await serve(host, database.connectionString, version, {})
  const restores: number[] = []
  for (const { name, faults, isBad, share } of kinds) {
    const isAsBefore = name.endsWith('as before')
    if (isAsBefore) await serve(host, database.connectionString, version, faults)
    const seen: Round[] = []
    for (let i = 0; i < Math.max(1, Math.round(rounds * share)); i++) {
      seen.push(await round(host, database.connectionString, version, faults, isBad ? bakeMs : healthyBakeMs))
    }
    const n = seen.length
    const back = seen.filter(({ isRolledBack }) => isRolledBack).length
    const errors = seen.map((each) => each.errors)
    const isBeforeTraffic = name.startsWith('F20')
    if (!isBad)
      figures.push({ figure: `${name}: false rollbacks`, value: back, unit: 'count', n, target: { atMost: 0 } })
    else if (isBeforeTraffic) {
      figures.push({
        figure: `${name}: errors users saw`,
        value: Math.max(...errors),
        unit: 'count',
        n,
        target: { atMost: 0 },
      })
    } else {
      const detect = seen.flatMap(({ detectMs }) => (detectMs === null ? [] : [detectMs / 1000]))
      const restore = seen.flatMap(({ restoreMs }) => (restoreMs === null ? [] : [restoreMs / 1000]))
      restores.push(...restore)
      figures.push({ figure: `${name}: rolled back`, value: back, unit: 'count', n, target: { atLeast: n } })
      if (detect.length > 0) {
        figures.push({ figure: `${name}: detect, median`, value: quantile(detect, 0.5), unit: 's', n })
        figures.push({
          figure: `${name}: detect, p95`,
          value: quantile(detect, 0.95),
          unit: 's',
          n,
          target: { atMost: 60 },
        })
        figures.push({ figure: `${name}: errors served, median`, value: quantile(errors, 0.5), unit: 'count', n })
      }
    }
    console.log(`${name}: ${back} of ${n} rolled back`)
  }
  if (restores.length > 0) {
    figures.push({
      figure: 'restore traffic from decision, median',
      value: quantile(restores, 0.5),
      unit: 's',
      n: restores.length,
    })
    figures.push({
      figure: 'restore traffic from decision, worst',
      value: Math.max(...restores),
      unit: 's',
      n: restores.length,
      target: { atMost: 1 },
    })
  }
  figures.push(...lockFigures(host))
  report('rollback', figures)
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
  const { data, state, id } = await runDeployment(deps, requestDeploy(deps, tag).id)
  const { requests, failures } = await people.stop()
  if (state === 'waiting-for-person') {
    decideWaiting(deps, { kind: 'accept', reason: 'nothing was decided', bakeMs: 0 })
    await runDeployment(deps, id)
  }
  liftFreeze(host.store, { environment: 'staging', who: 'bench', reason: 'the next round', now: new Date() })
  const isRolledBack = data.rollback !== undefined && readPointer(host.store, 'staging')?.active?.tag === before
  const first = failures.find((failure) => failure.tag === release.tag || failure.tag === null)?.at
  const decidedAt = Date.parse(data.stamps?.decidedAt ?? '')
  return {
    isRolledBack,
    // From the first answer that was bad: what the judge had to see.
    detectMs: isRolledBack && first !== undefined ? Math.max(0, decidedAt - first) : null,
    restoreMs: data.restoreSeconds === undefined ? null : data.restoreSeconds * 1000,
    errors: failures.length,
    requests,
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
