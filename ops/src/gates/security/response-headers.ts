import type { CheckLine } from './check-line.ts'

export type HeaderSets = { page: Record<string, string>; api: Record<string, string> }

/**
 * Asks a running release for its page, its API and a page that does not exist, and holds the answers against the exact sets.
 * The evidence carries a grade as the public graders count it, of the page.
 */
export async function checkResponseHeaders(options: {
  origin: string
  /** Tag that must be answering; a release does not vouch for another. */
  tag: string
  expected: HeaderSets
  timeoutMs?: number
}): Promise<CheckLine> {
  const { origin, tag, expected, timeoutMs = 10_000 } = options
  const ask = (pathname: string): Promise<Response> =>
    fetch(new URL(pathname, origin), { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
  const unknown = (because: string): CheckLine => ({
    check: 'headers',
    state: 'unknown',
    summary: `response headers not known: ${because}`,
    findings: [],
  })
  let answers: { name: string; headers: Headers; wanted: Record<string, string> }[]
  try {
    const ready = await ask('/readyz')
    const found = ready.headers.get('x-dam-release')
    if (ready.status !== 200 || found !== tag) {
      return unknown(
        `${origin} is ${ready.status === 200 ? (found ?? 'a release without a name') : 'not ready'}, not ${tag}`,
      )
    }
    const [page, missing, api] = await Promise.all([ask('/'), ask('/api/v4/there-is-none/'), ask('/api/v4/assets/')])
    if (page.status !== 200) return unknown(`${origin}/ answered ${page.status}`)
    answers = [
      { name: '/', headers: page.headers, wanted: expected.page },
      { name: '/api/v4/there-is-none/', headers: missing.headers, wanted: expected.api },
      { name: '/api/v4/assets/', headers: api.headers, wanted: expected.api },
    ]
  } catch (error) {
    return unknown(`${origin} does not answer (${error instanceof Error ? error.message : String(error)})`)
  }
  const findings = answers.flatMap(({ name, headers, wanted }) => compare(name, headers, wanted))
  const { score, grade } = gradeOf(answers[0]?.headers ?? new Headers())
  const summary =
    findings.length === 0
      ? `response headers exact, ${grade} (${score})`
      : `${findings.length} response headers differ, ${grade} (${score})`
  return { check: 'headers', state: findings.length === 0 && score >= 90 ? 'pass' : 'fail', summary, findings }
}

function compare(name: string, headers: Headers, wanted: Record<string, string>): string[] {
  const findings = Object.entries(wanted).flatMap(([header, value]) => {
    const found = headers.get(header)
    return found === value
      ? []
      : [`${name}: ${header} is ${found === null ? 'missing' : `"${found}"`}, should be "${value}"`]
  })
  const origin = headers.get('access-control-allow-origin')
  if (origin === '*') findings.push(`${name}: every origin may read the answer`)
  for (const cookie of headers.getSetCookie()) {
    if (!/;\s*httponly/i.test(cookie) || !/;\s*samesite=(?:lax|strict)/i.test(cookie))
      findings.push(`${name}: cookie ${cookie.split('=')[0] ?? ''} lacks HttpOnly or SameSite`)
  }
  return findings
}

/** Points as the MDN Observatory gives and takes them for the headers we use. Strict transport security counts by https only. */
export function gradeOf(headers: Headers): { score: number; grade: string } {
  const policy = headers.get('content-security-policy') ?? ''
  const has = (directive: string): boolean => policy.includes(directive)
  const takes = [
    policy === '' ? 25 : 0,
    has("'unsafe-inline'") || has("'unsafe-eval'") ? 20 : 0,
    headers.get('x-content-type-options') === 'nosniff' ? 0 : 5,
    headers.get('x-frame-options') === 'DENY' || has('frame-ancestors') ? 0 : 20,
    headers.get('access-control-allow-origin') === '*' ? 50 : 0,
  ].reduce((sum, points) => sum + points, 0)
  const gives = [
    has("default-src 'none'") && !has("'unsafe-") ? 10 : 0,
    has("frame-ancestors 'none'") ? 5 : 0,
    ['no-referrer', 'same-origin', 'strict-origin'].includes(headers.get('referrer-policy') ?? '') ? 5 : 0,
    ['same-origin', 'same-site'].includes(headers.get('cross-origin-resource-policy') ?? '') ? 10 : 0,
    /max-age=\d{8,}.*preload/.test(headers.get('strict-transport-security') ?? '') ? 5 : 0,
  ].reduce((sum, points) => sum + points, 0)
  const base = 100 - takes
  // A bonus only ever improves what is good already.
  const score = base >= 90 ? base + gives : base
  const grades: [number, string][] = [
    [100, 'A+'],
    [90, 'A'],
    [80, 'B+'],
    [70, 'B'],
    [60, 'C'],
    [45, 'D'],
  ]
  return { score, grade: grades.find(([least]) => score >= least)?.[1] ?? 'F' }
}
