import { planRollback, type PlanOptions } from '../deployments/plan-rollback.ts'
import type { Release } from '../releases/release.ts'
import type { RollbackReadiness } from './gate-deps.ts'

/** What going back from `release` would take once it serves, by the planner that rollbacks follow. */
export async function readRollbackFacts(
  options: Omit<PlanOptions, 'to' | 'after'>,
  release: Release,
): Promise<RollbackReadiness> {
  const plan = await planRollback({ ...options, to: null, after: release })
  const { to, toDigest, chosen, artifactProblem, downSteps, predictedMinutes, rungs } = plan
  // Nothing serves, or what serves is the release itself and nothing good was there before.
  if (to === null || toDigest === null) return { state: 'first-release' }
  if (options.databaseUrl === null) {
    return {
      state: 'unknown',
      because: `the database of ${options.environment} does not run, so nobody knows what ${to} could run on`,
    }
  }
  const rung = rungs.find(({ name }) => name === chosen)
  const needsDown = downSteps === null || downSteps.length > 0
  return {
    state: 'planned',
    target: { tag: to, digest: toDigest },
    artifactProblem,
    schema: needsDown ? { because: rungs.find(({ name }) => name === 'down')?.because ?? '', downSteps } : null,
    predictedMinutes: predictedMinutes === null ? null : Number(predictedMinutes.toFixed(1)),
    predictedFrom: rung?.predicted?.from ?? 'no rung of the ladder is possible',
  }
}
