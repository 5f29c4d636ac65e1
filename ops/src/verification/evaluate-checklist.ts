import type { Attestation } from './attestation-store.ts'
import type { ChecklistLine, Findings, ListedItem } from './checklist.ts'

/**
 * The lines of a checklist from what machines found and people vouched for. A machine's failure stands whatever a person says; where a
 * machine does not know, a person may.
 */
export function evaluateChecklist(
  environment: string,
  list: readonly ListedItem[],
  findings: Findings,
  attestations: ReadonlyMap<string, Attestation>,
): ChecklistLine[] {
  return list.map(({ item, title }): ChecklistLine => {
    const finding = findings[item]
    if (finding && finding.state !== 'unknown') return { item, title, ...finding }
    const attestation = attestations.get(item)
    if (attestation) {
      const until = attestation.expiresAt.slice(0, 10)
      return { item, title, state: 'attested', evidence: `${attestation.by}: ${attestation.note} (until ${until})` }
    }
    if (finding) return { item, title, ...finding }
    return {
      item,
      title,
      state: 'attestation-missing',
      evidence: `./dam attest ${environment} ${item} --by <name> --note <what was seen> --expires 7d`,
    }
  })
}

/** 0: all is well; 1: something failed or is not known; 2: only a person's word is missing. */
export function exitCodeOf(lines: readonly ChecklistLine[]): 0 | 1 | 2 {
  if (lines.some(({ state }) => state === 'fail' || state === 'unknown')) return 1
  return lines.some(({ state }) => state === 'attestation-missing') ? 2 : 0
}
