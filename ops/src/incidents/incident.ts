import type { Severity } from '../notify/message.ts'

export type Incident = {
  id: number
  environment: string
  severity: Severity
  title: string
  cause: string
  /** At most one incident with this key is not resolved. */
  dedupKey: string
  state: 'open' | 'acknowledged' | 'resolved'
  openedAt: string
  openedBy: string
  acknowledgedAt: string | null
  acknowledgedBy: string | null
  resolvedAt: string | null
  deploymentId: number | null
  /** Frozen when it opened. */
  evidence: Record<string, unknown>
}
