import type { Backup } from '../backup/backup.ts'
import type { Environment } from '../environments/environment.ts'
import type { GateStatus } from '../gates/gate.ts'
import type { FrontClient } from '../front/front-client.ts'
import type { Message } from '../notify/message.ts'
import type { ReleaseCondition } from '../releases/release-condition.ts'
import type { Release } from '../releases/release.ts'
import type { Store } from '../store.ts'
import type { ChecklistLine } from '../verification/checklist.ts'
import type { JourneyResult } from '../verification/journey.ts'
import type { DeployPolicy } from './deploy-policy.ts'

/** What a deployment needs of the rest of the operations. */
export type DeployerDeps = {
  store: Store
  hostDir: string
  environment: Environment & { runDir: string }
  slotPorts: { first: number; last: number }
  policy: DeployPolicy
  /** Who drives it: a person's name. */
  who: string
  now: () => Date
  front: FrontClient
  installRelease(release: Release, say: (message: string) => void): Promise<{ dir: string }>
  /** What of a release is on this host and can be trusted. */
  conditionOf(release: Release): Promise<ReleaseCondition>
  /** `requestedBy`: their own waivers do not count. */
  evaluateGates(release: Release, requestedBy: string): Promise<GateStatus[]>
  createBackup(neededBy: string): Promise<Backup>
  latestBackup(): Backup | undefined
  /** Connection string of the environment's database; null: it does not run. */
  databaseUrl(): string | null
  /** One journey straight to a slot, before it gets people's requests. */
  warmUp(target: { baseUrl: string; release: Release }): Promise<JourneyResult>
  /** The runbook's checklist after a deployment, with the smoke journey through the front; within two minutes. */
  verify(release: Release): Promise<ChecklistLine[]>
  /** More requests of our own through the front, when people make too few. */
  topUp(): Promise<void>
  /** Puts a message into the outbox; call inside the transaction of the deed. */
  notify(message: Message, key: string): void
  /** Who is on call now, as far as that is known. */
  onCall(now: Date): string | null
  progress(event: Progress): void
}

/** One line of the time line as it happens. */
export type Progress = {
  step: string
  status: 'started' | 'done' | 'failed' | 'skipped' | 'note'
  message: string
  seconds: number | null
}
