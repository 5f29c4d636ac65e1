import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { listIncidents } from '../incidents/incident-store.ts'
import { createFrontClient } from '../front/front-client.ts'
import { listOutbox } from '../notify/outbox-store.ts'
import { findReleaseByTag } from '../releases/release-store.ts'
import { type Faults, installMiniature } from '../testing/miniature-release.ts'
import { quickPolicy, scratchDeployer } from '../testing/scratch-deployer.ts'
import { type ScratchHost, scratchHost, until } from '../testing/scratch-host.ts'
import type { DeployerDeps } from './deployer-deps.ts'
import type { DeployPolicy } from './deploy-policy.ts'
import { listDeploymentEvents } from './deployment-store.ts'
import { liftFreeze, readFreeze } from './freeze-store.ts'
import { readPointer } from './pointer-store.ts'
import { decideWaiting, liftQuarantine, requestDeploy, requestRollback } from './request-deployment.ts'
import { runDeployment } from './run-deployment.ts'
import { isInUse, listSlots } from './slot-store.ts'

let database: TestDatabase
// The shared server ends when nobody has been connected for a while; deployers are only now and then.
let held: pg.Client
let host: ScratchHost
beforeAll(async () => {
  database = await testDatabase({ empty: true })
  held = new pg.Client({ connectionString: database.connectionString })
  held.on('error', () => undefined)
  await held.connect()
})
afterAll(async () => {
  await held.end()
  await database[Symbol.asyncDispose]()
})
beforeEach(async () => {
  host = await scratchHost({ databaseUrl: database.connectionString })
  host.startKeeper()
})
afterEach(() => host[Symbol.asyncDispose]())

const deployer = (options: Partial<Parameters<typeof scratchDeployer>[2]> = {}): DeployerDeps =>
  scratchDeployer(host.hostDir, host.store, { databaseUrl: database.connectionString, ...options })

async function deploy(tag: string, faults: Faults = {}, policy?: DeployPolicy) {
  if (!findReleaseByTag(host.store, tag)) installMiniature(host.hostDir, host.store, { tag, faults })
  const deps = deployer(policy ? { policy } : {})
  return runDeployment(deps, requestDeploy(deps, tag).id)
}

/** A release that serves, whatever the judge made of its short bake on a busy machine. */
async function serving(tag: string): Promise<void> {
  const { id, state } = await deploy(tag)
  if (state !== 'waiting-for-person') return
  const deps = deployer()
  decideWaiting(deps, { kind: 'accept', reason: 'not what is tried here', bakeMs: 0 })
  await runDeployment(deps, id)
}

/** People's requests through the front, all along; counts what they saw. */
function traffic(perSecond = 40) {
  const seen = { total: 0, failed: 0, byTag: new Map<string, number>() }
  const stopped = new AbortController()
  const one = async (i: number): Promise<void> => {
    const response = await fetch(`${host.publicUrl}/api/assets?${i}`, { signal: AbortSignal.timeout(5_000) }).catch(
      () => null,
    )
    await response?.body?.cancel()
    seen.total++
    if (!response?.ok) seen.failed++
    const tag = response?.headers.get('x-served-by') ?? 'nobody'
    seen.byTag.set(tag, (seen.byTag.get(tag) ?? 0) + 1)
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
    seen,
    stop: async () => {
      stopped.abort()
      await done
      return seen
    },
  }
}

const served = async (): Promise<string | null> => {
  const response = await fetch(`${host.publicUrl}/api/x`).catch(() => null)
  await response?.body?.cancel()
  return response?.headers.get('x-served-by') ?? null
}
const inUse = () => listSlots(host.store, 'staging').filter(isInUse)
const allStopped = (tag: string) =>
  until(`${tag} has stopped`, () =>
    listSlots(host.store, 'staging')
      .filter((slot) => slot.tag === tag)
      .every((slot) => !isInUse(slot)),
  )
const frontPointer = async () =>
  (await createFrontClient(`${host.hostDir}/environments/staging/run/front.sock`).status()).pointer

