import { describe, expect, it } from 'vitest'
import { newestFinding } from '../gate-store.ts'
import { insertRelease, scratchGates, scratchRelease } from '../testing/scratch-gates.ts'
import { scratchRepository } from '../testing/scratch-repository.ts'
import { attestReview } from './attest-review.ts'
import { readCommits } from './commits.ts'
import type { Forge } from './forge.ts'
import { forgeOf, repositoryOfRemote } from './forge-of-remote.ts'
import { commitsToReview, reviewRelease } from './review-release.ts'

const now = new Date('2027-03-01T12:00:00.000Z')
const bo = 'Bo <bo@example.test>'
const reviewed = (subject: string): string => `${subject}\n\nReviewed-by: ${bo}`

function setting() {
  const stack = new DisposableStack()
  const repository = stack.use(scratchRepository())
  const scratch = stack.use(scratchGates())
  let count = 0
  const release = (commit: string) => {
    const one = scratchRelease({ tag: `v2.0.${++count}`, commit, digest: String(count).repeat(64).slice(0, 64) })
    insertRelease(scratch.store, one)
    return one
  }
  const review = (commit: string, forge: Forge | null = null) =>
    reviewRelease({ store: scratch.store, repositoryDir: repository.dir, forge }, release(commit), now)
  return { repository, scratch, release, review, [Symbol.dispose]: () => stack.dispose() }
}

describe('a release is reviewed', () => {
  it('when somebody else than the author put a name under every commit', async () => {
    using set = setting()
    set.repository.commit(reviewed('first'))
    expect(await set.review(set.repository.commit(reviewed('second')))).toMatchObject({
      verdict: 'pass',
      evidence: { summary: '2 of 2 commits since the first commit reviewed' },
    })
  })

  it('not when one commit has no name, the name of its author, or of a co-author', async () => {
    for (const message of [
      'alone',
      'own\n\nReviewed-by: Ada <ADA@example.test>',
      `together\n\nCo-authored-by: ${bo}\nReviewed-by: ${bo}`,
      'nobody\n\nReviewed-by: everybody',
    ]) {
      using set = setting()
      set.repository.commit(message)
      const finding = await set.review(set.repository.commit(reviewed('last')))
      expect(finding.verdict).toBe('fail')
      expect(finding.evidence.summary).toContain('1 of 2 commits')
    }
  })

  it('counting from the last release whose own review is on record, and not from one that was only built', async () => {
    using set = setting()
    set.repository.commit('unreviewed')
    const built = set.release(set.repository.commit('also unreviewed'))
    const next = set.release(set.repository.commit(reviewed('next')))
    const options = { store: set.scratch.store, repositoryDir: set.repository.dir, forge: null }
    expect((await reviewRelease(options, next, now)).verdict).toBe('fail')
    const commits = await commitsToReview(options, built)
    const by = { name: bo, isAuthenticated: false }
    attestReview({ store: set.scratch.store, release: built, commits }, { by, digest: built.digest, note: '' }, now)
    expect(await reviewRelease(options, next, now)).toMatchObject({
      verdict: 'pass',
      evidence: { summary: `1 of 1 commits since ${built.tag} reviewed` },
    })
    expect(newestFinding(set.scratch.store, { kind: 'reviewed', digest: next.digest, environment: '' })?.verdict).toBe(
      'pass',
    )
  })

  it('when the forge has approved what carries no name, and is not known when it does not answer', async () => {
    for (const [state, verdict] of [
      ['approved', 'pass'],
      ['not-approved', 'fail'],
      ['unknown', 'unknown'],
    ] as const) {
      using set = setting()
      const approval =
        state === 'approved' ? { state, by: ['bo'], link: 'https://forge.test/1' } : { state, because: 'as it is' }
      const finding = await set.review(set.repository.commit('no name'), {
        name: 'forge',
        approvalOf: () => Promise.resolve(approval),
      })
      expect(finding.verdict).toBe(verdict)
    }
  })
})

describe('an attestation', () => {
  const attempt = (by: string, digest: (release: string) => string) => {
    using set = setting()
    const commit = set.repository.commit('work')
    const release = set.release(commit)
    const commits = [
      { hash: commit, subject: 'work', authors: [{ name: 'Ada', email: 'ada@example.test' }], reviewers: [] },
    ]
    const person = { name: by, isAuthenticated: false }
    attestReview(
      { store: set.scratch.store, release, commits },
      { by: person, digest: digest(release.digest), note: '' },
      now,
    )
    return newestFinding(set.scratch.store, { kind: 'reviewed', digest: release.digest, environment: '' })
  }

  it('is taken from a second person who names the artifact, and says that the name is only claimed', () => {
    expect(attempt('bo', (digest) => digest.slice(0, 12))).toMatchObject({
      verdict: 'pass',
      by: 'bo (name as claimed, no operators are registered)',
    })
  })

  it('is refused from an author under any of their names, and for another artifact', () => {
    for (const author of ['Ada', 'ada', 'ADA@example.test', 'Somebody <ada@example.test>']) {
      expect(() => attempt(author, (digest) => digest)).toThrow('second person')
    }
    expect(() => attempt('bo', () => 'f'.repeat(64))).toThrow('Name what was reviewed')
    expect(() => attempt('bo', (digest) => digest.slice(0, 11))).toThrow('Name what was reviewed')
  })
})

describe('git', () => {
  it('is never given anything but a full hash', async () => {
    await expect(readCommits('.', null, '--upload-pack=touch')).rejects.toThrow('is not the full hash')
    await expect(readCommits('.', 'HEAD', 'a'.repeat(40))).rejects.toThrow('is not the full hash')
  })

  it('names the repository by its remote', () => {
    for (const remote of [
      'git@github.com:acme/dam.git',
      'https://github.com/acme/dam',
      'ssh://git@github.com/acme/dam.git',
    ])
      expect(repositoryOfRemote(remote)).toBe('acme/dam')
    expect(repositoryOfRemote('https://gitlab.com/acme/web/dam.git')).toBe('acme/web/dam')
    expect(repositoryOfRemote('/srv/dam.git')).toBeNull()
    expect(forgeOf({ githubToken: 'x' }, null)).toBeNull()
    expect(forgeOf({}, 'git@github.com:acme/dam.git')).toBeNull()
    expect(forgeOf({ gitlabToken: 'x', repository: 'acme/dam' }, null)?.name).toBe('GitLab')
  })
})
