import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { evaluateGates } from '../evaluate-gates.ts'
import { dayMs } from '../gate-policy.ts'
import { insertRelease, scratchGates, scratchRelease } from '../testing/scratch-gates.ts'
import { type Budget, type Figure, figuresOfBench, readBudgets } from './budgets.ts'
import { judgePerformance } from './judge-performance.ts'
import { measureScripts } from './measure-scripts.ts'
import { recordPerformance } from './record-performance.ts'

const now = new Date('2027-03-01T12:00:00.000Z')
const budgets: Budget[] = [
  { figure: 'list, p95', bound: { atMost: 100 }, unit: 'ms', source: 'test', measuredBy: 'gate' },
  { figure: 'cached thumbnail', bound: { atLeast: 250 }, unit: '1/s', source: 'test', measuredBy: 'gate' },
  { figure: 'bench only', bound: { atMost: 1 }, unit: 'ms', source: 'test', measuredBy: 'bench' },
]
const figure = (name: string, value: number, unit = 'ms'): Figure => ({
  figure: name,
  value,
  unit,
  n: 10,
  from: 'test',
})
const good = [figure('list, p95', 100), figure('cached thumbnail', 250, '1/s')]

describe('the performance of a release', () => {
  it('passes within every budget', () => {
    expect(judgePerformance(budgets, good, null)).toMatchObject({
      verdict: 'pass',
      lines: [{ ratio: null }, { ratio: null }],
    })
  })

  it('fails over one budget, with the figure', () => {
    const slow = judgePerformance(budgets, [figure('list, p95', 100.1), ...good.slice(1)], null)
    expect(slow).toMatchObject({ verdict: 'fail' })
    expect(slow.evidence.summary).toContain('over budget: list, p95 100 ms (at most 100)')
    expect(judgePerformance(budgets, [...good, figure('bench only', 2)], null).verdict).toBe('fail')
    expect(judgePerformance(budgets, [figure('list, p95', 500)], null).verdict).toBe('fail')
  })

  it('is not known when a figure is missing, not a number, in another unit, or measured never', () => {
    expect(judgePerformance(budgets, good.slice(1), null).verdict).toBe('unknown')
    expect(judgePerformance(budgets, [], null).verdict).toBe('unknown')
    expect(judgePerformance([], [], null).verdict).toBe('unknown')
    for (const odd of [
      figure('list, p95', Number.NaN),
      figure('list, p95', 1, 's'),
      { ...figure('list, p95', 1), n: 0 },
    ])
      expect(judgePerformance(budgets, [odd, ...good.slice(1)], null).verdict).toBe('unknown')
  })

  it('is compared with the release before, and on record for 7 days', async () => {
    using scratch = scratchGates()
    const { store, deps, release } = scratch
    const next = scratchRelease({ tag: 'v1.2.0', digest: 'e'.repeat(64) })
    insertRelease(store, next)
    const base = { store, policy: deps.policy, budgets, by: 'bo' }
    recordPerformance({ ...base, release, figures: [figure('list, p95', 40), ...good.slice(1)] }, now)
    const { lines, evidence } = recordPerformance(
      { ...base, release: next, figures: [figure('list, p95', 60), ...good.slice(1)] },
      now,
    )
    expect(lines.map(({ ratio }) => ratio)).toEqual([1.5, 1])
    expect(evidence.summary).toContain('1.50 x before')
    const stateAt = async (at: Date) =>
      (await evaluateGates(deps, { release: next, environment: 'production', now: at }))[3]?.state
    expect(await stateAt(now)).toBe('pass')
    expect(await stateAt(new Date(now.getTime() + 7 * dayMs))).toBe('stale')
    recordPerformance({ ...base, release: next, figures: [] }, now)
    expect(await stateAt(now)).toBe('pass')
  })
})

describe('figures', () => {
  it('of a bench count at the very commit, unchanged, and young', () => {
    const row = {
      figure: 'f',
      value: 1,
      unit: 'ms',
      n: 3,
      peer: null,
      machine: 'm',
      date: '2027-02-28T00:00:00.000Z',
      commit: 'ccccccc',
    }
    const read = (over: object) =>
      figuresOfBench(JSON.stringify([{ ...row, ...over }]), { commit: 'c'.repeat(40), youngerThanMs: 7 * dayMs }, now)
        .length
    expect(read({})).toBe(1)
    for (const over of [
      { commit: 'ccccccc+' },
      { commit: 'ddddddd' },
      { commit: '' },
      { commit: 'unknown' },
      { date: '2027-02-01T00:00:00.000Z' },
    ])
      expect(read(over), JSON.stringify(over)).toBe(0)
  })

  it('of the scripts are those the page names', () => {
    const files = new Map([
      ['frontend/dist/index.html', Buffer.from('<script src="/assets/a.js"></script><link href="/assets/b.js">')],
      ['frontend/dist/assets/a.js', Buffer.alloc(1_000, 'a')],
      ['frontend/dist/assets/b.js', Buffer.alloc(1_000, 'b')],
      ['frontend/dist/assets/later.js', Buffer.alloc(1_000, 'c')],
    ])
    expect(measureScripts(files)).toMatchObject([{ n: 2 }])
    files.delete('frontend/dist/assets/b.js')
    expect(() => measureScripts(files)).toThrow('which the artifact does not have')
    expect(() => measureScripts(new Map())).toThrow('no frontend/dist/index.html')
  })

  it('have committed budgets with their sources', () => {
    const file = fileURLToPath(new URL('../../../../bench/budgets.json', import.meta.url))
    expect(readBudgets(readFileSync(file, 'utf8')).filter(({ measuredBy }) => measuredBy === 'gate')).toHaveLength(6)
    expect(() => readBudgets('[]')).toThrow('budgets.json')
  })
})
