import { describe, expect, it } from 'vitest'
import type { Backup } from '../backup/backup.ts'
import { evaluateGates, gatesAreOpen } from './evaluate-gates.ts'
import type { BackupFacts, GateFinding, RollbackReadiness } from './gate-deps.ts'
import { dayMs, hourMs, minuteMs } from './gate-policy.ts'
import { recordGate } from './gate-store.ts'
import { type GateKind, gateKinds, type GateStatus } from './gate.ts'
import { scratchGates } from './testing/scratch-gates.ts'

const now = new Date('2027-03-01T12:00:00.000Z')
const ago = (ms: number): Date => new Date(now.getTime() - ms)
const kinds = Object.keys(gateKinds) as GateKind[]
const recorded = ['reviewed', 'tests', 'security', 'performance', 'migrations'] as const

type Scratch = ReturnType<typeof scratchGates>

const look = (scratch: Scratch, at = now): Promise<GateStatus[]> =>
  evaluateGates(scratch.deps, { release: scratch.release, environment: 'production', now: at })

const stateOf = async (scratch: Scratch, kind: GateKind, at = now): Promise<string> =>
  (await look(scratch, at)).find((status) => status.kind === kind)?.state ?? 'missing'

const record = (
  { store, release }: Scratch,
  kind: GateKind,
  over: { verdict?: 'pass' | 'fail' | 'waived'; at?: Date; environment?: string; expiresAt?: string | null } = {},
): number =>
  recordGate(
    store,
    {
      kind,
      digest: release.digest,
      environment: over.environment ?? '',
      verdict: over.verdict ?? 'pass',
      evidence: { summary: 'seen', details: { kind } },
      by: 'ada',
      expiresAt: over.expiresAt ?? null,
    },
    over.at ?? now,
  )

const backup: Backup = {
  id: '20270301T115000Z-production',
  environment: 'production',
  state: 'ok',
  startedAt: ago(10 * minuteMs).toISOString(),
  endedAt: ago(9 * minuteMs).toISOString(),
  folder: 'backups/20270301T115000Z-production',
  sizeBytes: 1_500_000,
  schemaNumber: 2,
  message: '',
}
const found: BackupFacts = { state: 'found', backup, hash: 'ab'.repeat(32), newestMigration: null }
const planned: RollbackReadiness = {
  state: 'planned',
  target: { tag: 'v1.0.0', digest: 'e'.repeat(64) },
  artifactProblem: null,
  schema: null,
  predictedMinutes: 1,
  predictedFrom: 'longest of 3 rollbacks',
}

