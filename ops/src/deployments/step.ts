import type { Deployment, DeploymentData, DeploymentState } from './deployment.ts'
import type { DeployerDeps } from './deployer-deps.ts'
import type { HeldLease } from './held-lease.ts'

/** What a step works with. */
export type StepContext = {
  deps: DeployerDeps
  lease: HeldLease
  /** As it was when the step began. */
  deployment: Deployment
  /** Aborts when the lease was lost or a person wants this deployment rolled back. */
  signal: AbortSignal
  /** A line of the time line. */
  note(message: string, detail?: Record<string, unknown>): void
  /** Remembers something before the step is over. */
  remember(data: Partial<DeploymentData>): void
}

/** What a step came to; written in one transaction with its event. */
export type StepResult = {
  state: DeploymentState
  message?: string
  because?: string
  data?: Partial<DeploymentData>
  isEnded?: boolean
  isSkipped?: boolean
  detail?: Record<string, unknown>
  /** What else belongs into the transaction. */
  also?: () => void
}

/** Does its work again without harm when it was killed in the middle. */
export type Step = {
  name: string
  run(context: StepContext): Promise<StepResult>
  /** What a failure means: `unwind` while the new release has no traffic, `roll-back` once it has, `retry` when there is no other way. */
  onFailure: 'unwind' | 'roll-back' | 'retry'
}

/** A step cannot succeed; the message says why and what to do. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure'
}
