import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFrontClient } from '../front/front-client.ts'
import { type Faults, installMiniature } from '../testing/miniature-release.ts'
import { scratchDeployer } from '../testing/scratch-deployer.ts'
import { processesOf, type ScratchHost, scratchHost, until } from '../testing/scratch-host.ts'
import { findDeployment } from './deployment-store.ts'
import { liftFreeze } from './freeze-store.ts'
import { livingHolder } from './lease-store.ts'
import { readPointer } from './pointer-store.ts'
import { requestDeploy } from './request-deployment.ts'
import { findSlot, isInUse, listSlots } from './slot-store.ts'

const deployerMain = fileURLToPath(new URL('../testing/miniature-deployer-main.ts', import.meta.url))
let database: TestDatabase
// The shared server ends when nobody has been connected for a while; deployers are only now and then.
let held: pg.Client
let host: ScratchHost
beforeAll(async () => {
  database = await testDatabase({ empty: true })
  held = new pg.Client({ connectionString: database.connectionString })
  held.on('error', () => undefined)
  await held.connect()
  host = await scratchHost({ databaseUrl: database.connectionString })
  host.startKeeper()
  const deps = scratchDeployer(host.hostDir, host.store, { databaseUrl: database.connectionString })
  await ended(driver(requestDeploy(deps, nextRelease().tag).id))
})
afterAll(async () => {
  await host[Symbol.asyncDispose]()
  await held.end()
  await database[Symbol.asyncDispose]()
})

const driver = (id: number, dieAt = 0, bakeMs = 800): ChildProcess =>
  spawn(
    process.execPath,
    [deployerMain, host.hostDir, database.connectionString, String(id), String(dieAt), String(bakeMs)],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
const ended = (child: ChildProcess): Promise<NodeJS.Signals | number | null> =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))

/** Everything that must be true whatever was killed: one truth, one release, nothing left over. */
async function expectOneTruth(): Promise<void> {
  const pointer = readPointer(host.store, 'staging')
  const front = createFrontClient(`${host.hostDir}/environments/staging/run/front.sock`)
  await until(
    'the front agrees with the store',
    async () => (await front.status()).pointer.fencingToken === pointer?.fencingToken,
  )
  expect((await front.status()).pointer).toEqual(pointer)
  await until('one slot is in use', () => listSlots(host.store, 'staging').filter(isInUse).length === 1)
  const [slot] = listSlots(host.store, 'staging').filter(isInUse)
  expect(slot?.id).toBe(pointer?.active?.slot)
  await until('its worker runs', () => findSlot(host.store, slot?.id ?? '')?.observed?.worker.pid)
  // Web and worker: nothing is left of other slots.
  await until('no process is left over', () => processesOf(host.hostDir).length === 2, 10_000)
  expect(livingHolder(host.store, 'staging', new Date())).toBeNull()
}

let version = 0
function nextRelease(faults: Faults = {}) {
  version++
  return installMiniature(host.hostDir, host.store, { tag: `v1.${version}.0`, faults })
}

describe('a deployer that is killed', () => {
  test('at any boundary of a step leaves a deployment that is finished, one truth and no orphan', async () => {
    const deps = scratchDeployer(host.hostDir, host.store, { databaseUrl: database.connectionString })
    let deaths = 0
    for (let dieAt = 1; ; dieAt++) {
      const { tag } = nextRelease()
      const { id } = requestDeploy(deps, tag)
      const how = await ended(driver(id, dieAt))
      if (how === 'SIGKILL') {
        deaths++
        // At once: the lease of a process of this machine that is dead is free.
        expect(await ended(driver(id))).toBe(0)
      }
      expect(findDeployment(host.store, id)).toMatchObject({ state: 'good', tag })
      await expectOneTruth()
      if (how !== 'SIGKILL') break
    }
    // Started and done of ten steps.
    expect(deaths).toBe(20)
  }, 600_000)

  test('does not change the length of the bake that was asked for', async () => {
    const deps = scratchDeployer(host.hostDir, host.store, { databaseUrl: database.connectionString })
    const { tag } = nextRelease()
    const { id } = requestDeploy(deps, tag, { bakeMs: 900 })
    // Before the cut-over, and taken up by one whose own bake would take ten minutes, until it bakes.
    expect(await ended(driver(id, 3))).toBe('SIGKILL')
    expect(await ended(driver(id, 15, 600_000))).toBe('SIGKILL')
    const { cutOverAt = '', bakeEndsAt = '' } = findDeployment(host.store, id)?.data ?? {}
    expect(Date.parse(bakeEndsAt) - Date.parse(cutOverAt)).toBe(900)
    expect(await ended(driver(id))).toBe(0)
    expect(findDeployment(host.store, id)?.state).toBe('good')
  })

  test('while it takes a bad release back leaves it taken back', async () => {
    const deps = scratchDeployer(host.hostDir, host.store, { databaseUrl: database.connectionString })
    const before = readPointer(host.store, 'staging')?.active?.tag
    for (const dieAt of [17, 18, 19, 20, 21, 22]) {
      const { tag } = nextRelease({ crashAfterSeconds: 4 })
      const { id } = requestDeploy(deps, tag)
      const how = await ended(driver(id, dieAt, 30_000))
      if (how === 'SIGKILL') expect(await ended(driver(id, 0, 30_000))).toBe(0)
      expect(['verified', 'frozen', 'failed']).toContain(findDeployment(host.store, id)?.state)
      expect(readPointer(host.store, 'staging')?.active?.tag).toBe(before)
      await expectOneTruth()
      liftFreeze(host.store, { environment: 'staging', who: 'test', reason: 'the next round', now: new Date() })
    }
  }, 300_000)

  test('at any moment in the middle of steps is the same', async () => {
    const deps = scratchDeployer(host.hostDir, host.store, { databaseUrl: database.connectionString })
    for (const afterMs of [150, 400, 700, 1_000, 1_300, 1_700, 2_200, 2_800]) {
      const { tag } = nextRelease()
      const { id } = requestDeploy(deps, tag)
      const first = driver(id)
      const over = ended(first)
      await Promise.race([sleep(afterMs), over])
      first.kill('SIGKILL')
      await over
      if (findDeployment(host.store, id)?.endedAt === null) expect(await ended(driver(id))).toBe(0)
      expect(findDeployment(host.store, id)).toMatchObject({ state: 'good' })
      await expectOneTruth()
    }
  }, 300_000)
})

test('two deployers of one deployment: the second is refused while the first lives, and the lease never has two holders', async () => {
  const deps = scratchDeployer(host.hostDir, host.store, { databaseUrl: database.connectionString })
  const { tag } = nextRelease()
  const { id } = requestDeploy(deps, tag)
  const results = await Promise.all([driver(id), driver(id), driver(id)].map(ended))
  expect(results.filter((code) => code === 0)).toHaveLength(1)
  expect(findDeployment(host.store, id)?.state).toBe('good')
  await expectOneTruth()
})
