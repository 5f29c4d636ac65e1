import type { Release } from '../releases/release.ts'
import type { ChecklistLine } from '../verification/checklist.ts'
import type { StepContext } from './step.ts'

/** One lost request among the forty of a journey is no verdict; three journeys in a row are. Each is bound to a minute. */
const attempts = 3
const marks: Record<ChecklistLine['state'], string> = {
  pass: '✓',
  attested: '✓',
  fail: '✗',
  unknown: '?',
  'attestation-missing': '?',
}

/**
 * The runbook's checklist of an environment on which `release` serves, noted line by line. Null when health check and smoke journey
 * pass, else what does not; the other lines inform: what they watch is the judge's and the alerts'.
 */
export async function verifyRelease(
  { deps, note, signal }: Pick<StepContext, 'deps' | 'note' | 'signal'>,
  release: Release,
): Promise<string | null> {
  for (let attempt = 1; ; attempt++) {
    const lines = await deps.verify(release)
    const told = lines.map(({ title, state }) => `${marks[state]} ${title}`)
    note(`verification: ${told.join(', ')}`, { verification: lines })
    const broken = lines.find(
      ({ item, state }) => (item === 'health' || item === 'smoke') && state !== 'pass' && state !== 'attested',
    )
    if (!broken) return null
    if (attempt === attempts || signal.aborted) return `${broken.title}: no. ${broken.evidence}`
  }
}
