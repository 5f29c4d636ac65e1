import * as z from 'zod'
import type { Evidence } from '../gate.ts'

const part = z.strictObject({
  passed: z.number().int().nonnegative(),
  failed: z.number().int().nonnegative(),
  durationMs: z.number().nonnegative(),
})

/** What `./dam test --record <file>` writes: one run of the tests on one state of the sources. */
export const testRecordSchema = z.strictObject({
  format: z.literal(1),
  /** Full hash of the commit that was tested. */
  commit: z.string().regex(/^[0-9a-f]{40,64}$/),
  /** Whether the sources were exactly that commit, before and after the run. */
  treeIsClean: z.boolean(),
  /** By part; a part that was not run is not there. */
  parts: z.partialRecord(z.enum(['check', 'unit', 'integration', 'e2e']), part),
  /** False: filters left tests out. */
  isWhole: z.boolean(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  machine: z.string(),
})
export type TestRecord = z.infer<typeof testRecordSchema>

const demanded = ['unit', 'integration', 'e2e'] as const

/** Passed only when unit tests, integration tests and journeys were each run whole, some passed, and nothing failed anywhere. */
export function judgeTests(record: TestRecord): { verdict: 'pass' | 'fail'; evidence: Evidence } {
  const problems = demanded.flatMap((name) => {
    const counts = record.parts[name]
    if (!counts) return [`${name} was not run`]
    return counts.passed === 0 ? [`${name}: nothing passed`] : []
  })
  for (const [name, counts] of Object.entries(record.parts)) {
    if (counts.failed > 0) problems.push(`${name}: ${counts.failed} failed`)
  }
  if (!record.isWhole) problems.push('only some tests were run')
  const counted = Object.entries(record.parts).map(
    ([name, { passed, failed }]) => `${name} ${passed}/${passed + failed}`,
  )
  const summary = [counted.join(', ') || 'no part was run', ...problems].join('; ')
  return { verdict: problems.length === 0 ? 'pass' : 'fail', evidence: { summary, details: record } }
}