describe('the gates of a release', () => {
  it('are the seven lines of the checklist in its order and words', async () => {
    using scratch = scratchGates()
    expect((await look(scratch)).map(({ title }) => title)).toEqual(Object.values(gateKinds))
  })

  it('are all unknown, with a command to run, when nobody has looked', async () => {
    using scratch = scratchGates()
    const statuses = await look(scratch)
    expect(statuses.map(({ state }) => state)).toEqual(kinds.map(() => 'unknown'))
    expect(statuses.every(({ remedy }) => remedy?.startsWith('./dam '))).toBe(true)
    expect(gatesAreOpen(statuses)).toBe(false)
  })

  it('open when each of them has its evidence, and not when any one of them lacks it', async () => {
    for (const missing of [null, ...kinds]) {
      using scratch = scratchGates({
        ...(missing === 'backup' ? {} : { latestBackup: () => found }),
        ...(missing === 'rollback' ? {} : { planRollback: () => planned }),
      })
      for (const kind of recorded) if (kind !== missing) record(scratch, kind)
      const statuses = await look(scratch)
      expect(statuses.filter(({ state }) => state !== 'pass').map(({ kind }) => kind)).toEqual(missing ? [missing] : [])
      expect(gatesAreOpen(statuses)).toBe(missing === null)
    }
  })

  it('do not open when a line of the checklist is not there at all', async () => {
    using scratch = scratchGates({ latestBackup: () => found, planRollback: () => planned })
    for (const kind of recorded) record(scratch, kind)
    expect(gatesAreOpen((await look(scratch)).slice(1))).toBe(false)
  })

  it('never take evidence from another artifact', async () => {
    using scratch = scratchGates()
    for (const kind of recorded) record(scratch, kind)
    const rebuilt = { ...scratch.release, digest: 'f'.repeat(64) }
    const statuses = await evaluateGates(scratch.deps, { release: rebuilt, environment: 'production', now })
    expect(statuses.some(({ state }) => state === 'pass')).toBe(false)
  })

  it('never pass on a record whose evidence has gone, nor on one from the future', async () => {
    for (const kind of recorded) {
      using scratch = scratchGates()
      record(scratch, kind)
      scratch.store.run(`update gate_record set evidence = '{"summary":""}'`)
      expect(await stateOf(scratch, kind), kind).toBe('unknown')
      record(scratch, kind, { at: new Date(now.getTime() + hourMs) })
      expect(await stateOf(scratch, kind), kind).toBe('unknown')
    }
  })

  it('refuse to record a verdict without evidence', () => {
    using scratch = scratchGates()
    const empty = {
      kind: 'tests',
      digest: scratch.release.digest,
      environment: '',
      verdict: 'pass',
      by: 'ada',
    } as const
    expect(() =>
      recordGate(scratch.store, { ...empty, evidence: { summary: '', details: {} }, expiresAt: null }, now),
    ).toThrow('needs evidence')
    expect(() => recordGate(scratch.store, { ...empty, evidence: { summary: 'fine' }, expiresAt: null }, now)).toThrow(
      'needs evidence',
    )
  })

  it('fail when the newest look failed, whatever was found before', async () => {
    for (const kind of ['tests', 'security', 'performance', 'migrations'] as const) {
      using scratch = scratchGates()
      record(scratch, kind)
      expect(await stateOf(scratch, kind)).toBe('pass')
      record(scratch, kind, { verdict: 'fail' })
      expect(await stateOf(scratch, kind)).toBe('fail')
    }
  })

  it('go stale: tests after 24 hours, security and performance after 7 days, reviews and migration tests never', async () => {
    const lifetimes = { tests: 24 * hourMs, security: 7 * dayMs, performance: 7 * dayMs }
    for (const [kind, lifetime] of Object.entries(lifetimes) as [GateKind, number][]) {
      using scratch = scratchGates()
      record(scratch, kind, { at: ago(lifetime - 1) })
      expect(await stateOf(scratch, kind), kind).toBe('pass')
      expect(await stateOf(scratch, kind, new Date(now.getTime() + 1)), kind).toBe('stale')
    }
    for (const kind of ['reviewed', 'migrations'] as const) {
      using scratch = scratchGates()
      record(scratch, kind, { at: ago(3650 * dayMs) })
      expect(await stateOf(scratch, kind)).toBe('pass')
    }
  })

  it('go stale when the record itself says so earlier', async () => {
    using scratch = scratchGates()
    record(scratch, 'tests', { at: ago(2 * hourMs), expiresAt: ago(hourMs).toISOString() })
    expect(await stateOf(scratch, 'tests')).toBe('stale')
  })

  it('keep what holds for one environment out of another', async () => {
    using scratch = scratchGates()
    record(scratch, 'performance', { environment: 'staging' })
    expect(await stateOf(scratch, 'performance')).toBe('unknown')
  })
})

describe('the review gate', () => {
  it('takes what the review says now, and nothing but a pass with details for a pass', async () => {
    const cases: [GateFinding, string][] = [
      [{ verdict: 'pass', evidence: { summary: 'all reviewed', details: ['c'] }, by: 'bo' }, 'pass'],
      [{ verdict: 'pass', evidence: { summary: 'all reviewed' }, by: 'bo' }, 'unknown'],
      [{ verdict: 'fail', evidence: { summary: 'one is not' }, by: '' }, 'fail'],
      [{ verdict: 'unknown', evidence: { summary: 'forge is down' }, by: '' }, 'unknown'],
    ]
    for (const [finding, state] of cases) {
      using scratch = scratchGates({ review: () => Promise.resolve(finding) })
      expect(await stateOf(scratch, 'reviewed')).toBe(state)
    }
  })

  it('is unknown, with the message, when looking fails', async () => {
    using scratch = scratchGates({ review: () => Promise.reject(new Error('no git here')) })
    expect((await look(scratch))[0]).toMatchObject({ state: 'unknown', evidence: { summary: 'no git here' } })
  })
})

