import { describe, expect, it } from 'vitest'
import { type ForgeAnswer, fakeForge } from '../testing/fake-forge.ts'
import { githubForge } from './github-approvals.ts'

const commit = 'a'.repeat(40)
const head = 'b'.repeat(40)
const pull = {
  number: 7,
  html_url: 'https://github.com/acme/dam/pull/7',
  merged_at: '2027-01-01T00:00:00Z',
  user: { login: 'ada' },
  head: { sha: head },
}
const review = (login: string, state: string, commitId = head) => ({
  user: { login },
  state,
  commit_id: commitId,
  submitted_at: '2027-01-01T00:00:00Z',
})

async function ask(pulls: unknown, reviews: unknown) {
  await using server = await fakeForge((request) => {
    const answers: Record<string, ForgeAnswer> = {
      [`/repos/acme/dam/commits/${commit}/pulls?per_page=100`]: { body: pulls },
      '/repos/acme/dam/pulls/7/reviews?per_page=100': { body: reviews },
    }
    return request.method === 'GET' ? answers[request.url ?? ''] : undefined
  })
  const forge = githubForge({ apiUrl: server.origin, repository: 'acme/dam', token: 'made-for-the-test' })
  return { approval: await forge.approvalOf(commit), requests: server.requests }
}

describe('approvals on GitHub', () => {
  it('are asked for as GitHub documents it', async () => {
    const { approval, requests } = await ask([pull], [review('bo', 'APPROVED')])
    expect(approval).toEqual({ state: 'approved', by: ['bo'], link: pull.html_url })
    expect(requests.map(({ url }) => url)).toEqual([
      `/repos/acme/dam/commits/${commit}/pulls?per_page=100`,
      '/repos/acme/dam/pulls/7/reviews?per_page=100',
    ])
    for (const { headers } of requests) {
      expect(headers).toMatchObject({
        accept: 'application/vnd.github+json',
        authorization: 'Bearer made-for-the-test',
        'x-github-api-version': '2022-11-28',
        'user-agent': 'dam',
      })
    }
  })

  it('count the last word of each person, and no comment takes it back', async () => {
    const cases: [unknown[], string][] = [
      [[review('bo', 'CHANGES_REQUESTED'), review('bo', 'APPROVED')], 'approved'],
      [[review('bo', 'APPROVED'), review('bo', 'COMMENTED')], 'approved'],
      [[review('bo', 'APPROVED'), review('bo', 'DISMISSED')], 'not-approved'],
      [[review('bo', 'APPROVED'), review('bo', 'CHANGES_REQUESTED')], 'not-approved'],
      [[review('bo', 'APPROVED'), review('cy', 'CHANGES_REQUESTED')], 'not-approved'],
      [[], 'not-approved'],
    ]
    for (const [reviews, state] of cases) expect((await ask([pull], reviews)).approval.state).toBe(state)
  })

  it('do not count from the author, nor for an earlier state, nor on what was not merged', async () => {
    expect((await ask([pull], [review('ada', 'APPROVED')])).approval.state).toBe('not-approved')
    expect((await ask([pull], [review('bo', 'APPROVED', commit)])).approval.state).toBe('not-approved')
    expect((await ask([{ ...pull, merged_at: null }], [review('bo', 'APPROVED')])).approval.state).toBe('not-approved')
    expect((await ask([], [])).approval.state).toBe('not-approved')
  })

  it('are not known when GitHub refuses, breaks, answers otherwise or is not there', async () => {
    for (const status of [401, 403, 404, 429, 500]) {
      await using server = await fakeForge(() => ({ status, body: { message: 'no' } }))
      const forge = githubForge({ apiUrl: server.origin, repository: 'acme/dam', token: 'x' })
      expect((await forge.approvalOf(commit)).state, String(status)).toBe('unknown')
    }
    for (const body of ['<html>', { message: 'fine' }, [{ number: 'seven' }]]) {
      await using server = await fakeForge(() => ({ body }))
      const forge = githubForge({ apiUrl: server.origin, repository: 'acme/dam', token: 'x' })
      expect((await forge.approvalOf(commit)).state).toBe('unknown')
    }
    const nowhere = githubForge({ apiUrl: 'http://127.0.0.1:9', repository: 'acme/dam', token: 'x' })
    expect(await nowhere.approvalOf(commit)).toMatchObject({ state: 'unknown' })
  })

  it('are read over all pages, and the token goes to no other server', async () => {
    await using server = await fakeForge((request, origin) => {
      if (request.url?.includes('/commits/')) return { body: [pull] }
      if (request.url?.endsWith('page=2')) return { body: [review('bo', 'APPROVED')] }
      const next = `<${origin}/repos/acme/dam/pulls/7/reviews?per_page=100&page=2>; rel="next"`
      return { body: [review('bo', 'CHANGES_REQUESTED')], headers: { link: next } }
    })
    const forge = githubForge({ apiUrl: server.origin, repository: 'acme/dam', token: 'x' })
    expect((await forge.approvalOf(commit)).state).toBe('approved')
    await using other = await fakeForge(() => ({ body: [] }))
    await using sly = await fakeForge(() => ({ body: [pull], headers: { link: `<${other.origin}/>; rel="next"` } }))
    const led = githubForge({ apiUrl: sly.origin, repository: 'acme/dam', token: 'x' })
    expect((await led.approvalOf(commit)).state).toBe('unknown')
    expect(other.requests).toEqual([])
  })
})
