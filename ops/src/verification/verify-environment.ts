import { validAttestations } from './attestation-store.ts'
import { type ChecklistLine, type ChecklistName, checklistOf, checklistsFor } from './checklist.ts'
import { evaluateChecklist } from './evaluate-checklist.ts'
import { gatherFindings, servesSince, type VerificationInput } from './gather-findings.ts'

export type Verification = {
  environment: string
  /** Errors are new from here on. */
  since: string
  lists: { name: ChecklistName; lines: ChecklistLine[] }[]
}

const localSinceMs = 24 * 3_600_000

/** The runbook's checklists of an environment as they stand now. */
export async function verifyEnvironment(input: Omit<VerificationInput, 'since'>): Promise<Verification> {
  const { environment, store, policy, now } = input
  const servesFrom = servesSince(store, environment.name)
  const since = servesFrom ?? new Date(now.getTime() - localSinceMs)
  const findings = await gatherFindings({ ...input, since })
  const attestations = validAttestations(store, `environment:${environment.name}`, now, servesFrom)
  return {
    environment: environment.name,
    since: since.toISOString(),
    lists: checklistsFor(environment.name).map((name) => ({
      name,
      lines: evaluateChecklist(environment.name, checklistOf(policy, name), findings, attestations),
    })),
  }
}
