import type { Release } from '../../releases/release.ts'
import type { Store } from '../../store.ts'
import { dayMs, type GatePolicy } from '../gate-policy.ts'
import { recordGate } from '../gate-store.ts'
import type { Budget, Figure } from './budgets.ts'
import { judgePerformance } from './judge-performance.ts'

export type PerformanceResult = ReturnType<typeof judgePerformance>

/** Judges the figures of a release and puts pass or fail on record; what is unknown leaves the gate as it was. */
export function recordPerformance(
  options: {
    store: Store
    policy: GatePolicy
    release: Release
    budgets: readonly Budget[]
    figures: readonly Figure[]
    by: string
  },
  now: Date,
): PerformanceResult {
  const { store, policy, release, budgets, figures, by } = options
  const result = judgePerformance(budgets, figures, previousFigures(store, release))
  if (result.verdict !== 'unknown') {
    recordGate(
      store,
      {
        kind: 'performance',
        digest: release.digest,
        environment: '',
        verdict: result.verdict,
        evidence: result.evidence,
        by,
        expiresAt: new Date(now.getTime() + policy.performanceDays * dayMs).toISOString(),
      },
      now,
    )
  }
  return result
}

/** Of the newest other release that was measured. */
function previousFigures(store: Store, release: Release): { tag: string; figures: Figure[] } | null {
  const row = store.row<{ tag: string; evidence: string }>(
    `select release.tag, gate_record.evidence from gate_record join release on release.digest = gate_record.digest
     where gate_record.kind = 'performance' and gate_record.verdict in ('pass', 'fail') and release.digest <> ?
     order by gate_record.id desc limit 1`,
    release.digest,
  )
  if (!row) return null
  const { details } = JSON.parse(row.evidence) as { details?: { lines?: Figure[] } }
  return details?.lines ? { tag: row.tag, figures: details.lines } : null
}
