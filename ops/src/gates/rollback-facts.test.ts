import { type TestDatabase, testDatabase } from '@dam/platform/testing/database'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PlanOptions } from '../deployments/plan-rollback.ts'
import type { ReleaseCondition } from '../releases/release-condition.ts'
import type { ReleaseMigration } from '../releases/release.ts'
import { readRollbackFacts } from './rollback-facts.ts'
import { insertRelease, scratchGates, scratchRelease } from './testing/scratch-gates.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase({ empty: true })
})
afterAll(() => database[Symbol.asyncDispose]())

const migration = (number: number, previousReleaseRuns = true): ReleaseMigration => ({
  app: 'backend',
  number,
  name: 'step',
  checksum: String(number),
  previousReleaseRuns,
  reason: previousReleaseRuns ? 'only adds' : 'drops a column',
})

const before = scratchRelease({ tag: 'v1.0.0', digest: 'e'.repeat(64) })
before.manifest.migrations = [migration(1)]

/** v1.0.0 serves; v1.1.0, which brings `added`, is to be deployed. */
function setting(added: ReleaseMigration[]) {
  const scratch = scratchGates()
  insertRelease(scratch.store, before)
  scratch.release.manifest.migrations = [migration(1), ...added]
  const { digest, manifest } = scratch.release
  scratch.store.run('update release set manifest = ? where digest = ?', JSON.stringify(manifest), digest)
  scratch.store.run(
    `insert into slot (id, environment, digest, tag, release_dir, port, desired_web, desired_worker, fencing_token, created_at)
     values ('production-1', 'production', ?, 'v1.0.0', '', 18200, 'running', 'running', 1, '')`,
    before.digest,
  )
  scratch.store.run(
    `insert into pointer (environment, pointer, fencing_token, at) values ('production', ?, 1, '')`,
    JSON.stringify({ active: { slot: 'production-1', tag: before.tag, port: 18_200 } }),
  )
  return scratch
}
const whole: ReleaseCondition = { artifactProblem: null, intactFolder: '/somewhere' }
const read = (
  { store, release }: Pick<ReturnType<typeof scratchGates>, 'store' | 'release'>,
  condition = whole,
  more: Partial<PlanOptions> = {},
) =>
  readRollbackFacts(
    {
      store,
      environment: 'production',
      databaseUrl: database.connectionString,
      latestBackup: undefined,
      conditionOf: () => Promise.resolve(condition),
      withinMs: 900_000,
      ...more,
    },
    release,
  )

describe('going back from a release that is to be deployed', () => {
  it('leads to what serves now, by starting it: nothing is warm any more after the bake', async () => {
    using scratch = setting([])
    expect(await read(scratch)).toEqual({
      state: 'planned',
      target: { tag: 'v1.0.0', digest: before.digest },
      artifactProblem: null,
      schema: null,
      predictedMinutes: 0.5,
      predictedFrom: 'assumed: none was measured here yet',
    })
  })

  it('takes longer when the target has to be installed first, and is no plan when its artifact is gone', async () => {
    using scratch = setting([])
    expect(await read(scratch, { ...whole, intactFolder: null })).toMatchObject({ predictedMinutes: 1.5 })
    const gone = { artifactProblem: 'artifact.tar.gz is missing', intactFolder: null }
    expect(await read(scratch, gone)).toMatchObject({
      artifactProblem: 'artifact.tar.gz is missing',
      predictedMinutes: null,
    })
  })

  it('needs no step where the migrations promise it, and the exact step where one does not', async () => {
    using kept = setting([migration(2)])
    expect(await read(kept)).toMatchObject({ schema: null })
    using undone = setting([migration(2), migration(3, false)])
    expect(await read(undone)).toMatchObject({
      schema: { downSteps: ['./dam migrate backend 0002 --environment production'] },
      predictedMinutes: 3,
    })
  })

  it('has no way down when the two disagree on a migration', async () => {
    using scratch = setting([])
    scratch.release.manifest.migrations = [{ ...migration(1), checksum: 'other' }]
    expect(await read(scratch)).toMatchObject({ schema: { downSteps: null }, predictedMinutes: null })
  })

  it('is predicted from the longest that the same rung has taken here', async () => {
    using scratch = setting([])
    for (const restoreSeconds of [90, 300]) {
      scratch.store.run(
        `insert into deployment (kind, environment, digest, state, requested_by, requested_at, updated_at, ended_at, data)
         values ('rollback', 'production', ?, 'verified', 'bo', '', '', 'ended', ?)`,
        scratch.release.digest,
        JSON.stringify({ rung: 'start', restoreSeconds }),
      )
    }
    expect(await read(scratch)).toMatchObject({ predictedMinutes: 5, predictedFrom: 'longest of 2 measured here' })
  })

  it('is unknown while the database does not run', async () => {
    using scratch = setting([])
    expect(await read(scratch, whole, { databaseUrl: null })).toMatchObject({ state: 'unknown' })
  })

  it('is the maintenance page where nothing serves, also after a first release was rolled back', async () => {
    using scratch = scratchGates()
    expect(await read(scratch)).toEqual({ state: 'first-release' })
    scratch.store.run(
      `insert into deployment (kind, environment, digest, state, requested_by, requested_at, updated_at, ended_at)
       values ('deploy', 'production', ?, 'verified', 'bo', '', '', 'ended')`,
      scratch.release.digest,
    )
    const next = scratchRelease({ tag: 'v1.2.0', digest: 'f'.repeat(64) })
    insertRelease(scratch.store, next)
    expect(await read({ store: scratch.store, release: next })).toEqual({ state: 'first-release' })
  })
})
