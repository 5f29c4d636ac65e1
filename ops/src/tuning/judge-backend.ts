import type { Found } from '../diagnosis/findings.ts'
import { judged, type TuningLine, unknownLine } from './tuning-line.ts'

export type BackendTargets = { p95Seconds: number }

type Maybe<T> = T | string

/** Slowest routes against the target of the policy. */
export function judgeRoutes(found: Maybe<Found['metrics']>, { p95Seconds }: BackendTargets): TuningLine[] {
  const line = {
    area: 'backend',
    name: 'API response times',
    bound: `p95 < ${Math.round(p95Seconds * 1_000)} ms on every route`,
  } as const
  if (typeof found === 'string') return [unknownLine(line, found)]
  const used = found.sinceStart.filter(({ requests, route }) => requests >= 20 && !/stream|uploads/.test(route))
  if (used.length === 0) return [unknownLine(line, 'no route was asked twenty times since the process started')]
  const slow = used.filter((one) => (one.p95Seconds ?? 0) >= p95Seconds)
  const worst = used[0]
  return [
    judged({
      ...line,
      isOk: slow.length === 0,
      figure: `${slow.length} of ${used.length} routes are slower; slowest ${worst?.method} ${worst?.route}, p95 ${Math.round((worst?.p95Seconds ?? 0) * 1_000)} ms`,
      advice: './dam diagnose slow says where the time goes.',
    }),
  ]
}

export function judgeStatements(statements: Maybe<Found['statements']>, tables: Maybe<Found['tables']>): TuningLine[] {
  const slow = { area: 'backend', name: 'Slow queries', bound: 'mean < 100 ms for what ran ten times' } as const
  const index = {
    area: 'backend',
    name: 'Indexes',
    bound: 'no big table is read from end to end again and again',
  } as const
  const lines: TuningLine[] = []
  if (typeof statements === 'string') lines.push(unknownLine(slow, statements))
  else {
    const found = statements.slowest.filter(({ meanMs, calls }) => meanMs >= 100 && calls >= 10)
    lines.push(
      judged({
        ...slow,
        isOk: found.length === 0,
        figure: found[0]
          ? `${found.length}, such as ${Math.round(found[0].meanMs)} ms: ${found[0].query.slice(0, 80)}`
          : 'none',
        advice: './dam db slow, and look at the plan of the first.',
      }),
    )
  }
  if (typeof tables === 'string') lines.push(unknownLine(index, tables))
  else {
    const advised = tables.flatMap(({ table, missingIndex }) => (missingIndex ? [{ table, ...missingIndex }] : []))
    lines.push(
      judged({
        ...index,
        isOk: advised.length === 0,
        figure:
          advised.length === 0
            ? 'none is missing'
            : advised.map(({ table, column }) => `${table} by ${column}`).join(', '),
        advice: advised
          .map(({ table, column, name }) => `create index concurrently ${name} on ${table} (${column})`)
          .join('; '),
      }),
    )
  }
  return lines
}

export function judgeCaches(metrics: Maybe<Found['metrics']>, redis: Maybe<Found['redis']>): TuningLine[] {
  const line = {
    area: 'backend',
    name: 'Cache hit rate',
    bound: '>= 80 % of what was asked at least 200 times',
  } as const
  const counts = [
    ...(typeof metrics === 'string' ? [] : metrics.cache),
    ...(typeof redis === 'string' ? [] : [{ name: 'Redis', hits: redis.hits, misses: redis.misses }]),
  ].filter(({ hits, misses }) => hits + misses >= 200)
  if (counts.length === 0)
    return [
      unknownLine(
        line,
        typeof metrics === 'string' ? metrics : 'no cache was asked 200 times since the process started',
      ),
    ]
  const rates = counts.map(({ name, hits, misses }) => ({ name, rate: hits / (hits + misses) }))
  return [
    judged({
      ...line,
      isOk: rates.every(({ rate }) => rate >= 0.8),
      figure: rates.map(({ name, rate }) => `${name} ${Math.round(rate * 100)} %`).join(', '),
      advice: 'Give Redis more memory, or several processes one shared cache (REDIS_URL).',
    }),
  ]
}

export function judgePool(metrics: Maybe<Found['metrics']>, activity: Maybe<Found['activity']>): TuningLine[] {
  const pool = { area: 'backend', name: 'Connection pool', bound: 'nobody waits, < 80 % in use' } as const
  const server = { area: 'backend', name: 'Database connections', bound: '< 80 % of max_connections in use' } as const
  return [
    typeof metrics === 'string'
      ? unknownLine(pool, metrics)
      : judged({
          ...pool,
          isOk: metrics.pool.waiting === 0 && metrics.pool.inUse < metrics.pool.max * 0.8,
          figure: `${metrics.pool.inUse} of ${metrics.pool.max} in use, ${metrics.pool.waiting} requests wait`,
          advice: 'Look for who holds connections first (./dam diagnose database), then raise DAM_DATABASE_POOL.',
        }),
    typeof activity === 'string'
      ? unknownLine(server, activity)
      : judged({
          ...server,
          isOk: activity.used < activity.maxConnections * 0.8,
          figure: `${activity.used} of ${activity.maxConnections}`,
          advice: './dam db connections says whose they are; max_connections belongs into postgresql.custom.conf.',
        }),
  ]
}

export function judgeExternal(found: Maybe<Found['external']>): TuningLine {
  const line = {
    area: 'backend',
    name: 'External calls',
    bound: 'no message waits longer than five minutes, none is given up',
  } as const
  if (typeof found === 'string') return unknownLine(line, found)
  const late = found.filter(({ dead, oldestSeconds }) => dead > 0 || oldestSeconds > 300)
  return judged({
    ...line,
    isOk: late.length === 0,
    figure:
      late.length === 0
        ? `${found.length} services, all on time`
        : late.map(({ channel, waiting, dead }) => `${channel}: ${waiting} wait, ${dead} given up`).join('; '),
    advice: `Last answer: ${late[0]?.lastOutcome ?? ''}`,
  })
}

export function judgeScale(machine: Maybe<Found['machine']>, metrics: Maybe<Found['metrics']>): TuningLine {
  const line = {
    area: 'backend',
    name: 'Scale',
    bound: 'processors < 80 % busy, memory < 80 % in use, no job waits longer than a minute',
  } as const
  if (typeof machine === 'string') return unknownLine(line, machine)
  const memory = 1 - machine.availableBytes / machine.totalBytes
  const queue = typeof metrics === 'string' ? null : metrics.queue.oldestSeconds
  return judged({
    ...line,
    isOk: machine.cpu < 0.8 && memory < 0.8 && (queue ?? 0) < 60,
    figure: `processors ${Math.round(machine.cpu * 100)} %, memory ${Math.round(memory * 100)} %, oldest job ${queue === null ? 'unknown' : `${Math.round(queue)} s`}`,
    advice:
      machine.cpu >= 0.8
        ? 'Add processors, or run a second web process behind the front.'
        : memory >= 0.8
          ? 'Add memory, or lower DAM_WORKER_CONCURRENCY.'
          : 'Raise DAM_WORKER_CONCURRENCY or add a worker on another machine.',
  })
}
