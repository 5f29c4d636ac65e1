import { describe, expect, test } from 'vitest'
import { compareVersions } from './release-order.ts'
import { canRunOn, compatibility, type SchemaOf } from './release-schema.ts'
import type { ReleaseMigration } from './release.ts'

const migration = (number: number, previousReleaseRuns: boolean, checksum = `sum${number}`): ReleaseMigration => ({
  app: 'backend',
  number,
  name: `step-${number}`,
  checksum,
  previousReleaseRuns,
  reason: previousReleaseRuns ? 'adds only' : 'removes what was used',
})

const release = (version: string, ...migrations: ReleaseMigration[]): SchemaOf => ({
  tag: `v${version}`,
  version,
  schema: { min: migrations.length, max: migrations.length },
  manifest: { migrations },
})

const [m1, m2, m3, m4] = [migration(1, true), migration(2, true), migration(3, true), migration(4, false)]

// Expand (2), switch (3, without a migration), contract (4).
const r1 = release('1.0.0', m1)
const r2 = release('1.1.0', m1, m2)
const r3 = release('1.2.0', m1, m2)
const r4 = release('1.3.0', m1, m2, m3)
const r5 = release('1.4.0', m1, m2, m3, m4)
const all = [r5, r1, r3, r2, r4]

describe('going from one release to another', () => {
  test.each([
    ['to itself', r3, r3, { kind: 'same-schema' }],
    ['back over a release without migrations', r3, r2, { kind: 'same-schema' }],
    ['forward', r1, r4, { kind: 'needs-up', migrations: ['0002-step-2', '0003-step-3'] }],
    [
      'back over the expand step',
      r2,
      r1,
      { kind: 'old-runs-on-new', migrations: ['0002-step-2'], because: '0002-step-2: adds only' },
    ],
    [
      'back over switch and expand: only the expand step brought a migration',
      r3,
      r1,
      { kind: 'old-runs-on-new', migrations: ['0002-step-2'] },
    ],
    [
      'back over the contract step to the one that switched',
      r4,
      r3,
      { kind: 'old-runs-on-new', migrations: ['0003-step-3'] },
    ],
    [
      'back over the contract step to one that had not switched, with the same schema',
      r4,
      r2,
      { kind: 'needs-down', migrations: ['0003-step-3'] },
    ],
    [
      'back to before it all: the contract step is undone, the expand step may stay',
      r4,
      r1,
      { kind: 'needs-down', migrations: ['0003-step-3'] },
    ],
    ['back over one that says no', r5, r4, { kind: 'needs-down', migrations: ['0004-step-4'] }],
    ['back over several: newest first', r5, r1, { kind: 'needs-down', migrations: ['0004-step-4', '0003-step-3'] }],
    [
      'to one with another migration under the same number',
      r4,
      release('1.1.1', m1, migration(2, true, 'other')),
      { kind: 'diverged' },
    ],
  ] as const)('%s', (_name, from, to, expected) => {
    expect(compatibility(from, to, all)).toMatchObject(expected)
  })

  test('a release in between that was never good counts, because the author of the next one counted it', () => {
    expect(compatibility(r4, r3, [r3, r4])).toMatchObject({ kind: 'old-runs-on-new' })
    expect(compatibility(r4, r3, [r3, release('1.2.1', m1, m2), r4])).toMatchObject({
      kind: 'needs-down',
      because:
        '0003-step-3 came with v1.3.0, which promises only that the release right before it runs; v1.2.0 is older',
    })
  })
})

test('a migration that was taken out and brought again is promised to the release before the one that brought it again', () => {
  const without = release('1.2.1', m1, m2)
  const again = release('1.2.2', m1, m2, m3)
  const known = [r1, r2, release('1.2.0', m1, m2, m3), without, again]
  expect(compatibility(again, without, known)).toMatchObject({ kind: 'old-runs-on-new' })
  expect(canRunOn(r2, [m1, m2, m3], [...known, release('1.1.1', m1, m2)])).toMatchObject({ canRun: false })
})

describe('a release on a schema as it is', () => {
  test.each([
    ['its own', r2, [m1, m2], true, 'the schema is the one of v1.1.0'],
    ['one that lacks a migration', r2, [m1], false, '0002-step-2 is not applied yet'],
    ['an empty one', r1, [], false, '0001-step-1 is not applied yet'],
    [
      'one of the next release',
      r1,
      [m1, m2],
      true,
      '0002-step-2 came with the release right after v1.0.0 and lets it run',
    ],
    ['one of a later release, though every step says yes', r1, [m1, m2, m3], false, '0003-step-3 came with v1.3.0'],
    ['one that says no', r4, [m1, m2, m3, m4], false, '0004-step-4 says that the release before it does not run on it'],
    ['one with a changed migration', r2, [m1, migration(2, true, 'other')], false, 'is not the 0002-step-2 of v1.1.0'],
    [
      'one with a migration of no known release',
      r5,
      [m1, m2, m3, m4, migration(5, true)],
      false,
      'no release of the ledger brought 0005-step-5',
    ],
  ] as const)('%s', (_name, one, applied, canRun, because) => {
    const fit = canRunOn(one, applied, all)
    expect(fit.canRun).toBe(canRun)
    expect(fit.because).toContain(because)
  })

  test('a migration above what must be applied may be missing', () => {
    expect(canRunOn({ ...r2, schema: { min: 1, max: 2 } }, [m1], all).canRun).toBe(true)
  })
})

test('versions are ordered as semantic versions are', () => {
  const inOrder = [
    '0.9.10',
    '1.0.0-1',
    '1.0.0-2',
    '1.0.0-10',
    '1.0.0-alpha',
    '1.0.0-rc',
    '1.0.0-rc.1',
    '1.0.0-rc.2',
    '1.0.0-rc.10',
    '1.0.0',
    '1.0.1',
    '1.2.0',
    '1.10.0',
  ]
  expect([...inOrder].reverse().sort(compareVersions)).toEqual(inOrder)
})
