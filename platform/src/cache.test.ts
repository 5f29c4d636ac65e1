import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCache, type Cache } from './cache.ts'
import { externalRedisUrl } from './testing/config.ts'

if (!externalRedisUrl) console.log('DAM_TEST_REDIS_URL is not set: the cache is tested in memory only.')

const kinds = [
  { kind: 'memory' as const, url: undefined },
  ...(externalRedisUrl ? [{ kind: 'redis' as const, url: externalRedisUrl }] : []),
]

describe.each(kinds)('a cache in $kind', ({ kind, url }) => {
  let cache: Cache
  const hits: boolean[] = []
  beforeAll(async () => {
    cache = openCache({ ...(url ? { redisUrl: url } : {}), onHit: (hit) => hits.push(hit) })
    while (!cache.isConnected()) await new Promise((resolve) => setTimeout(resolve, 20))
  })
  afterAll(() => cache.close())

  test('computes a value once for concurrent callers and remembers it', async () => {
    expect(cache.kind).toBe(kind)
    let computed = 0
    const compute = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return { n: ++computed }
    }
    const key = `test-${Math.random()}`
    expect(await Promise.all(Array.from({ length: 20 }, () => cache.remember(key, 60, compute)))).toEqual(
      Array.from({ length: 20 }, () => ({ n: 1 })),
    )
    expect(await cache.remember(key, 60, compute)).toEqual({ n: 1 })
    await cache.forget(key)
    expect(await cache.remember(key, 60, compute)).toEqual({ n: 2 })
    expect(hits).toContain(true)
  })

  test('a failed computation is not remembered', async () => {
    const key = `test-${Math.random()}`
    await expect(cache.remember(key, 60, async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await cache.remember(key, 60, async () => 'yes')).toBe('yes')
  })
})

test.runIf(externalRedisUrl)(
  'every key begins with dam:, and a flush or a lost server costs only the computation',
  async () => {
    const cache = openCache({ redisUrl: externalRedisUrl as string })
    const redis = new Redis(externalRedisUrl as string)
    while (!cache.isConnected()) await new Promise((resolve) => setTimeout(resolve, 20))
    await cache.remember('flush', 60, async () => 1)
    const keys = await redis.keys('*')
    expect(keys.filter((key) => !key.startsWith('dam:'))).toEqual([])
    await redis.flushdb()
    expect(await cache.remember('flush', 60, async () => 2)).toBe(2)
    redis.disconnect()
    await cache.close()

    const unreachable = openCache({ redisUrl: 'redis://127.0.0.1:1', onError: () => undefined })
    expect(await unreachable.remember('x', 60, async () => 3)).toBe(3)
    expect(unreachable.isConnected()).toBe(false)
    await unreachable.close()
  },
)
