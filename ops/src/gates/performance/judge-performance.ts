import type { Evidence } from '../gate.ts'
import type { Budget, Figure } from './budgets.ts'

/** One budget with what was measured. `ratio` compares with the previous release's figure; null where it has none. */
export type PerformanceLine = Figure & { bound: Budget['bound']; isMet: boolean; ratio: number | null }

/**
 * Holds figures against budgets. Unknown when a figure every run must have is missing, or when nothing was measured; a figure
 * over its budget fails whatever else is missing.
 */
export function judgePerformance(
  budgets: readonly Budget[],
  figures: readonly Figure[],
  previous: { tag: string; figures: readonly Figure[] } | null,
): { verdict: 'pass' | 'fail' | 'unknown'; evidence: Evidence; lines: PerformanceLine[] } {
  const lines: PerformanceLine[] = []
  const missing: string[] = []
  for (const { figure, bound, unit, measuredBy } of budgets) {
    const measured = figures.find(
      (one) => one.figure === figure && one.unit === unit && Number.isFinite(one.value) && one.n > 0,
    )
    if (!measured) {
      if (measuredBy === 'gate') missing.push(figure)
      continue
    }
    const isMet = 'atMost' in bound ? measured.value <= bound.atMost : measured.value >= bound.atLeast
    const before = previous?.figures.find((one) => one.figure === figure && one.unit === unit)?.value
    lines.push({ ...measured, bound, isMet, ratio: before ? measured.value / before : null })
  }
  const over = lines.filter(({ isMet }) => !isMet)
  const verdict = over.length > 0 ? 'fail' : missing.length > 0 || lines.length === 0 ? 'unknown' : 'pass'
  const parts = [
    ...over.map((line) => `over budget: ${describe(line)}`),
    ...(missing.length > 0 ? [`not measured: ${missing.join(', ')}`] : []),
    ...(over.length === 0 && lines.length > 0 ? [`${lines.length} figures within budget`] : []),
    ...(over.length === 0 ? lines.slice(0, 3).map(describe) : []),
    previous ? `ratios to ${previous.tag}` : 'no earlier release to compare with',
  ]
  return {
    verdict,
    evidence: { summary: parts.join('; '), details: { lines, missing, comparedWith: previous?.tag ?? null } },
    lines,
  }
}

export function describe({ figure, value, unit, bound, ratio }: PerformanceLine): string {
  const allowed = 'atMost' in bound ? `at most ${bound.atMost}` : `at least ${bound.atLeast}`
  const compared = ratio === null ? '' : `, ${ratio.toFixed(2)} x before`
  return `${figure} ${rounded(value)} ${unit} (${allowed}${compared})`
}

const rounded = (value: number): number => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)))
