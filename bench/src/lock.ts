import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { findDeployment, openDeployment } from '@dam/ops/src/deployments/deployment-store.ts'
import { breakLease, livingHolder, readLease } from '@dam/ops/src/deployments/lease-store.ts'
import { setMaintenancePage } from '@dam/ops/src/deployments/maintenance-page.ts'
import { readPointer } from '@dam/ops/src/deployments/pointer-store.ts'
import { decideWaiting, requestDeploy } from '@dam/ops/src/deployments/request-deployment.ts'
import { runDeployment } from '@dam/ops/src/deployments/run-deployment.ts'
import { isInUse, listSlots } from '@dam/ops/src/deployments/slot-store.ts'
import { createFrontClient } from '@dam/ops/src/front/front-client.ts'
import { holdOpen } from '@dam/ops/src/testing/hold-open.ts'
import { installMiniature } from '@dam/ops/src/testing/miniature-release.ts'
import { quickPolicy, scratchDeployer } from '@dam/ops/src/testing/scratch-deployer.ts'
import { portsOfHost, type ScratchHost, scratchHost, until } from '@dam/ops/src/testing/scratch-host.ts'
import { testDatabase } from '@dam/platform/testing/database'
import { config } from './config.ts'
import type { ActorSaid } from './lock/actor-main.ts'
import { type Figure, quantile, report } from './report.ts'

type Lane = { host: ScratchHost; databaseUrl: string; nextVersion: number }

/** What was counted, over all lanes. */
type Counts = {
  rounds: Map<string, number>
  /** Rounds in which not exactly one of several ran that may not run together. */
  notOne: Map<string, number>
  /** Two deployments that worked at the same time. */
  overlaps: number
  /** The front, the store and the processes did not agree after a round. */
  disagreements: number
  freedMs: number[]
  leftMs: number[]
  fenced: number
  wroteAfterFence: number
}

/** Lanes at the same time: a round mostly waits. */
const defaultLanes = 3
/** So that both processes have started when it comes. */
const leadMs = 1_500

/** Deployers as processes of their own, against each other, against rollbacks and maintenance, killed and stopped; who holds the lock. */
export async function run(): Promise<void> {
  const rounds = config.rounds ?? (config.quick ? 1 : 100)
  const lanes = Math.min(config.lanes ?? defaultLanes, rounds)
  const counts: Counts = {
    rounds: new Map(),
    notOne: new Map(),
    overlaps: 0,
    disagreements: 0,
    freedMs: [],
    leftMs: [],
    fenced: 0,
    wroteAfterFence: 0,
  }
  const startedAt = performance.now()
  let begun = 0
  const minutes = (): number => (performance.now() - startedAt) / 60_000
  const isOver = (): boolean => begun >= rounds || (config.minutes !== undefined && minutes() > config.minutes)
  await using database = await testDatabase({ empty: true })
  await using _held = await holdOpen(database.connectionString)
  const live = async (index: number): Promise<void> => {
    await using host = await scratchHost({
      databaseUrl: database.connectionString,
      firstPort: config.port + index * portsOfHost,
    })
    host.startKeeper()
    const lane: Lane = { host, databaseUrl: database.connectionString, nextVersion: 1 }
    await deployHere(lane)
    await deployHere(lane)
    while (!isOver()) {
      const round = ++begun
      for (const [name, play] of Object.entries(kinds)) {
        const since = newestEvent(lane)
        await play(lane, counts)
        counts.rounds.set(name, (counts.rounds.get(name) ?? 0) + 1)
        if (worksOverlap(lane, since)) counts.overlaps++
        const disagreement = await disagreementOf(lane)
        if (disagreement) {
          counts.disagreements++
          console.log(`${name}: ${disagreement}`)
        }
      }
      console.log(`round ${round} of ${rounds}, ${minutes().toFixed(1)} min`)
      report('lock', figuresOf(counts), { isPartial: true })
    }
  }
  await Promise.all(Array.from({ length: lanes }, (_, index) => live(index)))
  report('lock', figuresOf(counts))
}

