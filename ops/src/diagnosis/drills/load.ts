import { setTimeout as sleep } from 'node:timers/promises'

export type LoadSeen = { requests: number; failed: number; slow: number }
export type Load = { seen(): LoadSeen; stop(): Promise<void> }

const paths = [
  '/api/v4/dam/assets/?page_size=20',
  '/api/v4/tags/',
  '/api/v4/collections/',
  '/api/v4/users/current/',
  '/api/v4/dam/assets/?ordering=-size',
  '/api/health',
]

/** People at work: reads of all kinds and now and then a write, so many a second, at most 24 at the same time. */
export function startLoad(input: {
  address: string
  authorization: string
  perSecond: number
  random: () => number
}): Load {
  const stopping = new AbortController()
  const seen: LoadSeen = { requests: 0, failed: 0, slow: 0 }
  const open = new Set<Promise<void>>()
  let number = 0
  const once = async (): Promise<void> => {
    const isWrite = input.random() < 0.2
    const path = isWrite ? '/api/v4/collections/' : (paths[Math.floor(input.random() * paths.length)] ?? '/')
    const startedAt = performance.now()
    try {
      const response = await fetch(`${input.address}${path}`, {
        method: isWrite ? 'POST' : 'GET',
        headers: { authorization: input.authorization, ...(isWrite ? { 'content-type': 'application/json' } : {}) },
        ...(isWrite ? { body: JSON.stringify({ name: `drill ${process.pid} ${Date.now()} ${number++}` }) } : {}),
        signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(35_000)]),
      })
      await response.arrayBuffer()
      if (response.status >= 500) seen.failed++
    } catch {
      if (!stopping.signal.aborted) seen.failed++
    }
    if (stopping.signal.aborted) return
    seen.requests++
    if (performance.now() - startedAt > 1_000) seen.slow++
  }
  const running = (async () => {
    while (!stopping.signal.aborted) {
      if (open.size < 24) {
        const request = once().finally(() => open.delete(request))
        open.add(request)
      } else seen.slow++
      await sleep(1_000 / input.perSecond, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  })()
  return {
    seen: () => ({ ...seen }),
    stop: async () => {
      stopping.abort()
      await running
      await Promise.allSettled(open)
    },
  }
}
