import type { Release } from '../releases/release.ts'
import type { Assessment } from './evaluate-gates.ts'
import type { RollbackReadiness } from './gate-deps.ts'
import type { GatePolicy } from './gate-policy.ts'

/** A plan is ready when its target is whole, can run on the schema or has exact steps down, and fits into the promised minutes. */
export function evaluateRollback(
  plan: RollbackReadiness,
  environment: string,
  release: Release,
  policy: GatePolicy,
  now: Date,
): Assessment {
  const remedy = `./dam rollback ${environment} --plan`
  const computed = { by: 'dam', at: now.toISOString(), expiresAt: null, recordId: null }
  if (plan.state === 'unknown') return { ...computed, state: 'unknown', evidence: { summary: plan.because }, remedy }
  if (plan.state === 'first-release') {
    const summary = 'nothing serves that could be gone back to: rollback = maintenance page'
    return { ...computed, state: 'pass', evidence: { summary, details: plan }, remedy: null }
  }
  const { target, artifactProblem, schema, predictedMinutes, predictedFrom } = plan
  const problems = [
    target.digest === release.digest ? 'the target is the release itself' : null,
    artifactProblem,
    schema && schema.downSteps === null ? `no way down: ${schema.because}` : null,
    predictedMinutes === null ? predictedFrom : null,
    // Also catches NaN.
    predictedMinutes === null || predictedMinutes <= policy.rollbackMinutes
      ? null
      : `predicted ${predictedMinutes} minutes, promised ${policy.rollbackMinutes}`,
  ].filter((problem) => problem !== null)
  const evidence = (summary: string) => ({ summary, hash: target.digest, details: plan })
  if (problems.length > 0) {
    return { ...computed, state: 'fail', evidence: evidence(`back to ${target.tag}: ${problems.join('; ')}`), remedy }
  }
  const steps = schema?.downSteps?.length ? `after ${schema.downSteps.join(', ')}` : 'on the schema as it will be'
  const minutes = `${predictedMinutes ?? 'unknown'} of ${policy.rollbackMinutes} minutes (${predictedFrom})`
  return {
    ...computed,
    state: 'pass',
    evidence: evidence(`back to ${target.tag} ${steps}, artifact intact, ${minutes}`),
    remedy: null,
  }
}