const kinds: Record<string, (lane: Lane, counts: Counts) => Promise<void>> = {
  'two deploys': async (lane, counts) => {
    const said = await together(lane, [
      ['deploy', install(lane)],
      ['deploy', install(lane)],
    ])
    expectOne('two deploys', said, counts)
    await finish(lane)
  },
  'three deployers of one deployment': async (lane, counts) => {
    const { id } = requestDeploy(deployerOf(lane), install(lane))
    const said = await together(lane, [
      ['drive', String(id)],
      ['drive', String(id)],
      ['drive', String(id)],
    ])
    expectOne('three deployers of one deployment', said, counts)
    await finish(lane)
  },
  // Either may be first; both end, one of them perhaps by going back or being refused.
  'deploy and rollback': async (lane) => {
    await together(lane, [
      ['deploy', install(lane)],
      ['roll-back', ''],
    ])
    await finish(lane)
  },
  'deploy and maintenance': async (lane) => {
    await together(lane, [
      ['deploy', install(lane)],
      ['maintenance', ''],
    ])
    await finish(lane)
    if (readPointer(lane.host.store, 'staging')?.maintenance)
      await setMaintenancePage(deployerOf(lane), { reason: null })
  },
  'deployer killed': async (lane, counts) => {
    const { store } = lane.host
    const { id } = requestDeploy(deployerOf(lane), install(lane))
    const actor = startActor(lane, ['drive', String(id)], Date.now())
    await until('it holds the lock', () => livingHolder(store, 'staging', new Date())?.pid === actor.child.pid)
    await sleep(Math.random() * 3_000)
    const lease = readLease(store, 'staging')
    actor.child.kill('SIGKILL')
    const killedAt = Date.now()
    await actor.ended
    if (lease && lease.holder?.pid === actor.child.pid) {
      await until('the lock is free', () => livingHolder(store, 'staging', new Date()) === null, 40_000)
      counts.freedMs.push(Date.now() - killedAt)
      // What another machine would have had to wait.
      counts.leftMs.push(Date.parse(lease.expiresAt) - killedAt)
    }
    await finish(lane)
  },
  'deployer overtaken while it stood still': async (lane, counts) => {
    const { store } = lane.host
    const { id } = requestDeploy(deployerOf(lane), install(lane))
    const actor = startActor(lane, ['drive', String(id)], Date.now())
    await until('it holds the lock', () => livingHolder(store, 'staging', new Date())?.pid === actor.child.pid)
    await sleep(Math.random() * 1_500)
    await stopBetweenTransactions(lane, actor.child)
    const isUnderWay = findDeployment(store, id)?.endedAt === null
    breakLease(store, { environment: 'staging', who: 'bench', reason: 'it stands still', now: new Date() })
    const token = readLease(store, 'staging')?.token
    const pointer = readPointer(store, 'staging')
    actor.child.kill('SIGCONT')
    const said = await actor.ended
    if (isUnderWay) {
      if (said?.outcome === 'fenced') counts.fenced++
      else console.log(`overtaken: ${JSON.stringify(said)}`)
      const isUntouched =
        readLease(store, 'staging')?.token === token &&
        JSON.stringify(readPointer(store, 'staging')) === JSON.stringify(pointer)
      if (!isUntouched || said?.outcome === 'ran') counts.wroteAfterFence++
      counts.rounds.set(fenceTried, (counts.rounds.get(fenceTried) ?? 0) + 1)
    }
    await finish(lane)
  },
}

/** Stopped inside a transaction, it would keep everybody from writing. */
async function stopBetweenTransactions({ host }: Lane, child: ChildProcess): Promise<void> {
  for (;;) {
    child.kill('SIGSTOP')
    try {
      host.store.transaction(() => undefined)
      return
    } catch {
      child.kill('SIGCONT')
      await sleep(20)
    }
  }
}

const fenceTried = 'overtaken in the middle of its work'

function expectOne(name: string, said: (ActorSaid | null)[], counts: Counts): void {
  const ran = said.filter((each) => each?.outcome === 'ran').length
  if (ran === 1) return
  counts.notOne.set(name, (counts.notOne.get(name) ?? 0) + 1)
  console.log(`${name}: ${JSON.stringify(said)}`)
}

const deployerOf = ({ host, databaseUrl }: Lane) =>
  scratchDeployer(host.hostDir, host.store, { databaseUrl, policy: quickPolicy(800) })

function install(lane: Lane): string {
  const tag = `v1.${lane.nextVersion++}.0`
  installMiniature(lane.host.hostDir, lane.host.store, { tag })
  return tag
}

async function deployHere(lane: Lane): Promise<void> {
  const deps = deployerOf(lane)
  await runDeployment(deps, requestDeploy(deps, install(lane)).id)
  await finish(lane)
}

/** Ends what was left: by a new deployer, and where it waits for a person, by one who accepts. */
async function finish(lane: Lane): Promise<void> {
  const deps = deployerOf(lane)
  for (let open = openDeployment(deps.store, 'staging'); open; open = openDeployment(deps.store, 'staging')) {
    const { state } = await runDeployment(deps, open.id)
    if (state === 'waiting-for-person') decideWaiting(deps, { kind: 'accept', reason: 'the bench', bakeMs: 0 })
  }
}

