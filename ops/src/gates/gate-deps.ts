import type { Backup } from '../backup/backup.ts'
import type { Release } from '../releases/release.ts'
import type { Store } from '../store.ts'
import type { Evidence } from './gate.ts'
import type { GatePolicy } from './gate-policy.ts'

/** What looking found. `unknown` is for whatever could not be looked at; it never stands for "nothing found". */
export type GateFinding = { verdict: 'pass' | 'fail' | 'unknown'; evidence: Evidence; by: string }

/** The newest usable backup of an environment, beside what its database has been through. */
export type BackupFacts =
  | {
      state: 'found'
      backup: Backup
      /** sha256 of its manifest. */
      hash: string
      /** The migration that was applied last to the environment's database; null when none ever was. */
      newestMigration: { label: string; appliedAt: string } | null
    }
  | { state: 'none'; because: string }
  /** The environment has no database yet: nothing can be lost. */
  | { state: 'nothing-to-back-up'; because: string }
  | { state: 'unknown'; because: string }

/** What rolling back from a release would take. */
export type RollbackReadiness =
  | {
      state: 'planned'
      target: { tag: string; digest: string }
      /** Null when its artifact is there and every checksum fits. */
      artifactProblem: string | null
      /** Null: it runs on the schema as the release leaves it. */
      schema: null | {
        because: string
        /** Exact commands, in order; null when there is no way down. */ downSteps: string[] | null
      }
      /** Null: no rung of the ladder is possible. */
      predictedMinutes: number | null
      /** Where the prediction comes from, such as `longest of 7 measured here`. */
      predictedFrom: string
    }
  /** Nothing serves that could be gone back to. */
  | { state: 'first-release' }
  | { state: 'unknown'; because: string }

/** What the evaluator asks of others. A function that throws makes its gate `unknown`, with the message. */
export type GateDeps = {
  store: Store
  policy: GatePolicy
  review(release: Release, now: Date): Promise<GateFinding>
  latestBackup(environment: string, now: Date): BackupFacts | Promise<BackupFacts>
  planRollback(environment: string, release: Release, now: Date): RollbackReadiness | Promise<RollbackReadiness>
}
