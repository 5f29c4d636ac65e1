import { availableParallelism } from 'node:os'
import type { Tally } from '../test-run/tally.ts'
import type { Check, CheckResult } from './check.ts'
import { generatedChecks } from './generated.ts'
import { programChecks } from './programs.ts'
import { secretsCheck } from './secrets.ts'

const shownLines = 40

/** Runs the checks whose name contains one of `filters` (all when there are none), as many at once as there are processors. */
export async function runChecks(options: { filters: readonly string[]; write: boolean }): Promise<Tally> {
  const wanted = [...programChecks, ...generatedChecks, secretsCheck].filter(
    (check) => options.filters.length === 0 || options.filters.some((filter) => check.name.includes(filter)),
  )
  const waiting = [...wanted]
  const tally: Tally = { passed: 0, failed: 0, failures: [] }
  const lane = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const startedAt = performance.now()
      const result = await attempt(check, options)
      tally[result.passed ? 'passed' : 'failed']++
      if (!result.passed) tally.failures.push(`./dam check ${check.name}`)
      print(check, result, performance.now() - startedAt)
    }
  }
  await Promise.all(Array.from({ length: Math.max(2, Math.min(4, availableParallelism())) }, lane))
  return tally
}

async function attempt(check: Check, options: { write: boolean }): Promise<CheckResult> {
  try {
    return await check.run(options)
  } catch (error) {
    return { passed: false, output: error instanceof Error ? error.message : String(error) }
  }
}

function print(check: Check, result: CheckResult, durationMs: number): void {
  console.log(`${result.passed ? '✓' : '✗'} ${check.name}  ${(durationMs / 1000).toFixed(1)} s`)
  if (result.passed) return
  const lines = result.output.trim().split('\n')
  console.log(
    lines
      .slice(0, shownLines)
      .map((line) => `    ${line}`)
      .join('\n'),
  )
  if (lines.length > shownLines) console.log(`    … and ${lines.length - shownLines} lines more`)
}