describe('a good release', () => {
  test('gets the traffic without a failed request, is baked beside the old one and stays', async () => {
    expect(await deploy('v1.0.0')).toMatchObject({ state: 'good', previousTag: null })
    const people = traffic()
    const second = await deploy('v1.1.0')
    const { failed, byTag } = await people.stop()
    expect(second).toMatchObject({ state: 'good', previousTag: 'v1.0.0' })
    expect(failed).toBe(0)
    expect([...byTag.keys()].toSorted()).toEqual(['v1.0.0', 'v1.1.0'])
    expect(await served()).toBe('v1.1.0')
    await allStopped('v1.0.0')
    expect(inUse()).toHaveLength(1)
    expect(inUse()[0]?.observed?.worker.state).toMatch(/starting|running/)
    expect(await frontPointer()).toEqual(readPointer(host.store, 'staging'))
    expect(findReleaseByTag(host.store, 'v1.1.0')?.verdict).toBe('good')
    const steps = listDeploymentEvents(host.store, second.id).filter(
      ({ status }) => status === 'done' || status === 'skipped',
    )
    expect(steps.map(({ state }) => state)).toEqual([
      'requested',
      'gated',
      'locked',
      'backed-up',
      'migrated',
      'started',
      'warm',
      'cut-over',
      'baking',
      'baking',
      'good',
    ])
    const events = listOutbox(host.store, { subject: `deployment:${second.id}`, limit: 9 }).map(
      ({ message }) => message.event,
    )
    expect(events.toSorted()).toEqual(['deployment-started', 'deployment-succeeded'])
  })

  test('with closed gates does not start, and says how to open them', async () => {
    installMiniature(host.hostDir, host.store, { tag: 'v1.0.0' })
    const deps = deployer({ gates: { security: 'unknown', performance: 'fail', backup: 'stale' } })
    const deployment = await runDeployment(deps, requestDeploy(deps, 'v1.0.0').id)
    expect(deployment).toMatchObject({
      state: 'failed',
      because: expect.stringContaining('Security scan passed: unknown'),
    })
    expect(deployment.because).not.toContain('Performance')
    expect(inUse()).toEqual([])
  })

  test('that nobody visits is tried by us, and good', async () => {
    const policy = { ...quickPolicy(1_500) }
    const { state, data } = await deploy('v1.0.0', {}, policy)
    expect(state).toBe('good')
    expect(data.isExtended).toBe(true)
  })
})

describe('a release that is bad before it has traffic', () => {
  test.each<[string, Faults, string]>([
    ['crashes at boot', { crashAtBoot: true }, 'flux-capacitor'],
    ['is never ready', { readiness: 'failing' }, '/readyz answered 503'],
    ['hangs', { readiness: 'hanging' }, 'did not answer within 1 s'],
    ['is another version', { wrongTag: 'v9.9.9' }, 'says it is v9.9.9'],
    ['fails its warm-up', { errorRate: 1 }, 'warm-up journey failed'],
  ])('that %s never sees a user', async (_, faults, words) => {
    await serving('v1.0.0')
    const people = traffic(20)
    const policy = { ...quickPolicy(), ready: { times: 3, everyMs: 50, withinMs: 6_000 } }
    const deployment = await deploy('v1.1.0', faults, policy)
    const { failed, byTag } = await people.stop()
    expect(deployment).toMatchObject({ state: 'failed', because: expect.stringContaining(words) })
    expect(failed).toBe(0)
    expect([...byTag.keys()]).toEqual(['v1.0.0'])
    await allStopped('v1.1.0')
    expect(inUse()).toHaveLength(1)
  })
})

describe('a release that turns out bad', () => {
  test('is rolled back at once, quarantined, and leaves an incident that explains it', async () => {
    await serving('v1.0.0')
    const people = traffic(60)
    const deployment = await deploy(
      'v1.1.0',
      { errorRate: 0.5, errorRoute: '/api/assets', afterSeconds: 3 },
      quickPolicy(30_000),
    )
    await people.stop()
    expect(deployment).toMatchObject({ state: 'verified', data: { rollback: { trigger: 'error-rate' } } })
    const { detectedAt = '', decidedAt = '', restoredAt = '', verifiedAt = '' } = deployment.data.stamps ?? {}
    expect([detectedAt, decidedAt, restoredAt, verifiedAt]).toEqual(
      [detectedAt, decidedAt, restoredAt, verifiedAt].toSorted(),
    )
    expect(verifiedAt).not.toBe('')
    expect(await served()).toBe('v1.0.0')
    expect(await frontPointer()).toEqual(readPointer(host.store, 'staging'))
    expect(findReleaseByTag(host.store, 'v1.1.0')?.verdict).toBe('quarantined')
    await allStopped('v1.1.0')
    const [incident] = listIncidents(host.store, { state: 'unresolved', limit: 1 })
    expect(incident).toMatchObject({ severity: 'P1', deploymentId: deployment.id })
    expect(incident?.evidence).toMatchObject({
      deployment: { by: 'anna', tag: 'v1.1.0', previous: 'v1.0.0' },
      onCall: 'anna',
      outcomes: { badRequests: expect.arrayContaining([expect.objectContaining({ tag: 'v1.1.0', status: 500 })]) },
      logs: {
        slots: {
          [deployment.data.newSlot ?? '']: expect.stringContaining('v1.1.0'),
          [deployment.data.oldSlot ?? '']: expect.stringContaining('v1.0.0'),
        },
      },
    })
    const deps = deployer()
    expect(() => requestDeploy(deps, 'v1.1.0')).toThrow('quarantined')
    liftQuarantine(host.store, { tag: 'v1.1.0', who: 'otto', reason: 'the fault was ours', now: new Date() })
    expect(requestDeploy(deps, 'v1.1.0').state).toBe('requested')
  })

  test('because its process dies is rolled back, and a second rollback in a day freezes the environment', async () => {
    await serving('v1.0.0')
    for (const tag of ['v1.1.0', 'v1.2.0']) {
      const { data, state } = await deploy(tag, { crashAfterSeconds: 3 }, quickPolicy(30_000))
      expect(data.rollback?.trigger).toBe('health-check')
      expect(state).toBe(tag === 'v1.1.0' ? 'verified' : 'frozen')
    }
    installMiniature(host.hostDir, host.store, { tag: 'v1.3.0' })
    const deps = deployer()
    expect(() => requestDeploy(deps, 'v1.3.0')).toThrow('frozen')
    liftFreeze(host.store, { environment: 'staging', who: 'otto', reason: 'understood', now: new Date() })
    expect(readFreeze(host.store, 'staging')).toBeUndefined()
    expect(requestDeploy(deps, 'v1.3.0').state).toBe('requested')
  })

  test('the very first one gives way to a page that says so', async () => {
    const people = traffic(40)
    const deployment = await deploy('v1.0.0', { errorRate: 1, afterSeconds: 3 }, quickPolicy(30_000))
    await people.stop()
    expect(deployment.state).toBe('verified')
    expect(deployment.data.stamps?.verifiedAt).toBeUndefined()
    expect((await fetch(host.publicUrl)).status).toBe(503)
    expect(listIncidents(host.store, { state: 'unresolved', limit: 9 }).map(({ severity }) => severity)).toContain('P0')
  })
})

