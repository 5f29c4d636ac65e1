import type { Config } from '@dam/backend/src/config.ts'
import type { Finding } from './finding.ts'

export async function checkRedis({ redisUrl }: Config): Promise<Finding[]> {
  const name = 'redis'
  if (!redisUrl) return [{ name, state: 'ok', detail: 'not configured: the cache is inside the process' }]
  const { Redis } = await import('ioredis')
  const redis = new Redis(redisUrl.reveal(), {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    retryStrategy: () => null,
  })
  redis.on('error', () => undefined)
  try {
    await redis.connect()
    const version = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'version not known'
    return [{ name, state: 'ok', detail: version }]
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [
      {
        name,
        state: 'warning',
        detail: `REDIS_URL does not answer (${reason})`,
        purpose: 'DAM runs without it, slower',
        remedy: 'apt-get install -y redis-server, or remove REDIS_URL',
      },
    ]
  } finally {
    redis.disconnect()
  }
}
