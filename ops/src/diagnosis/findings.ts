import type { ApplicationLog } from './probes/application-log.ts'
import type { CdnComparison } from './cdn/compare-cdn.ts'
import type { DatabaseActivity } from './probes/database-activity.ts'
import type { ErrorSplit } from './probes/error-log.ts'
import type { ExternalCalls } from './probes/external-calls.ts'
import type { FrontSplit } from './probes/front-outcomes.ts'
import type { Health } from './probes/health.ts'
import type { MachineState } from './probes/machine.ts'
import type { MetricsWindow } from './probes/metrics-window.ts'
import type { ProcessState } from './probes/processes.ts'
import type { RecentDeployment } from './probes/recent-deployments.ts'
import type { RedisState } from './probes/redis.ts'
import type { StatementWindow } from './probes/database-statements.ts'
import type { TableState } from './probes/database-tables.ts'

/** What each probe finds out. */
export type Found = {
  health: Health
  metrics: MetricsWindow
  front: FrontSplit
  deployments: RecentDeployment[]
  errors: ErrorSplit
  log: ApplicationLog
  activity: DatabaseActivity
  statements: StatementWindow
  tables: TableState[]
  redis: RedisState
  processes: ProcessState[]
  machine: MachineState
  external: ExternalCalls
  cdn: CdnComparison
}
export type ProbeName = keyof Found

/** `unknown` says why: the counterpart is down, does not exist here, or took too long. */
export type Answer<T> =
  | { state: 'known'; value: T; tookMs: number }
  | { state: 'unknown'; because: string; tookMs: number }

export type Findings = { [K in ProbeName]?: Answer<Found[K]> }

/** What a probe found, or undefined. */
export const known = <K extends ProbeName>(findings: Findings, name: K): Found[K] | undefined => {
  const answer = findings[name]
  return answer?.state === 'known' ? answer.value : undefined
}

/** Why a probe found nothing; undefined when it did, or was not asked. */
export const unknownBecause = (findings: Findings, name: ProbeName): string | undefined => {
  const answer = findings[name]
  return answer?.state === 'unknown' ? answer.because : undefined
}
