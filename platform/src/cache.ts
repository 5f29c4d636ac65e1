import { Redis } from 'ioredis'

/**
 * Holds only what can be computed again. In the process, or shared through Redis under keys `dam:…`; losing everything in it
 * changes latency and nothing else, so every Redis failure reads as a miss.
 */
export type Cache = {
  readonly kind: 'memory' | 'redis'
  /** The cached value, or what `compute` gives; concurrent callers of one key share one computation. */
  remember<T>(key: string, ttlSeconds: number, compute: () => Promise<T>): Promise<T>
  forget(key: string): Promise<void>
  isConnected(): boolean
  close(): Promise<void>
}

export type CacheOptions = {
  redisUrl?: string
  onHit?: (hit: boolean) => void
  onError?: (error: Error) => void
  maxEntries?: number
}

type Backing = {
  get(key: string): Promise<string | null>
  set(key: string, text: string, ttlSeconds: number): Promise<void>
  delete(key: string): Promise<void>
}

export function openCache(options: CacheOptions): Cache {
  const redis = options.redisUrl ? connect(options.redisUrl, options.onError) : undefined
  const backing = redis ? overRedis(redis) : inMemory(options.maxEntries ?? 5_000)
  const pending = new Map<string, Promise<unknown>>()

  const remember = async <T>(key: string, ttlSeconds: number, compute: () => Promise<T>): Promise<T> => {
    const running = pending.get(key)
    if (running) return running as Promise<T>
    const work = (async () => {
      const cached = await backing.get(`dam:${key}`)
      options.onHit?.(cached !== null)
      if (cached !== null) return JSON.parse(cached) as T
      const value = await compute()
      await backing.set(`dam:${key}`, JSON.stringify(value), ttlSeconds)
      return value
    })()
    pending.set(key, work)
    try {
      return await work
    } finally {
      pending.delete(key)
    }
  }

  return {
    kind: redis ? 'redis' : 'memory',
    remember,
    forget: (key) => backing.delete(`dam:${key}`),
    isConnected: () => redis === undefined || redis.status === 'ready',
    close: async () => {
      redis?.disconnect()
    },
  }
}

function connect(url: string, onError?: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 500,
    connectTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(attempt * 200, 5_000),
  })
  redis.on('error', (error: Error) => onError?.(error))
  return redis
}

function overRedis(redis: Redis): Backing {
  return {
    get: (key) => redis.get(key).catch(() => null),
    set: async (key, text, ttlSeconds) => {
      await redis.set(key, text, 'EX', ttlSeconds).catch(() => undefined)
    },
    delete: async (key) => {
      await redis.del(key).catch(() => undefined)
    },
  }
}

function inMemory(maxEntries: number): Backing {
  const entries = new Map<string, { text: string; expiresAt: number }>()
  return {
    get: async (key) => {
      const entry = entries.get(key)
      if (!entry) return null
      entries.delete(key)
      if (entry.expiresAt < performance.now()) return null
      entries.set(key, entry)
      return entry.text
    },
    set: async (key, text, ttlSeconds) => {
      entries.delete(key)
      entries.set(key, { text, expiresAt: performance.now() + ttlSeconds * 1000 })
      if (entries.size > maxEntries) entries.delete(entries.keys().next().value as string)
    },
    delete: async (key) => {
      entries.delete(key)
    },
  }
}
