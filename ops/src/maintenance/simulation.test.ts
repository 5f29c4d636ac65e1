import { expect, test } from 'vitest'
import { simulateMaintenance } from './testing/simulate-maintenance.ts'

test.each([1, 4])(
  'four months with kills, days off, clocks that jump and changes of the policy: everything is told once and in time (seed %i)',
  (seed) => {
    const { violations, notices, kills, downtimes, clockSteps, policyChanges } = simulateMaintenance({
      seed,
      days: 120,
    })
    expect(violations).toEqual([])
    expect(notices).toBeGreaterThan(30)
    expect(Math.min(kills, downtimes + clockSteps + policyChanges)).toBeGreaterThan(0)
  },
  120_000,
)
