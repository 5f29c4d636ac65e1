import type { ProcessObservation } from '../deployments/deployment.ts'

/** Judged requests that ended within one second: without clients' own mistakes (4xx), 429, 499 and repeats of one failure. */
export type SecondCounts = { second: number; total: number; bad: number; slow: number }

/** One side of a bake. Seconds ascend, none twice. */
export type SideEvidence = {
  seconds: readonly SecondCounts[]
  /** Answers of `/readyz`, one second apart, oldest first. */
  readiness: readonly { at: number; isReady: boolean }[]
  /** As the keeper sees them; null: the keeper has not said yet. */
  web: ProcessObservation | null
  worker: ProcessObservation | null
}

/** An error that no earlier release, nor the old one beside it, has had. */
export type NewError = {
  fingerprint: string
  message: string
  /** Ended a process, or was not handled. */
  isFatal: boolean
  /** Says that data is not what it must be; one is enough. */
  isIntegrity: boolean
  events: number
  users: number
}

/** All that is known at a look, since the cut-over. Instants are Unix milliseconds. */
export type BakeEvidence = {
  cutOverAt: number
  now: number
  /** When the bake may end; the second time it is extended. */
  endsAt: number
  /** The old release before the cut-over, up to an hour. */
  before: readonly SecondCounts[]
  /** The old release beside the new one. Null: it does not run any more. */
  control: SideEvidence | null
  fresh: SideEvidence
  /** Our own journeys on the new release, counted once the bake was extended for want of requests. */
  topUp: readonly SecondCounts[]
  newErrors: readonly NewError[]
  /** Whether the database of the environment answers; null: not known. */
  databaseAnswers: boolean | null
  /** When it did not, since the cut-over. Once it is back, these seconds say nothing about a release. */
  databaseOutages: readonly Outage[]
}

/** Unix milliseconds: when it was last seen to answer, and when it was seen to answer again. */
export type Outage = { from: number; until: number }
