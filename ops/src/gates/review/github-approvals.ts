import * as z from 'zod'
import { type Approval, type Forge, ForgeSilence, readList } from './forge.ts'

const pullRequest = z.object({
  number: z.number().int(),
  html_url: z.string(),
  merged_at: z.string().nullable(),
  user: z.object({ login: z.string() }).nullable(),
  head: z.object({ sha: z.string() }),
})
const review = z.object({
  user: z.object({ login: z.string() }).nullable(),
  state: z.string(),
  commit_id: z.string().nullable(),
  submitted_at: z.string().optional(),
})

/**
 * Approvals on GitHub. A commit is approved when a merged pull request that contains it has, by somebody other than its author,
 * an approval as their last word on its final head, and nobody's last word asks for changes.
 */
export function githubForge(options: {
  /** `https://api.github.com`, or `https://<host>/api/v3`. */
  apiUrl: string
  /** `owner/name`. */
  repository: string
  token: string
}): Forge {
  const [owner = '', name = ''] = options.repository.split('/')
  const base = `${options.apiUrl.replace(/\/$/, '')}/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`
  const headers = {
    accept: 'application/vnd.github+json',
    authorization: `Bearer ${options.token}`,
    'x-github-api-version': '2022-11-28',
    'user-agent': 'dam',
  }
  const approvalOf = async (commit: string): Promise<Approval> => {
    const pulls = await readList(new URL(`${base}/commits/${commit}/pulls?per_page=100`), headers)
    if (pulls === null)
      return {
        state: 'unknown',
        because: `GitHub does not know ${options.repository} or commit ${commit.slice(0, 12)}`,
      }
    const merged = pulls.map((item) => parse(pullRequest, item)).filter((pull) => pull.merged_at !== null)
    let because = 'no merged pull request contains it'
    for (const pull of merged) {
      const reviews = await readList(new URL(`${base}/pulls/${pull.number}/reviews?per_page=100`), headers)
      if (reviews === null) throw new ForgeSilence(`GitHub lost pull request ${pull.number}`)
      const verdict = judge(
        pull,
        reviews.map((item) => parse(review, item)),
      )
      if (verdict.by.length > 0 && verdict.against.length === 0)
        return { state: 'approved', by: verdict.by, link: pull.html_url }
      because =
        verdict.against.length > 0
          ? `pull request ${pull.number}: ${verdict.against.join(', ')} asked for changes`
          : `pull request ${pull.number} has no approval of its last state by somebody else`
    }
    return { state: 'not-approved', because }
  }
  return { name: 'GitHub', approvalOf: (commit) => approvalOf(commit).catch(silence) }
}

const silence = (error: unknown): Approval => {
  if (error instanceof ForgeSilence) return { state: 'unknown', because: error.message }
  throw error
}

function parse<T>(schema: z.ZodType<T>, item: unknown): T {
  const parsed = schema.safeParse(item)
  if (!parsed.success) throw new ForgeSilence(`GitHub answered in an unexpected form: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/** The last word of each person; comments are none. Reviews come in the order they were written. */
function judge(
  pull: z.infer<typeof pullRequest>,
  reviews: readonly z.infer<typeof review>[],
): { by: string[]; against: string[] } {
  const last = new Map<string, z.infer<typeof review>>()
  for (const one of reviews) {
    if (!one.user || one.user.login === pull.user?.login) continue
    if (['APPROVED', 'CHANGES_REQUESTED', 'DISMISSED'].includes(one.state)) last.set(one.user.login, one)
  }
  const words = [...last]
  return {
    by: words.flatMap(([login, { state, commit_id }]) =>
      state === 'APPROVED' && commit_id === pull.head.sha ? [login] : [],
    ),
    against: words.flatMap(([login, { state }]) => (state === 'CHANGES_REQUESTED' ? [login] : [])),
  }
}
