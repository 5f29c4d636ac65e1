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
