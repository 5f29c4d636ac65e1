import type { Outage } from '../judge/bake-evidence.ts'
import type { RollbackTrigger } from '../judge/judgement.ts'

/** States of a deployment, in order; `design` of the steps between them is in deploy.ts. */
export const deploymentStates = [
  'requested',
  'gated',
  'locked',
  'backed-up',
  'migrated',
  'started',
  'warm',
  'cut-over',
  'baking',
  'good',
  'rolling-back',
  'rolled-back',
  'verified',
  'failed',
  'frozen',
  'waiting-for-person',
] as const
export type DeploymentState = (typeof deploymentStates)[number]

export type DeploymentKind = 'deploy' | 'rollback'

/** Moments against which the 15 minutes are counted. */
export type RollbackStamps = Partial<
  Record<'detectedAt' | 'decidedAt' | 'restoredAt' | 'verifiedAt' | 'notifiedAt', string>
>

/** What a deployment has to remember to resume or unwind, as JSON in its row. */
export type DeploymentData = {
  /** Slot of the release that is deployed. */
  newSlot?: string
  /** Slot that served before; null: nothing did. */
  oldSlot?: string | null
  backupId?: string
  /** Newest migration of `backend` before this deployment. */
  schemaBefore?: number
  cutOverAt?: string
  /** Length of the bake that was asked for, where it is not the policy's. */
  bakeMs?: number
  bakeEndsAt?: string
  isExtended?: boolean
  /** Seconds of the bake that say nothing about the release. */
  databaseOutages?: Outage[]
  stamps?: RollbackStamps
  /** Why it is rolled back: a trigger of the judge, or a person. */
  rollback?: {
    trigger: RollbackTrigger | 'person'
    because: string
    by: string
    /** The release that is left gets the verdict bad. */
    isBecauseBad?: boolean
  }
  /** A person ended the wait: the release stays. */
  accepted?: { by: string; reason: string }
  incidentId?: number
  /** The bake is over and the release stays. */
  isDecidedGood?: boolean
  /** Of a rollback: the rung of the ladder that was taken. */
  rung?: string
  /** Of a rollback: the one rung a person wants. */
  forcedRung?: string
  /** Set while the front answers with the maintenance page for our sake. */
  isInMaintenance?: boolean
  /** Seconds from the decision to the traffic restored. */
  restoreSeconds?: number
}

export type Deployment = {
  id: number
  kind: DeploymentKind
  environment: string
  digest: string
  tag: string
  previousDigest: string | null
  previousTag: string | null
  state: DeploymentState
  because: string
  requestedBy: string
  requestedAt: string
  updatedAt: string
  endedAt: string | null
  data: DeploymentData
}

export type DeploymentEvent = {
  id: number
  at: string
  state: DeploymentState
  step: string
  status: 'started' | 'done' | 'failed' | 'skipped' | 'note'
  message: string
  detail: Record<string, unknown>
}

/** A slot of a release: its processes as they should be and as the keeper sees them. */
export type Slot = {
  /** Such as `production-7`; never used again. */
  id: string
  environment: string
  digest: string
  tag: string
  /** Unpacked and installed. */
  releaseDir: string
  /** Private, on 127.0.0.1. */
  port: number
  desiredWeb: 'running' | 'stopped'
  desiredWorker: 'running' | 'stopped'
  fencingToken: number
  createdAt: string
  observed: SlotObservation
}

export type ProcessObservation = {
  state: 'stopped' | 'starting' | 'running' | 'waiting'
  pid: number | null
  /** Times it ended by itself, since the slot was made, with the moments of the last ten. */
  crashes: number
  crashedAt: string[]
  lastExit: string | null
  rssBytes: number
}

/** Written by the keeper only. */
export type SlotObservation = { at: string; web: ProcessObservation; worker: ProcessObservation } | null
