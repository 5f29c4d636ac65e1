import { describe, expect, it } from 'vitest'
import { fakeForge } from '../testing/fake-forge.ts'
import { gitlabForge } from './gitlab-approvals.ts'

const commit = 'a'.repeat(40)
const request = {
  iid: 3,
  web_url: 'https://gitlab.com/acme/web/dam/-/merge_requests/3',
  state: 'merged',
  author: { username: 'ada' },
}
const approvals = (approved: boolean, ...names: string[]) => ({
  approved,
  approved_by: names.map((username) => ({ user: { username } })),
})

async function ask(requests: unknown, answer: unknown) {
  const base = '/projects/acme%2Fweb%2Fdam'
  await using server = await fakeForge(({ url }) => {
    if (url === `${base}/repository/commits/${commit}/merge_requests?per_page=100`) return { body: requests }
    return url === `${base}/merge_requests/3/approvals` ? { body: answer } : undefined
  })
  const forge = gitlabForge({ apiUrl: server.origin, project: 'acme/web/dam', token: 'made-for-the-test' })
  return { approval: await forge.approvalOf(commit), requests: server.requests }
}

describe('approvals on GitLab', () => {
  it('are asked for as GitLab documents it', async () => {
    const { approval, requests } = await ask([request], approvals(true, 'bo'))
    expect(approval).toEqual({ state: 'approved', by: ['bo'], link: request.web_url })
    expect(requests.map(({ method, headers }) => [method, headers['private-token']])).toEqual([
      ['GET', 'made-for-the-test'],
      ['GET', 'made-for-the-test'],
    ])
  })

  it('do not count from the author, on an open request, or when GitLab asks for more of them', async () => {
    expect((await ask([request], approvals(true, 'ada'))).approval.state).toBe('not-approved')
    expect((await ask([request], approvals(false, 'bo'))).approval.state).toBe('not-approved')
    expect((await ask([request], approvals(true))).approval.state).toBe('not-approved')
    expect((await ask([{ ...request, state: 'opened' }], approvals(true, 'bo'))).approval.state).toBe('not-approved')
    expect((await ask([], null)).approval.state).toBe('not-approved')
  })

  it('are not known when GitLab refuses or answers otherwise', async () => {
    expect((await ask({ message: 'no' }, null)).approval.state).toBe('unknown')
    expect((await ask([request], { approved: true })).approval.state).toBe('unknown')
    for (const status of [401, 404, 502]) {
      await using server = await fakeForge(() => ({ status, body: {} }))
      const forge = gitlabForge({ apiUrl: server.origin, project: 'acme/dam', token: 'x' })
      expect((await forge.approvalOf(commit)).state).toBe('unknown')
    }
  })
})
