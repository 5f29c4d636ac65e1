import { setTimeout as sleep } from 'node:timers/promises'
import { openDeployment } from '@dam/ops/src/deployments/deployment-store.ts'
import { liftFreeze } from '@dam/ops/src/deployments/freeze-store.ts'
import { readPointer } from '@dam/ops/src/deployments/pointer-store.ts'
import { decideWaiting, requestDeploy, requestRollback } from '@dam/ops/src/deployments/request-deployment.ts'
import { runDeployment } from '@dam/ops/src/deployments/run-deployment.ts'
import { findSlot } from '@dam/ops/src/deployments/slot-store.ts'
import { nextLookAfterMs } from '@dam/ops/src/judge/bake-policy.ts'
import { type Faults, installMiniature, setFaults } from '@dam/ops/src/testing/miniature-release.ts'
import { quickPolicy, scratchDeployer } from '@dam/ops/src/testing/scratch-deployer.ts'
import type { ScratchHost } from '@dam/ops/src/testing/scratch-host.ts'
import type { BreakableDatabase } from './breakable-database.ts'
import type { Kind } from './kinds.ts'
import { startPeople } from './people.ts'

export type Round = {
  isRolledBack: boolean
  /** From the first bad answer of the new release, or its death. */
  detectMs: number | null
  /** From the decision. */
  restoreMs: number | null
  errors: number
  requests: number
  incidents: number
  /** What was said of it in the end. */
  because: string
}

/** Of people; the rest of them stays on the old release. */
const onNewReleasePerSecond = 10
const databaseFailsAfterSeconds = 10

export type Lane = { host: ScratchHost; database: BreakableDatabase; nextVersion: number }

/** One deployment under load, and what people saw of it. Leaves a healthy release that serves. Throws when it could not be measured. */
export async function playRound(lane: Lane, kind: Kind): Promise<Round> {
  const { host, database } = lane
  const { store } = host
  const policy = {
    ...quickPolicy(kind.bakeSeconds * 1_000),
    nextLookAfterMs,
    ready: { times: 3, everyMs: 250, withinMs: 15_000 },
  }
  const isLate = kind.from === 'cut-over'
  const release = install(lane, isLate ? {} : kind.faults)
  const before = readPointer(store, 'staging')?.active
  const oldFolder = before && findSlot(store, before.slot)?.releaseDir
  if (kind.faults.needsDatabase && oldFolder) setFaults(oldFolder, kind.faults)
  // What is open still takes in what has the same cause.
  store.run(
    `update incident set state = 'resolved', resolved_at = ? where state <> 'resolved'`,
    new Date().toISOString(),
  )
  const firstIncident = newestIncident(host)
  let isServing = false
  const deps = scratchDeployer(host.hostDir, store, {
    databaseUrl: database.connectionString,
    policy,
    onProgress: ({ step, status }) => {
      if (isServing || step !== 'bake' || status !== 'started') return
      isServing = true
      if (isLate) setFaults(release.releaseDir, kind.faults)
      if (kind.databaseDownSeconds) void failFor(database, kind.databaseDownSeconds)
    },
  })
  const people = startPeople(host.publicUrl, onNewReleasePerSecond / (1 - policy.controlSharePercent / 100))
  const { data, state, id, because } = await runDeployment(deps, requestDeploy(deps, release.tag).id)
  const { requests, failures } = await people.stop()
  if (state === 'waiting-for-person') {
    requestRollback(deps, { to: null, because: 'nothing was decided' })
    await runDeployment(deps, id)
  }
  liftFreeze(store, { environment: 'staging', who: 'bench', reason: 'the next round', now: new Date() })
  if (kind.expected !== 'never-served' && (!isServing || state === 'failed'))
    throw new Error(`ended as ${state} before it had traffic: ${because}`)
  const crashes = data.newSlot === undefined ? [] : crashesOf(host, data.newSlot)
  const isRolledBack =
    state !== 'waiting-for-person' &&
    data.rollback !== undefined &&
    readPointer(store, 'staging')?.active?.tag === before?.tag
  const firstBad = Math.min(
    ...failures.filter(({ tag }) => tag === release.tag || tag === null).map(({ at }) => at),
    ...crashes,
  )
  const decidedAt = Date.parse(data.stamps?.decidedAt ?? '')
  const incidents = newestIncident(host) - firstIncident
  if (kind.faults.needsDatabase && oldFolder) setFaults(oldFolder, {})
  // What serves beside the next one must be healthy.
  if (state === 'good' && Object.keys(kind.faults).length > 0) setFaults(release.releaseDir, {})
  return {
    isRolledBack,
    detectMs: isRolledBack && Number.isFinite(firstBad) ? Math.max(0, decidedAt - firstBad) : null,
    restoreMs: isRolledBack && data.restoreSeconds !== undefined ? data.restoreSeconds * 1000 : null,
    errors: failures.length,
    requests,
    incidents,
    because: `${state}: ${because}`,
  }
}

/** The first release of a lane; nobody is there to judge it. */
export async function serveFirst(lane: Lane): Promise<void> {
  const { host, database } = lane
  const { tag } = install(lane, {})
  const deps = scratchDeployer(host.hostDir, host.store, {
    databaseUrl: database.connectionString,
    // All lanes start at about the same time.
    policy: { ...quickPolicy(1_000), ready: { times: 3, everyMs: 250, withinMs: 90_000 } },
  })
  const { id, state, because } = await runDeployment(deps, requestDeploy(deps, tag).id)
  if (state === 'good') return
  if (state !== 'waiting-for-person') throw new Error(`The first release ended as ${state}: ${because}`)
  decideWaiting(deps, { kind: 'accept', reason: 'serves the bench', bakeMs: 0 })
  await runDeployment(deps, id)
}

/** A round that broke off leaves a deployment that has not ended; it is taken back, so that the next one can begin. */
export async function settle({ host, database }: Lane): Promise<void> {
  await database.open()
  const open = openDeployment(host.store, 'staging')
  if (!open) return
  const deps = scratchDeployer(host.hostDir, host.store, {
    databaseUrl: database.connectionString,
    policy: quickPolicy(1_000),
  })
  requestRollback(deps, { to: null, because: 'the round broke off' })
  await runDeployment(deps, open.id)
}

const install = (lane: Lane, faults: Faults) =>
  installMiniature(lane.host.hostDir, lane.host.store, { tag: `v1.${lane.nextVersion++}.0`, faults })

async function failFor(database: BreakableDatabase, seconds: number): Promise<void> {
  await sleep(databaseFailsAfterSeconds * 1_000)
  await database.close()
  await sleep(seconds * 1_000)
  await database.open()
}

const newestIncident = ({ store }: ScratchHost): number =>
  store.row<{ n: number }>(`select count(*) as n from incident where severity = 'P0'`)?.n ?? 0

const crashesOf = ({ store }: ScratchHost, slot: string): number[] => {
  const observed = findSlot(store, slot)?.observed
  return [...(observed?.web.crashedAt ?? []), ...(observed?.worker.crashedAt ?? [])].map((at) => Date.parse(at))
}
