import type { Policy } from '../policy/policy.ts'

/** Lines of the runbook that a machine can look into, or that have a short name for people. */
const itemOfTitle: Record<string, string> = {
  'Health check passes': 'health',
  'Smoke tests pass': 'smoke',
  'All features work': 'features',
  'Performance acceptable': 'performance',
  'Monitoring shows healthy': 'monitoring',
  'No errors in logs': 'logs',
  'User feedback positive': 'feedback',
}

/** `staging`: Staging Verification of the runbook; `production`: its Post-Deployment Verification. */
export type ChecklistName = 'staging' | 'production'
export type ListedItem = { item: string; title: string }

/** The list in the policy's order and words. A line that the runbook does not have gets its name from its title, and is for people. */
export const checklistOf = ({ checklists }: Pick<Policy, 'checklists'>, name: ChecklistName): ListedItem[] =>
  checklists[name === 'staging' ? 'staging' : 'postDeployment'].map((title) => ({
    title,
    item: itemOfTitle[title] ?? title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'),
  }))

/** Staging's for staging, the post-deployment list for production, both for a DAM that is both. */
export const checklistsFor = (environment: string): ChecklistName[] =>
  environment === 'staging' ? ['staging'] : environment === 'local' ? ['staging', 'production'] : ['production']

/** What a machine found out. `unknown`: it could not ask, which is never a pass. */
export type Finding = { state: 'pass' | 'fail' | 'unknown'; evidence: string }
/** By item; an item that is missing here is one that only a person can know. */
export type Findings = Readonly<Record<string, Finding | undefined>>

export type ChecklistLine = ListedItem & {
  /** `attestation-missing`: only a person can know, and nobody has said so. */
  state: 'pass' | 'fail' | 'unknown' | 'attested' | 'attestation-missing'
  evidence: string
}
