import type { Release } from '../../releases/release.ts'
import type { Store } from '../../store.ts'
import type { GateFinding } from '../gate-deps.ts'
import { recordGate } from '../gate-store.ts'
import { type Commit, isAncestor, readCommits } from './commits.ts'
import type { Approval, Forge } from './forge.ts'

export type ReviewOptions = {
  store: Store
  /** A clone that has the release's commit. */
  repositoryDir: string
  /** Null: no token for one, so only trailers and attestations count. */
  forge: Forge | null
}

type Seen = { commit: string; subject: string; how: string; state: 'reviewed' | 'not-reviewed' | 'unknown' }

/**
 * Looks whether somebody other than its authors has reviewed every commit since the last reviewed release (or the root). A pass
 * goes on record, because the next release counts from here.
 */
export async function reviewRelease(options: ReviewOptions, release: Release, now: Date): Promise<GateFinding> {
  const base = await reviewedBase(options, release)
  const commits = await readCommits(options.repositoryDir, base?.commit ?? null, release.commit)
  if (commits.length === 0 && !base) throw new Error(`git shows no commits for ${release.commit}`)
  const seen: Seen[] = []
  for (const commit of commits) seen.push(await look(commit, options.forge))
  const finding = conclude(seen, base?.tag ?? null)
  if (finding.verdict === 'pass') {
    const { digest } = release
    const { evidence, by } = finding
    recordGate(
      options.store,
      { kind: 'reviewed', digest, environment: '', verdict: 'pass', evidence, by, expiresAt: null },
      now,
    )
  }
  return finding
}

/** The commits whose review a release needs: since the last reviewed release, or all. */
export async function commitsToReview(options: Omit<ReviewOptions, 'forge'>, release: Release): Promise<Commit[]> {
  const base = await reviewedBase(options, release)
  return readCommits(options.repositoryDir, base?.commit ?? null, release.commit)
}

/** The newest ancestor in the ledger whose own review is on record; a release that was only built or waived is none. */
async function reviewedBase(
  { store, repositoryDir }: Omit<ReviewOptions, 'forge'>,
  release: Release,
): Promise<{ tag: string; commit: string } | null> {
  const candidates = store.rows<{ tag: string; commit: string; digest: string }>(
    `select tag, commit_hash as "commit", digest from release
     where digest <> ? and commit_hash <> ? and exists (
       select 1 from gate_record where gate_record.digest = release.digest and kind = 'reviewed' and verdict = 'pass')`,
    release.digest,
    release.commit,
  )
  let newest: { tag: string; commit: string } | null = null
  for (const candidate of candidates) {
    if (!(await isAncestor(repositoryDir, candidate.commit, release.commit))) continue
    if (!newest || (await isAncestor(repositoryDir, newest.commit, candidate.commit))) newest = candidate
  }
  return newest
}

async function look(commit: Commit, forge: Forge | null): Promise<Seen> {
  const { hash, subject } = commit
  const authors = new Set(commit.authors.map(({ email }) => email))
  const reviewer = commit.reviewers.find(({ email }) => !authors.has(email))
  const base = { commit: hash, subject }
  if (reviewer) return { ...base, state: 'reviewed', how: `Reviewed-by: ${reviewer.name} <${reviewer.email}>` }
  const own = commit.reviewers.length > 0 ? 'reviewed only by its author' : 'no Reviewed-by'
  if (!forge) return { ...base, state: 'not-reviewed', how: own }
  return { ...base, ...describe(await forge.approvalOf(hash), own, forge.name) }
}

function describe(approval: Approval, own: string, forge: string): Pick<Seen, 'state' | 'how'> {
  switch (approval.state) {
    case 'approved':
      return { state: 'reviewed', how: `approved on ${forge} by ${approval.by.join(', ')}: ${approval.link}` }
    case 'not-approved':
      return { state: 'not-reviewed', how: `${own}; ${approval.because}` }
    case 'unknown':
      return { state: 'unknown', how: `${own}; not known: ${approval.because}` }
  }
}

function conclude(seen: readonly Seen[], base: string | null): GateFinding {
  const since = base ? `since ${base}` : 'since the first commit'
  const missing = seen.filter(({ state }) => state === 'not-reviewed')
  const unknown = seen.filter(({ state }) => state === 'unknown')
  const details = {
    since: base,
    commits: seen.length,
    notReviewed: [...missing, ...unknown].slice(0, 50),
    seen: seen.slice(-200),
  }
  const example = [...missing, ...unknown][0]
  const count = `${seen.length - missing.length - unknown.length} of ${seen.length} commits ${since} reviewed`
  const because = example ? `; ${example.commit.slice(0, 9)}: ${example.how}` : ''
  const verdict = missing.length > 0 ? 'fail' : unknown.length > 0 ? 'unknown' : 'pass'
  return { verdict, evidence: { summary: count + because, details }, by: 'dam' }
}
