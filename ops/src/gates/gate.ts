/** The seven lines of the runbook's pre-deployment checklist, in its order and words. */
export const gateKinds = {
  reviewed: 'Code reviewed and approved',
  tests: 'Tests passing (unit, integration, E2E)',
  security: 'Security scan passed',
  performance: 'Performance tests passed',
  migrations: 'Database migrations tested',
  backup: 'Backup created',
  rollback: 'Rollback plan ready',
} as const
export type GateKind = keyof typeof gateKinds

export type Evidence = { summary: string; link?: string; hash?: string; details?: unknown }

/** What is so now. `unknown` (never looked, or the other side does not answer) blocks like `fail` and says what to do. */
export type GateStatus = {
  kind: GateKind
  title: string
  state: 'pass' | 'fail' | 'waived' | 'stale' | 'unknown'
  evidence: Evidence
  by: string
  at: string | null
  expiresAt: string | null
  /** The command that changes it, where one does. */
  remedy: string | null
}
