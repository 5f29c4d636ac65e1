import { setTimeout as sleep } from 'node:timers/promises'

/** So many that nobody meets one failure twice: a second time would not count. */
const sessions = 2_000
const paths = [
  '/api/assets',
  '/api/assets',
  '/api/assets',
  '/api/assets',
  '/api/collections',
  '/api/collections',
  '/api/search',
  '/api/jobs',
  '/',
  '/assets/app.js',
]
const slowMs = 2_000

export type Failure = { at: number; tag: string | null }

/** `perSecond` requests through the front, each of another person and page; bad are 5xx, broken and slow answers. */
export function startPeople(publicUrl: string, perSecond: number) {
  const failures: Failure[] = []
  let requests = 0
  const stopped = new AbortController()
  const pick = (n: number): number => Math.floor(Math.random() * n)
  const one = async (): Promise<void> => {
    const begin = performance.now()
    const response = await fetch(`${publicUrl}${paths[pick(paths.length)] ?? '/'}?${requests}`, {
      headers: { cookie: `dam_session=bench${pick(sessions)}` },
      signal: AbortSignal.timeout(10_000),
    }).catch(() => null)
    await response?.body?.cancel()
    requests++
    if (!response || response.status >= 500 || performance.now() - begin > slowMs) {
      failures.push({ at: Date.now(), tag: response?.headers.get('x-served-by') ?? null })
    }
  }
  const done = (async () => {
    const running = new Set<Promise<void>>()
    const startedAt = performance.now()
    for (let i = 0; !stopped.signal.aborted; i++) {
      const request = one().finally(() => running.delete(request))
      running.add(request)
      await sleep(Math.max(0, startedAt + ((i + 1) * 1000) / perSecond - performance.now()))
    }
    await Promise.all(running)
  })()
  return {
    stop: async () => {
      stopped.abort()
      await done
      return { requests, failures: failures.toSorted((a, b) => a.at - b.at) }
    },
  }
}
