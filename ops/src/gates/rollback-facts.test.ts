import { describe, expect, it } from 'vitest'
import type { ReleaseMigration } from '../releases/release.ts'
import { readRollbackFacts } from './rollback-facts.ts'
import { insertRelease, scratchGates, scratchRelease } from './testing/scratch-gates.ts'

const migration = (number: number, previousReleaseRuns = true): ReleaseMigration => ({
  app: 'backend',
  number,
  name: 'step',
  checksum: String(number),
  previousReleaseRuns,
  reason: previousReleaseRuns ? 'only adds' : 'drops a column',
})

function setting(added: ReleaseMigration[]) {
  const scratch = scratchGates()
  const before = scratchRelease({ tag: 'v1.0.0', digest: 'e'.repeat(64) })
  before.manifest.migrations = [migration(1)]
  insertRelease(scratch.store, before)
  scratch.release.manifest.migrations = [migration(1), ...added]
  scratch.store.run(
    `insert into pointer (environment, pointer, fencing_token, at) values ('production', ?, 1, '')`,
    JSON.stringify({ active: { tag: before.tag } }),
  )
  return scratch
}
const read = ({ store, release }: ReturnType<typeof scratchGates>) =>
  readRollbackFacts(store, '/nonexistent/host', 'production', release)

describe('going back from a release', () => {
  it('leads to what serves now, and says when its artifact is not there', async () => {
    using scratch = setting([])
    expect(await read(scratch)).toMatchObject({
      state: 'planned',
      target: { tag: 'v1.0.0' },
      artifactProblem: expect.stringContaining('is missing from the store') as string,
      schema: null,
      predictedFrom: 'assumed: none was measured here yet',
    })
  })

  it('needs no step where the migrations promise it, and the exact step where one does not', async () => {
    using kept = setting([migration(2)])
    expect(await read(kept)).toMatchObject({ schema: null })
    using undone = setting([migration(2), migration(3, false)])
    expect(await read(undone)).toMatchObject({ schema: { downSteps: ['./dam migrate backend 0002'] } })
  })

  it('has no way down when the two disagree on a migration', async () => {
    using scratch = setting([])
    scratch.release.manifest.migrations = [{ ...migration(1), checksum: 'other' }]
    expect(await read(scratch)).toMatchObject({ schema: { downSteps: null } })
  })

  it('is predicted from the longest rollback that was measured', async () => {
    using scratch = setting([])
    for (const end of ['12:02', '12:05']) {
      scratch.store.run(
        `insert into deployment (kind, environment, digest, state, requested_by, requested_at, updated_at, ended_at)
         values ('rollback', 'production', ?, 'verified', 'bo', '2027-03-01T12:00:00.000Z', '', ?)`,
        scratch.release.digest,
        `2027-03-01T${end}:00.000Z`,
      )
    }
    expect(await read(scratch)).toMatchObject({ predictedMinutes: 5, predictedFrom: 'longest of 2 rollbacks' })
  })

  it('is a first release only where nothing ever served', async () => {
    using scratch = scratchGates()
    expect(await read(scratch)).toEqual({ state: 'first-release' })
    scratch.store.run(
      `insert into deployment (kind, environment, digest, state, requested_by, requested_at, updated_at, ended_at)
       values ('deploy', 'production', ?, 'rolled-back', 'bo', '', '', '')`,
      scratch.release.digest,
    )
    expect(await read(scratch)).toMatchObject({ state: 'unknown' })
  })
})
