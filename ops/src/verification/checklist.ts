/** The runbook's lists, in its order and words. */
export const checklists = {
  staging: {
    smoke: 'Smoke tests pass',
    features: 'All features work',
    performance: 'Performance acceptable',
    logs: 'No errors in logs',
  },
  production: {
    health: 'Health check passes',
    smoke: 'Smoke tests pass',
    monitoring: 'Monitoring shows healthy',
    logs: 'No errors in logs',
    feedback: 'User feedback positive',
  },
} as const
export type ChecklistName = keyof typeof checklists
export type ChecklistItem = 'health' | 'smoke' | 'features' | 'performance' | 'monitoring' | 'logs' | 'feedback'

/** What a machine found out. `unknown`: it could not ask, which is never a pass. */
export type Finding = { state: 'pass' | 'fail' | 'unknown'; evidence: string }

export type ChecklistLine = {
  item: ChecklistItem
  title: string
  /** `attestation-missing`: only a person can know, and nobody has said so. */
  state: 'pass' | 'fail' | 'unknown' | 'attested' | 'attestation-missing'
  evidence: string
}
