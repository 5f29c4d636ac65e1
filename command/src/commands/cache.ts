import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { recordAudit } from '@dam/ops/src/audit/audit.ts'
import { known } from '@dam/ops/src/diagnosis/findings.ts'
import { runProbes } from '@dam/ops/src/diagnosis/diagnose.ts'
import { reasonOf } from '@dam/ops/src/diagnosis/probe.ts'
import { clearKeys, readRedis, sampleKeys } from '@dam/ops/src/diagnosis/probes/redis.ts'
import { openDiagnosisPlace, placeOptions } from '../diagnosis/diagnosis-place.ts'
import { CommandFailure } from '../failure.ts'
import { tableText } from '../table.ts'

export const help = `
Usage: ./dam cache stats         hits and misses of Redis, and of the caches inside the web process
       ./dam cache keys [-n 20]  a sample of the keys under dam: (SCAN; KEYS would make everybody wait)
       ./dam cache clear --yes   delete the keys under dam: and nothing else

The cache holds only what can be computed again, so clearing it loses nothing; the next answers are slower.
--environment <name>, --json.
`

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...placeOptions,
      lines: { type: 'string', short: 'n', default: '20' },
      yes: { type: 'boolean', default: false },
    },
  })
  const [view] = positionals
  if (positionals.length !== 1) throw new CommandFailure(help.trim())
  using access = openDiagnosisPlace(values)
  const { place, watch } = access
  const ofRedis = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw new CommandFailure(`Redis: ${reasonOf(error)}`)
    }
  }
  switch (view) {
    case 'stats': {
      const [redis, findings] = await Promise.all([
        readRedis(place.redisUrl).catch(reasonOf),
        runProbes({ ...place, gapMs: 200 }, ['metrics']),
      ])
      const caches = known(findings, 'metrics')?.cache ?? null
      if (values.json) console.log(JSON.stringify({ redis, caches }, null, 2))
      else {
        if (typeof redis === 'string') console.log(`Redis: ${redis}`)
        else
          console.log(
            `Redis ${redis.version}: ${redis.hits} hits, ${redis.misses} misses (${percent(redis.hits, redis.misses)}), ${(redis.usedBytes / 1024 ** 2).toFixed(1)} MB, ${redis.evicted} evicted, ping ${redis.pingMs.toFixed(1)} ms`,
          )
        if (caches === null) console.log('The web process does not answer; its own counts are unknown.')
        else
          for (const { name, hits, misses } of caches)
            console.log(
              `${name.padEnd(12)}${hits} hits, ${misses} misses (${percent(hits, misses)}) since the web process started`,
            )
      }
      return typeof redis === 'string' && !/is configured/.test(redis) ? 1 : 0
    }
    case 'keys': {
      const keys = await ofRedis(() => sampleKeys(place.redisUrl, Number(values.lines)))
      if (values.json) console.log(JSON.stringify(keys, null, 2))
      else
        console.log(
          tableText(
            ['key', 'bytes', 'seconds left'],
            keys.map(({ key, bytes, ttlSeconds }) => [key, bytes, ttlSeconds < 0 ? 'for ever' : ttlSeconds]),
          ),
        )
      return 0
    }
    case 'clear': {
      if (!values.yes)
        throw new CommandFailure('This deletes the keys under dam: in Redis. It loses nothing; say --yes.')
      const cleared = await ofRedis(() => clearKeys(place.redisUrl))
      recordAudit(place.store, {
        who: watch.who || userInfo().username,
        action: 'cache.clear',
        subject: place.environment.name,
        detail: { keys: cleared },
        now: watch.now,
      })
      console.log(`${cleared} keys deleted.`)
      return 0
    }
    default:
      throw new CommandFailure(help.trim())
  }
}

const percent = (hits: number, misses: number): string =>
  hits + misses === 0 ? 'nothing asked' : `${Math.round((hits / (hits + misses)) * 100)} %`
