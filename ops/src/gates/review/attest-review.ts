import type { Release } from '../../releases/release.ts'
import type { Store } from '../../store.ts'
import { recordGate } from '../gate-store.ts'
import { areSamePerson, namesOf, type Voucher, voucherText } from '../second-person.ts'
import { authorsOf } from '../waive-gate.ts'
import type { Commit } from './commits.ts'

const shortestDigest = 12

/**
 * Records that a person who wrote none of the commits has reviewed this very artifact. They name its digest (at least 12 digits),
 * so that it is this one and not whatever the tag meant before. Throws, saying why not.
 */
export function attestReview(
  options: { store: Store; release: Release; commits: readonly Commit[] },
  attestation: { by: Voucher; digest: string; note: string },
  now: Date,
): void {
  const { store, release, commits } = options
  const { by, digest, note } = attestation
  if (digest.length < shortestDigest || !release.digest.startsWith(digest.toLowerCase())) {
    throw new Error(
      `Name what was reviewed: --digest ${release.digest.slice(0, shortestDigest)}… is the artifact of ${release.tag}; "${digest}" is not.`,
    )
  }
  if (commits.length === 0) throw new Error(`git shows no commits for ${release.tag}, so its authors are not known.`)
  const names = namesOf(store, by.name)
  const author = authorsOf(commits).find((one) => areSamePerson(names, namesOf(store, one)))
  if (author) throw new Error(`A review needs a second person: ${by.name} wrote commits of ${release.tag} (${author}).`)
  recordGate(
    store,
    {
      kind: 'reviewed',
      digest: release.digest,
      environment: '',
      verdict: 'pass',
      evidence: {
        summary: `${by.name} attests to have reviewed ${commits.length} commits${note.trim() ? `: ${note.trim()}` : ''}`,
        details: {
          digest: release.digest,
          commits: commits.length,
          from: commits[0]?.hash,
          to: release.commit,
          isAuthenticated: by.isAuthenticated,
        },
      },
      by: voucherText(by),
      expiresAt: null,
    },
    now,
  )
}
