import * as z from 'zod'
import { type Approval, type Forge, ForgeSilence, readList, readObject } from './forge.ts'

const mergeRequest = z.object({
  iid: z.number().int(),
  web_url: z.string(),
  state: z.string(),
  author: z.object({ username: z.string() }).nullable(),
})
const approvals = z.object({
  approved: z.boolean().optional(),
  approved_by: z.array(z.object({ user: z.object({ username: z.string() }) })),
})

/**
 * Approvals on GitLab. A commit is approved when a merged merge request that contains it was approved by somebody other than its
 * author, and GitLab itself counts it as approved. Projects should let new commits remove approvals: GitLab's answer does not say
 * which state was approved.
 */
export function gitlabForge(options: {
  /** `https://gitlab.com/api/v4`. */
  apiUrl: string
  /** `group/subgroup/name`. */
  project: string
  token: string
}): Forge {
  const base = `${options.apiUrl.replace(/\/$/, '')}/projects/${encodeURIComponent(options.project)}`
  const headers = { accept: 'application/json', 'private-token': options.token, 'user-agent': 'dam' }
  const approvalOf = async (commit: string): Promise<Approval> => {
    const requests = await readList(
      new URL(`${base}/repository/commits/${commit}/merge_requests?per_page=100`),
      headers,
    )
    if (requests === null)
      return { state: 'unknown', because: `GitLab does not know ${options.project} or commit ${commit.slice(0, 12)}` }
    let because = 'no merged merge request contains it'
    for (const request of requests.map((item) => parse(mergeRequest, item))) {
      if (request.state !== 'merged') continue
      const answer = await readObject(new URL(`${base}/merge_requests/${request.iid}/approvals`), headers)
      if (answer === null) throw new ForgeSilence(`GitLab does not show the approvals of merge request ${request.iid}`)
      const { approved, approved_by } = parse(approvals, answer)
      const by = approved_by.map(({ user }) => user.username).filter((name) => name !== request.author?.username)
      if (by.length > 0 && approved !== false) return { state: 'approved', by, link: request.web_url }
      because = `merge request ${request.iid} has no approval by somebody else`
    }
    return { state: 'not-approved', because }
  }
  return {
    name: 'GitLab',
    approvalOf: (commit) =>
      approvalOf(commit).catch((error: unknown): Approval => {
        if (error instanceof ForgeSilence) return { state: 'unknown', because: error.message }
        throw error
      }),
  }
}

function parse<T>(schema: z.ZodType<T>, item: unknown): T {
  const parsed = schema.safeParse(item)
  if (!parsed.success) throw new ForgeSilence(`GitLab answered in an unexpected form: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}
