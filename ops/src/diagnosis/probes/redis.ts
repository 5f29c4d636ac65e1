import { Redis } from 'ioredis'
import { NotThere } from '../probe.ts'

export type RedisState = {
  version: string
  pingMs: number
  /** From `INFO stats`, since the server started. */
  hits: number
  misses: number
  evicted: number
  rejectedConnections: number
  usedBytes: number
  maxBytes: number
  clients: number
}

/** One connection to the cache for a look or two. Throws NotThere when no Redis is configured. */
export async function withRedis<T>(url: string | null, work: (redis: Redis) => Promise<T>): Promise<T> {
  if (url === null) throw new NotThere('no Redis is configured (REDIS_URL): the cache is inside each process')
  const redis = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
    retryStrategy: () => null,
  })
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}

export const readRedis = (url: string | null): Promise<RedisState> =>
  withRedis(url, async (redis) => {
    const startedAt = performance.now()
    await redis.ping()
    const pingMs = performance.now() - startedAt
    const info = parseRedisInfo(await redis.info())
    const number = (name: string): number => Number(info[name] ?? 0)
    return {
      version: info['redis_version'] ?? '',
      pingMs,
      hits: number('keyspace_hits'),
      misses: number('keyspace_misses'),
      evicted: number('evicted_keys'),
      rejectedConnections: number('rejected_connections'),
      usedBytes: number('used_memory'),
      maxBytes: number('maxmemory'),
      clients: number('connected_clients'),
    }
  })

export const parseRedisInfo = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(':')
      return at <= 0 || line.startsWith('#') ? [] : [[line.slice(0, at), line.slice(at + 1)]]
    }),
  )

/** A sample of keys under `dam:` with what they take; SCAN, never KEYS, so that nobody waits. */
export const sampleKeys = (
  url: string | null,
  most: number,
): Promise<{ key: string; bytes: number | null; ttlSeconds: number }[]> =>
  withRedis(url, async (redis) => {
    const keys = new Set<string>()
    let cursor = '0'
    do {
      const [next, some] = await redis.scan(cursor, 'MATCH', 'dam:*', 'COUNT', 200)
      for (const key of some) if (keys.size < most) keys.add(key)
      cursor = next
    } while (cursor !== '0' && keys.size < most)
    return Promise.all(
      [...keys].map(async (key) => ({
        key,
        bytes: await redis.memory('USAGE', key),
        ttlSeconds: await redis.ttl(key),
      })),
    )
  })

/** Deletes every key under `dam:` and nothing else; returns how many. The cache holds only what can be computed again. */
export const clearKeys = (url: string | null): Promise<number> =>
  withRedis(url, async (redis) => {
    let cleared = 0
    let cursor = '0'
    do {
      const [next, some] = await redis.scan(cursor, 'MATCH', 'dam:*', 'COUNT', 500)
      if (some.length > 0) cleared += await redis.unlink(...some)
      cursor = next
    } while (cursor !== '0')
    return cleared
  })