describe('a person', () => {
  test('stops a bake: the old release is back', async () => {
    await serving('v1.0.0')
    installMiniature(host.hostDir, host.store, { tag: 'v1.1.0' })
    const deps = deployer({ policy: quickPolicy(60_000) })
    const { id } = requestDeploy(deps, 'v1.1.0')
    const running = runDeployment(deps, id)
    await until('it bakes', async () => (await served()) === 'v1.1.0')
    expect(requestRollback(deployer({ who: 'otto' }), { to: null, because: 'wrong colour' })).toMatchObject({
      kind: 'pre-empts',
    })
    expect(await running).toMatchObject({ state: 'verified', because: 'wrong colour' })
    expect(await served()).toBe('v1.0.0')
    expect(findReleaseByTag(host.store, 'v1.1.0')?.verdict).toBe('bad')
  })

  test('rolls a good release back later, to the one before and to one by name', async () => {
    for (const tag of ['v1.0.0', 'v1.1.0', 'v1.2.0']) await serving(tag)
    const deps = deployer()
    const back = requestRollback(deps, { to: null, because: 'users complain' })
    expect(await runDeployment(deps, back.deployment.id)).toMatchObject({
      kind: 'rollback',
      tag: 'v1.1.0',
      state: 'verified',
    })
    expect(await served()).toBe('v1.1.0')
    await allStopped('v1.2.0')
    const further = requestRollback(deps, { to: 'v1.0.0', because: 'further' })
    await runDeployment(deps, further.deployment.id)
    expect(await served()).toBe('v1.0.0')
    expect(() => requestRollback(deps, { to: 'v1.0.0', because: 'again' })).toThrow('serves already')
    await allStopped('v1.1.0')
    expect(inUse()).toHaveLength(1)
  })

  test('is asked when nothing can be said, and decides', async () => {
    await serving('v1.0.0')
    installMiniature(host.hostDir, host.store, { tag: 'v1.1.0' })
    const deps = { ...deployer({ policy: quickPolicy(1_000) }), topUp: () => Promise.resolve() }
    const { id } = requestDeploy(deps, 'v1.1.0')
    expect((await runDeployment(deps, id)).state).toBe('waiting-for-person')
    expect(() => requestDeploy(deps, 'v1.0.0')).toThrow('waits for a person')
    decideWaiting(deps, { kind: 'accept', reason: 'tried it myself', bakeMs: 0 })
    expect(await runDeployment(deps, id)).toMatchObject({ state: 'good', because: 'accepted by anna: tried it myself' })
  })
})

test('a release with which people are content but the smoke journey is not waits for a person', async () => {
  await serving('v1.0.0')
  installMiniature(host.hostDir, host.store, { tag: 'v1.1.0' })
  let journeys = 0
  const verify = () => {
    journeys++
    const evidence = 'search: found nothing'
    return Promise.resolve([{ item: 'smoke', title: 'Smoke tests pass', state: 'fail' as const, evidence }])
  }
  const deps = { ...deployer(), verify }
  const { id } = requestDeploy(deps, 'v1.1.0')
  expect(await runDeployment(deps, id)).toMatchObject({
    state: 'waiting-for-person',
    because: 'Smoke tests pass: no. search: found nothing',
  })
  expect(journeys).toBe(3)
  expect(await served()).toBe('v1.1.0')
})

test('of two deployments at once exactly one runs, and the other is told who holds the environment', async () => {
  installMiniature(host.hostDir, host.store, { tag: 'v1.0.0' })
  installMiniature(host.hostDir, host.store, { tag: 'v1.1.0' })
  const [anna, otto] = [deployer(), deployer({ who: 'otto' })]
  const first = requestDeploy(anna, 'v1.0.0')
  const running = runDeployment(anna, first.id)
  expect(() => requestDeploy(otto, 'v1.1.0')).toThrow(/staging is locked by anna .* deploys v1\.0\.0 since/)
  await expect(runDeployment(otto, first.id)).rejects.toThrow('staging is locked: anna')
  expect((await running).state).toBe('good')
})