describe('the backup gate', () => {
  const stateWith = async (facts: BackupFacts): Promise<string> => {
    using scratch = scratchGates({ latestBackup: () => facts })
    return await stateOf(scratch, 'backup')
  }
  const aged = (ms: number): BackupFacts => ({ ...found, backup: { ...backup, startedAt: ago(ms).toISOString() } })

  it('passes for a young one, is stale after 60 minutes', async () => {
    expect(await stateWith(aged(60 * minuteMs - 1))).toBe('pass')
    expect(await stateWith(aged(60 * minuteMs))).toBe('stale')
  })

  it('is stale when a migration came after it', async () => {
    const newestMigration = { label: 'backend 3', appliedAt: ago(5 * minuteMs).toISOString() }
    expect(await stateWith({ ...found, newestMigration })).toBe('stale')
    expect(
      await stateWith({ ...found, newestMigration: { ...newestMigration, appliedAt: ago(hourMs).toISOString() } }),
    ).toBe('pass')
  })

  it('fails without one, for a broken one, and for one of another environment', async () => {
    expect(await stateWith({ state: 'none', because: 'there is no backup' })).toBe('fail')
    for (const state of ['running', 'failed', 'corrupt', 'deleted'] as const) {
      expect(await stateWith({ ...found, backup: { ...backup, state } })).toBe('fail')
    }
    expect(await stateWith({ ...found, backup: { ...backup, environment: 'staging' } })).toBe('fail')
  })

  it('is unknown when the database does not say, or the backup has no checksum or date', async () => {
    expect(await stateWith({ state: 'unknown', because: 'the database does not answer' })).toBe('unknown')
    expect(await stateWith({ ...found, hash: '' })).toBe('unknown')
    expect(await stateWith({ ...found, backup: { ...backup, startedAt: 'soon' } })).toBe('unknown')
    expect(await stateWith(aged(-hourMs))).toBe('unknown')
  })

  it('passes where there is nothing yet to lose, and says so', async () => {
    expect(await stateWith({ state: 'nothing-to-back-up', because: 'production has no database yet' })).toBe('pass')
  })
})

describe('the rollback gate', () => {
  const statusWith = async (plan: RollbackReadiness): Promise<GateStatus | undefined> => {
    using scratch = scratchGates({ planRollback: () => plan })
    return (await look(scratch)).find(({ kind }) => kind === 'rollback')
  }

  it('passes with a whole target, a way down and minutes to spare', async () => {
    expect((await statusWith(planned))?.state).toBe('pass')
    const withSteps = { ...planned, schema: { because: 'column dropped', downSteps: ['./dam migrate backend 2'] } }
    expect(await statusWith(withSteps)).toMatchObject({
      state: 'pass',
      evidence: { summary: expect.stringContaining('./dam migrate backend 2') as string },
    })
  })

  it('fails with the reason when any part is missing', async () => {
    const broken: Partial<Extract<RollbackReadiness, { state: 'planned' }>>[] = [
      { artifactProblem: 'checksum of main.ts differs' },
      { schema: { because: 'migration 3 has no way down', downSteps: null } },
      { predictedMinutes: 15.1 },
      { predictedMinutes: null },
      { predictedMinutes: Number.NaN },
      { target: { tag: 'v1.1.0', digest: 'd'.repeat(64) } },
    ]
    for (const part of broken) expect((await statusWith({ ...planned, ...part }))?.state).toBe('fail')
  })

  it('says that where nothing serves there is only the maintenance page', async () => {
    expect(await statusWith({ state: 'first-release' })).toMatchObject({
      state: 'pass',
      evidence: { summary: 'nothing serves that could be gone back to: rollback = maintenance page' },
    })
  })

  it('is unknown when the plan cannot be made', async () => {
    expect((await statusWith({ state: 'unknown', because: 'no ledger' }))?.state).toBe('unknown')
  })
})

describe('a waiver', () => {
  const waive = (scratch: Scratch, kind: GateKind, at = now, hours = 4): number =>
    record(scratch, kind, {
      verdict: 'waived',
      environment: 'production',
      at,
      expiresAt: new Date(at.getTime() + hours * hourMs).toISOString(),
    })

  it('opens each gate until it expires, and shows what is the case without it', async () => {
    for (const kind of kinds) {
      using scratch = scratchGates()
      waive(scratch, kind)
      const status = (await look(scratch)).find((one) => one.kind === kind)
      expect(status).toMatchObject({
        state: 'waived',
        evidence: { summary: expect.stringContaining('unknown') as string },
      })
      expect(await stateOf(scratch, kind, new Date(now.getTime() + 4 * hourMs))).toBe('unknown')
    }
  })

  it('holds for its environment only', async () => {
    using scratch = scratchGates()
    waive(scratch, 'tests')
    const statuses = await evaluateGates(scratch.deps, { release: scratch.release, environment: 'staging', now })
    expect(statuses[1]?.state).toBe('unknown')
  })

  it('does not cover what was found after it was given', async () => {
    using scratch = scratchGates()
    record(scratch, 'tests', { verdict: 'fail' })
    waive(scratch, 'tests')
    expect(await stateOf(scratch, 'tests')).toBe('waived')
    record(scratch, 'tests', { verdict: 'fail' })
    expect(await stateOf(scratch, 'tests')).toBe('fail')
  })

  it('is not mentioned once the gate passes by itself', async () => {
    using scratch = scratchGates()
    waive(scratch, 'tests')
    record(scratch, 'tests')
    expect(await stateOf(scratch, 'tests')).toBe('pass')
  })
})
