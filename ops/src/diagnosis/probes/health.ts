export type EndpointAnswer = { path: string; status: number | null; tookMs: number; because: string }
export type Health = {
  address: string
  endpoints: EndpointAnswer[]
  database: string
  cache: string
  storage: string
  release: string
}

const boundMs = 2_000

/** The health endpoints, each by itself: what does not answer is part of the news. */
export async function readHealth(address: string, headers: Record<string, string>): Promise<Health> {
  const texts = new Map<string, string>()
  const endpoints = await Promise.all(
    ['/livez', '/readyz', '/health', '/api/health'].map(async (path): Promise<EndpointAnswer> => {
      const startedAt = performance.now()
      const took = (): number => Math.round(performance.now() - startedAt)
      try {
        const response = await fetch(`${address}${path}`, {
          headers,
          redirect: 'manual',
          signal: AbortSignal.timeout(boundMs),
        })
        texts.set(path, await response.text())
        if (path === '/readyz') texts.set('release', response.headers.get('x-dam-release') ?? '')
        return { path, status: response.status, tookMs: took(), because: '' }
      } catch (error) {
        const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
        return {
          path,
          status: null,
          tookMs: took(),
          because: cause instanceof Error ? cause.message || cause.name : String(cause),
        }
      }
    }),
  )
  let body: Record<string, unknown> = {}
  try {
    body = JSON.parse(texts.get('/api/health') ?? '{}') as Record<string, unknown>
  } catch {
    // No body of ours; the statuses say enough.
  }
  const word = (name: string): string => (typeof body[name] === 'string' ? body[name] : 'unknown')
  return {
    address,
    endpoints,
    database: word('database'),
    cache: word('cache'),
    storage: word('storage'),
    release: texts.get('release') ?? '',
  }
}
