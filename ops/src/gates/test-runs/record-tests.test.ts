import { describe, expect, it } from 'vitest'
import { evaluateGates } from '../evaluate-gates.ts'
import { hourMs } from '../gate-policy.ts'
import { scratchGates } from '../testing/scratch-gates.ts'
import { acceptTestReport } from './record-tests.ts'
import { closingLine } from './run-tests.ts'
import { judgeTests, type TestRecord } from './test-record.ts'

const now = new Date('2027-03-01T12:00:00.000Z')
const part = { passed: 10, failed: 0, durationMs: 1_000 }
const record: TestRecord = {
  format: 1,
  commit: 'c'.repeat(40),
  treeIsClean: true,
  parts: { check: part, unit: part, integration: part, e2e: part },
  isWhole: true,
  startedAt: '2027-03-01T10:00:00.000Z',
  endedAt: '2027-03-01T11:00:00.000Z',
  machine: 'ci',
}

describe('a run of the tests', () => {
  it('passes only with unit, integration and e2e all there, all passed and whole', () => {
    expect(judgeTests(record).verdict).toBe('pass')
    for (const name of ['unit', 'integration', 'e2e'] as const) {
      const { [name]: _left, ...others } = record.parts
      expect(judgeTests({ ...record, parts: others }).verdict, name).toBe('fail')
      expect(judgeTests({ ...record, parts: { ...record.parts, [name]: { ...part, failed: 1 } } }).verdict).toBe('fail')
      expect(judgeTests({ ...record, parts: { ...record.parts, [name]: { ...part, passed: 0 } } }).verdict).toBe('fail')
    }
    expect(judgeTests({ ...record, parts: { ...record.parts, check: { ...part, failed: 1 } } }).verdict).toBe('fail')
    expect(judgeTests({ ...record, isWhole: false }).verdict).toBe('fail')
    expect(judgeTests({ ...record, parts: {} }).verdict).toBe('fail')
  })

  it('is told by its closing line', () => {
    expect(closingLine('noise\n1 passed, 0 failed\n\n12 passed, 3 failed\n')).toEqual({ passed: 12, failed: 3 })
    expect(closingLine('12 passed, 3 failed\nkilled')).toBeNull()
    expect(closingLine('')).toBeNull()
  })
})

describe('a report from elsewhere', () => {
  const accept = (scratch: ReturnType<typeof scratchGates>, text: string) =>
    acceptTestReport(
      { store: scratch.store, policy: scratch.deps.policy, release: scratch.release, by: 'ci', source: 'report.json' },
      text,
      now,
    )
  const stateOf = async ({ deps, release }: ReturnType<typeof scratchGates>, at: Date) =>
    (await evaluateGates(deps, { release, environment: 'production', now: at }))[1]?.state

  it('opens the gate for 24 hours from the end of the run', async () => {
    using scratch = scratchGates()
    expect(accept(scratch, JSON.stringify(record))).toBe('pass')
    const endedAtMs = Date.parse(record.endedAt)
    expect(await stateOf(scratch, now)).toBe('pass')
    expect(await stateOf(scratch, new Date(endedAtMs + 24 * hourMs - 1))).toBe('pass')
    expect(await stateOf(scratch, new Date(endedAtMs + 24 * hourMs))).toBe('stale')
  })

  it('is kept as failed when it failed', async () => {
    using scratch = scratchGates()
    accept(scratch, JSON.stringify({ ...record, parts: { ...record.parts, e2e: { ...part, failed: 2 } } }))
    expect(await stateOf(scratch, now)).toBe('fail')
  })

  it('is refused for another commit, changed sources, the future, and anything that is not such a report', async () => {
    using scratch = scratchGates()
    expect(() => accept(scratch, JSON.stringify({ ...record, commit: 'd'.repeat(40) }))).toThrow(
      'The report is of commit',
    )
    expect(() => accept(scratch, JSON.stringify({ ...record, treeIsClean: false }))).toThrow('sources that differ')
    expect(() => accept(scratch, JSON.stringify({ ...record, endedAt: '2027-03-02T11:00:00.000Z' }))).toThrow(
      'cannot be',
    )
    for (const text of [
      '',
      '{}',
      '[]',
      JSON.stringify({ ...record, format: 2 }),
      JSON.stringify({ ...record, extra: 1 }),
    ]) {
      expect(() => accept(scratch, text)).toThrow('report is not')
    }
    expect(await stateOf(scratch, now)).toBe('unknown')
  })
})
