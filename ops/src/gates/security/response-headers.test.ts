import { describe, expect, it } from 'vitest'
import { fakeForge } from '../testing/fake-forge.ts'
import { checkResponseHeaders, gradeOf } from './response-headers.ts'

const common = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}
const policy = "default-src 'none'; frame-ancestors 'none'"
const expected = { page: { ...common, 'content-security-policy': policy }, api: common }

async function check(over: {
  page?: Record<string, string>
  api?: Record<string, string>
  tag?: string
  status?: number
}) {
  await using server = await fakeForge(({ url }) => {
    if (url === '/readyz')
      return { body: 'ready', headers: { 'x-dam-release': over.tag ?? 'v1.0.0' }, status: over.status ?? 200 }
    return url === '/'
      ? { body: '', headers: over.page ?? expected.page }
      : { body: '', status: 401, headers: over.api ?? expected.api }
  })
  return await checkResponseHeaders({ origin: server.origin, tag: 'v1.0.0', expected })
}

describe('response headers', () => {
  it('pass when they are exactly the set, with a grade', async () => {
    expect(await check({})).toMatchObject({ state: 'pass', summary: 'response headers exact, A+ (130)', findings: [] })
  })

  it('fail when one is missing, weaker, or every origin may read', async () => {
    for (const name of Object.keys(expected.page)) {
      const page = Object.fromEntries(Object.entries(expected.page).filter(([header]) => header !== name))
      expect((await check({ page })).findings, name).toEqual([expect.stringContaining(`/: ${name} is missing`)])
    }
    expect((await check({ api: { ...common, 'x-frame-options': 'SAMEORIGIN' } })).state).toBe('fail')
    expect((await check({ page: { ...expected.page, 'access-control-allow-origin': '*' } })).state).toBe('fail')
    expect((await check({ page: { ...expected.page, 'set-cookie': 'sid=1; Path=/' } })).state).toBe('fail')
  })

  it('are not known of another release, one that is not ready, or none', async () => {
    expect((await check({ tag: 'v0.9.0' })).state).toBe('unknown')
    expect((await check({ status: 503 })).state).toBe('unknown')
    const nowhere = { origin: 'http://127.0.0.1:9', tag: 'v1.0.0', expected }
    expect((await checkResponseHeaders(nowhere)).state).toBe('unknown')
  })

  it('of nothing at all get a bad grade', () => {
    expect(gradeOf(new Headers())).toEqual({ score: 50, grade: 'D' })
    expect(
      gradeOf(new Headers({ ...expected.page, 'content-security-policy': "script-src 'unsafe-inline'" })).grade,
    ).toBe('B+')
  })
})
