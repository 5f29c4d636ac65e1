import type { BakePolicy } from './bake-policy.ts'
import type { SideEvidence } from './bake-evidence.ts'

/** Why this side is not healthy, or null. */
export function unhealthiness(side: SideEvidence, now: number, policy: BakePolicy): string | null {
  const last = side.readiness.slice(-policy.failedReadiness)
  if (last.length === policy.failedReadiness && last.every((sample) => !sample.isReady)) {
    return `/readyz failed ${policy.failedReadiness} times in a row`
  }
  for (const [name, observation] of [
    ['web', side.web],
    ['worker', side.worker],
  ] as const) {
    if (!observation) continue
    const isDead = observation.state === 'stopped' || observation.state === 'waiting'
    if (isDead && observation.crashes > 0) {
      return `the ${name} process is dead (${observation.lastExit ?? 'no exit status'})`
    }
    const recent = observation.crashedAt.filter((at) => Date.parse(at) > now - policy.restarts.withinMs).length
    if (recent >= policy.restarts.count) {
      return `the ${name} process ended ${recent} times within ${policy.restarts.withinMs / 1000} s`
    }
  }
  return null
}
