import type { GateKind } from '../gates/gate.ts'
import { type BakePolicy, defaultBakePolicy, nextLookAfterMs } from '../judge/bake-policy.ts'

/** Every number of a deployment. */
export type DeployPolicy = {
  bake: BakePolicy
  /** How long an undecided bake goes on, once, with journeys of our own. */
  extendMs: number
  /** Until the judge looks again, by how long the bake runs. */
  nextLookAfterMs: (sinceCutOverMs: number) => number
  /** Share of the sessions that stay on the old release during the bake. */
  controlSharePercent: number
  /** Gates that must be open; the others are shown. */
  requiredGates: readonly GateKind[]
  /** A new process must answer `/readyz` as its release so often in a row. */
  ready: { times: number; everyMs: number; withinMs: number }
  /** How long the front may take to agree with the store. */
  frontWithinMs: number
  /** A backup younger than this is enough when no migration is pending. */
  backupMaxAgeMs: number
  /** So many automatic rollbacks within the window freeze the environment. */
  freeze: { automaticRollbacks: number; withinMs: number }
  /** The promise of the runbook. */
  rollbackWithinMs: number
}

const productionGates = ['reviewed', 'tests', 'security', 'performance', 'migrations', 'backup', 'rollback'] as const
// Staging is where a release is reviewed, measured and tried: what must be so before is that it is built from tested
// code, brings nothing known to be dangerous, and cannot ruin the database.
const stagingGates = ['tests', 'security', 'migrations', 'backup', 'rollback'] as const

export const defaultDeployPolicy = (environment: string): DeployPolicy => ({
  bake: environment === 'staging' ? { ...defaultBakePolicy, bakeMs: 2 * 60_000 } : defaultBakePolicy,
  extendMs: 15 * 60_000,
  nextLookAfterMs,
  controlSharePercent: 7,
  requiredGates: environment === 'staging' ? stagingGates : productionGates,
  ready: { times: 3, everyMs: 1_000, withinMs: 90_000 },
  frontWithinMs: 30_000,
  backupMaxAgeMs: 60 * 60_000,
  freeze: { automaticRollbacks: 2, withinMs: 24 * 3_600_000 },
  rollbackWithinMs: 15 * 60_000,
})

/** The same with a bake of another length. */
export const withBake = (policy: DeployPolicy, bakeMs: number): DeployPolicy => ({
  ...policy,
  bake: { ...policy.bake, bakeMs },
  // Journeys have to make a hundred requests and more before anything can be said.
  extendMs: Math.max(bakeMs, Math.min(policy.extendMs, 90_000)),
})