type Deed = [deed: 'deploy' | 'drive' | 'roll-back' | 'maintenance', subject: string]

function startActor({ host, databaseUrl }: Lane, deed: Deed, moment: number) {
  const child: ChildProcess = fork(fileURLToPath(new URL('./lock/actor-main.ts', import.meta.url)), [
    host.hostDir,
    databaseUrl,
    String(moment),
    ...deed,
  ])
  let said: ActorSaid | null = null
  child.once('message', (message) => (said = message as ActorSaid))
  const ended = once(child, 'exit').then(([code]: unknown[]) => {
    if (typeof code === 'number' && code !== 0)
      throw new Error(`A deployer ended with code ${code}; what it said is above.`)
    return said
  })
  return { child, ended }
}

const together = (lane: Lane, deeds: Deed[]): Promise<(ActorSaid | null)[]> => {
  const moment = Date.now() + leadMs
  return Promise.all(deeds.map((deed) => startActor(lane, deed, moment).ended))
}

const newestEvent = ({ host }: Lane): number =>
  host.store.row<{ id: number }>('select coalesce(max(id), 0) as id from deployment_event')?.id ?? 0

/** Whether one deployment did a step between two steps of another, from its lock on. */
function worksOverlap({ host }: Lane, since: number): boolean {
  const spans = host.store.rows<{ first: number; last: number }>(
    `select min(id) as first, max(id) as last from deployment_event
     where id > ? and status <> 'note' and step not in ('request', 'gates') group by deployment_id order by first`,
    since,
  )
  return spans.some(({ first }, index) => index > 0 && first < (spans[index - 1]?.last ?? 0))
}

/** What is not as it must be when nobody works any more, or null. */
async function disagreementOf({ host }: Lane): Promise<string | null> {
  const { store, hostDir } = host
  const front = createFrontClient(path.join(hostDir, 'environments/staging/run/front.sock'))
  try {
    await until('the front agrees with the store', async () => {
      const { pointer } = await front.status()
      return isDeepStrictEqual(pointer, readPointer(store, 'staging'))
    })
    await until('one slot is in use', () => listSlots(store, 'staging').filter(isInUse).length === 1)
    const slot = listSlots(store, 'staging').find(isInUse)
    if (slot?.id !== readPointer(store, 'staging')?.active?.slot) return 'the slot in use is not the one that serves'
    const holder = livingHolder(store, 'staging', new Date())
    return holder ? `the lock is still held by ${holder.who}` : null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function figuresOf({ rounds, notOne, ...counts }: Counts): Figure[] {
  const all = [...rounds].reduce((sum, [name, n]) => sum + (name === fenceTried ? 0 : n), 0)
  const tried = rounds.get(fenceTried) ?? 0
  const none = { target: { atMost: 0 } }
  return [
    ...['two deploys', 'three deployers of one deployment'].map((name) => ({
      figure: `${name}: rounds in which not exactly one ran`,
      value: notOne.get(name) ?? 0,
      unit: 'count',
      n: rounds.get(name) ?? 0,
      ...none,
    })),
    ...['deploy and rollback', 'deploy and maintenance'].map((name) => ({
      figure: `${name}: rounds`,
      value: rounds.get(name) ?? 0,
      unit: 'count',
      n: rounds.get(name) ?? 0,
    })),
    { figure: 'rounds in which two worked at the same time', value: counts.overlaps, unit: 'count', n: all, ...none },
    {
      figure: 'rounds after which front, store and processes disagreed',
      value: counts.disagreements,
      unit: 'count',
      n: all,
      ...none,
    },
    ...(counts.freedMs.length === 0
      ? []
      : [
          {
            figure: 'kill -9 of a deployer until the lock is free, median',
            value: quantile(counts.freedMs, 0.5) / 1000,
            unit: 's',
            n: counts.freedMs.length,
          },
          {
            figure: 'kill -9 of a deployer until the lock is free, worst',
            value: Math.max(...counts.freedMs) / 1000,
            unit: 's',
            n: counts.freedMs.length,
            target: { atMost: 30 },
          },
          {
            figure: 'the same for another machine (time to live left at the kill), worst',
            value: Math.max(...counts.leftMs) / 1000,
            unit: 's',
            n: counts.leftMs.length,
            target: { atMost: 30 },
          },
        ]),
    {
      figure: 'overtaken deployers that were refused',
      value: counts.fenced,
      unit: 'count',
      n: tried,
      target: { atLeast: tried },
    },
    {
      figure: 'overtaken deployers that changed something',
      value: counts.wroteAfterFence,
      unit: 'count',
      n: tried,
      ...none,
    },
  ]
}
