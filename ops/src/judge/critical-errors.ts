import type { NewError } from './bake-evidence.ts'
import type { BakePolicy } from './bake-policy.ts'

/** The first new error that is reason enough to roll back, or undefined. */
export const criticalError = (errors: readonly NewError[], policy: BakePolicy): NewError | undefined =>
  errors.find(
    (error) =>
      error.isIntegrity ||
      (error.isFatal && (error.events >= policy.criticalErrors.events || error.users >= policy.criticalErrors.users)),
  )
