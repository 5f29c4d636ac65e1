/** What the judge of a bake says at a look, with its reason. */
export type Judgement =
  | { verdict: 'good'; because: string }
  | { verdict: 'bad'; because: RollbackTrigger; detail: string }
  /** Both releases are bad: page, do not roll back. */
  | { verdict: 'environment'; because: string }
  /** `moreNeeded`: requests until a decision is likely. */
  | { verdict: 'inconclusive'; because: string; moreNeeded: number }

/** The four triggers of the runbook. */
export type RollbackTrigger = 'error-rate' | 'response-time' | 'health-check' | 'critical-error'
