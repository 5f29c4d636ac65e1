import pg from 'pg'
import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReleaseCondition } from '../releases/release-condition.ts'
import { type Faults, installMiniature } from '../testing/miniature-release.ts'
import { quickPolicy, scratchDeployer } from '../testing/scratch-deployer.ts'
import { type ScratchHost, scratchHost, until } from '../testing/scratch-host.ts'
import type { DeployerDeps } from './deployer-deps.ts'
import { listDeploymentEvents } from './deployment-store.ts'
import { setMaintenancePage } from './maintenance-page.ts'
import { planRollback } from './plan-rollback.ts'
import { decideWaiting, requestDeploy, requestRollback } from './request-deployment.ts'
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
  host = await scratchHost({ databaseUrl: database.connectionString })
  host.startKeeper()
})
afterAll(async () => {
  await host[Symbol.asyncDispose]()
  await held.end()
  await database[Symbol.asyncDispose]()
})

const deployer = (conditionOf?: () => ReleaseCondition): DeployerDeps =>
  scratchDeployer(host.hostDir, host.store, {
    databaseUrl: database.connectionString,
    policy: quickPolicy(500),
    ...(conditionOf ? { conditionOf } : {}),
  })

let version = 0
/** A release that serves, whatever the judge made of its short bake on a busy machine. */
async function serving(faults: Faults = {}): Promise<string> {
  const { tag } = installMiniature(host.hostDir, host.store, { tag: `v1.${++version}.0`, faults })
  const deps = { ...deployer(), topUp: () => Promise.resolve() }
  const { id, state } = await runDeployment(deps, requestDeploy(deps, tag).id)
  if (state === 'waiting-for-person') {
    decideWaiting(deps, { kind: 'accept', reason: 'not what is tried here', bakeMs: 0 })
    await runDeployment(deps, id)
  }
  return tag
}

const served = async (): Promise<string | null> => {
  const response = await fetch(`${host.publicUrl}/api/x`)
  await response.body?.cancel()
  return response.headers.get('x-served-by')
}
const notes = (id: number): string =>
  listDeploymentEvents(host.store, id)
    .map(({ message }) => message)
    .join('\n')

const [unchanged, problem] = ['/unchanged', 'artifact.tar.gz is missing from the store']

describe('the ladder of a rollback', () => {
  test('goes on to the next rung where the artifact is lost but the folder is unchanged, and says so', async () => {
    const [old] = [await serving(), await serving()]
    const deps = deployer(() => ({ artifactProblem: problem, intactFolder: unchanged }))
    const real = deployer()
    const broken = {
      ...deps,
      installRelease: () => Promise.reject(new Error(problem)),
      conditionOf: async (release: Parameters<DeployerDeps['conditionOf']>[0]) => ({
        artifactProblem: problem,
        intactFolder: (await real.conditionOf(release)).intactFolder,
      }),
    }
    const { deployment } = requestRollback(broken, { to: null, because: 'tried' })
    const ended = await runDeployment(broken, deployment.id)
    expect(ended).toMatchObject({ state: 'verified', data: { rung: 'start' } })
    expect(notes(deployment.id)).toMatch(/not by "warm": no process of v1\.1\.0 is warm/)
    expect(notes(deployment.id)).toContain('Starting it from its folder, which is unchanged')
    expect(await served()).toBe(old)
  })

  test('installs from the artifact where the folder was changed', async () => {
    const [old] = [await serving(), await serving()]
    const deps = deployer(() => ({ artifactProblem: null, intactFolder: null }))
    const { deployment } = requestRollback(deps, { to: old, because: 'tried' })
    expect(await runDeployment(deps, deployment.id)).toMatchObject({ state: 'verified', data: { rung: 'install' } })
    expect(notes(deployment.id)).toMatch(/not by "start": .* is not installed, or files of it were changed/)
    expect(await served()).toBe(old)
  })

  test('ends with what is left for a person where neither is there; what serves goes on', async () => {
    const old = await serving()
    const now = await serving()
    const deps = deployer(() => ({ artifactProblem: problem, intactFolder: null }))
    const { deployment } = requestRollback(deps, { to: old, because: 'tried' })
    const ended = await runDeployment(deps, deployment.id)
    expect(ended.state).toBe('failed')
    expect(ended.because).toContain(problem)
    expect(ended.because).toContain('./dam rollback staging --rung maintenance-page')
    expect(ended.because).toContain(`./dam rollback staging --to ${old} --rung rebuild`)
    expect(await served()).toBe(now)
  })

  test('takes the one a person names, or says why that is not possible', async () => {
    const old = await serving()
    await serving()
    const deps = deployer()
    for (const [rung, words] of [
      ['warm', 'no process of'],
      ['down', 'nothing has to be undone'],
    ] as const) {
      const refused = requestRollback(deps, { to: old, because: 'tried', rung })
      const { state, because } = await runDeployment(deps, refused.deployment.id)
      expect([state, because]).toEqual(['failed', expect.stringContaining(words)])
    }
    const forced = requestRollback(deps, { to: old, because: 'tried', rung: 'install' })
    expect(await runDeployment(deps, forced.deployment.id)).toMatchObject({
      state: 'verified',
      data: { rung: 'install' },
    })
  })

  test('goes back to a release by name, however old, and never back from a rollback by itself', async () => {
    const [first] = [await serving(), await serving()]
    const deps = deployer()
    const back = requestRollback(deps, { to: first, because: 'tried' })
    const { state, data } = await runDeployment(deps, back.deployment.id)
    expect([state, data.rollback?.trigger]).toEqual(['verified', 'person'])
    expect(await served()).toBe(first)
    await until('one slot is left', () => listSlots(host.store, 'staging').filter(isInUse).length === 1)
    expect(() => requestRollback(deps, { to: first, because: 'again' })).toThrow('serves already')
  })

  test('has every rung in its plan, with its minutes, its losses and its command', async () => {
    await serving()
    const deps = deployer()
    const { rungs } = await planRollback({
      ...deps,
      environment: 'staging',
      to: null,
      databaseUrl: database.connectionString,
      latestBackup: undefined,
      withinMs: 900_000,
    })
    expect(rungs.map(({ name, isPossible }) => [name, isPossible])).toEqual([
      ['flag', false],
      ['warm', false],
      ['start', true],
      ['install', true],
      ['down', false],
      ['restore', false],
      ['maintenance-page', true],
      ['rebuild', true],
    ])
    for (const { isPossible, predicted, command } of rungs) {
      if (isPossible)
        expect([predicted?.seconds, command]).toEqual([expect.any(Number), expect.stringMatching(/^\.\/dam /)])
    }
  })
})

test('the maintenance page is shown with its reason, taken away again, and both are on record', async () => {
  const tag = await serving()
  const deps = deployer()
  await setMaintenancePage(deps, { reason: 'the disk is full' })
  const shown = await fetch(`${host.publicUrl}/api/x`)
  expect(shown.status).toBe(503)
  expect(await shown.text()).toContain('the disk is full')
  await setMaintenancePage(deps, { reason: null })
  expect(await served()).toBe(tag)
  await expect(setMaintenancePage(deps, { reason: null })).rejects.toThrow('does not show the maintenance page')
  const actions = host.store.rows<{ action: string }>(
    `select action from audit where action like 'maintenance-page%' order by id`,
  )
  expect(actions.map(({ action }) => action)).toEqual(['maintenance-page.on', 'maintenance-page.off'])
})
