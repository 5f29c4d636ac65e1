import type { Vote } from '../causes.ts'
import { type Findings, known, unknownBecause } from '../findings.ts'
import type { Blocker, DatabaseActivity, Session } from '../probes/database-activity.ts'

const seconds = (value: number | null): string => `${Math.round(value ?? 0)} s`

/** What sessions, locks, pool and server say. */
export function databaseVotes(findings: Findings): Vote[] {
  const activity = known(findings, 'activity')
  return [
    ...(activity ? activityVotes(activity) : awayVotes(findings)),
    ...poolVotes(findings, activity),
    ...healthVotes(findings, activity !== undefined),
    ...statementVotes(findings, activity),
  ]
}

function awayVotes(findings: Findings): Vote[] {
  const because = unknownBecause(findings, 'activity')
  if (because === undefined) return []
  const evidence = `the database was asked: ${because}`
  if (/53300|too many clients|remaining connection slots/.test(because))
    return [{ cause: 'connections-exhausted', weight: 10, evidence }]
  if (/ECONNREFUSED|ENOENT|does not run|57P03|starting up|shutting down/.test(because))
    return [{ cause: 'database-down', weight: 10, evidence }]
  if (/timeout|no answer within/i.test(because)) {
    const machine = known(findings, 'machine')
    // On a machine that is drowning everybody is late; and where DAM itself reaches the database, it lets people in.
    const isDrowning = machine !== undefined && machine.load > 4 * machine.processors
    const isReached = known(findings, 'health')?.database === 'connected'
    return [{ cause: 'database-hung', weight: isDrowning ? 2 : isReached ? 3 : 8, evidence }]
  }
  return [{ cause: 'database-down', weight: 6, evidence }]
}

function activityVotes(activity: DatabaseActivity): Vote[] {
  const votes: Vote[] = []
  const { used, maxConnections, reserved, idleInTransaction, byApplication } = activity
  const open = maxConnections - reserved
  if (used >= open * 0.9) {
    const idle = byApplication.filter(({ state }) => state.startsWith('idle'))
    const [biggest] = idle
    votes.push({
      cause: 'connections-exhausted',
      weight: 10,
      evidence: `${used} of ${open} connections in use (${idleInTransaction} idle in transaction)${biggest ? `; ${biggest.sessions} of "${biggest.application}" are ${biggest.state}` : ''}`,
      ...(biggest && biggest.sessions >= used / 4 ? { subject: { application: biggest.application } } : {}),
    })
  }
  const [blocker] = activity.blockers
  if (blocker) votes.push(blockerVote(blocker))
  const left = activity.sessions
    .filter(
      ({ state, stateSeconds, pid }) =>
        state.startsWith('idle in transaction') && (stateSeconds ?? 0) > 30 && pid !== blocker?.session.pid,
    )
    .toSorted((a, b) => (b.stateSeconds ?? 0) - (a.stateSeconds ?? 0))[0]
  if (left)
    votes.push({
      cause: 'idle-in-transaction',
      weight: 3,
      evidence: `session ${left.pid} (${left.application || left.user}) is idle in transaction for ${seconds(left.stateSeconds)}`,
      subject: { pid: left.pid, backendStart: left.backendStart },
    })
  if (activity.isStandby)
    votes.push({
      cause: 'database-read-only',
      weight: 8,
      evidence: 'the server is a standby: pg_is_in_recovery() is true',
    })
  if (activity.isReadOnly)
    votes.push({
      cause: 'database-read-only',
      weight: 8,
      evidence: `default_transaction_read_only is on${activity.readOnlyBecause ? ` in ${activity.readOnlyBecause.split('/').at(-1)}` : ''}`,
    })
  return votes
}

/** One victim that just began to wait is every-day life; a wait of seconds is not. */
function blockerVote({ session, victims, longestWaitSeconds, relation }: Blocker): Vote {
  const isLong = longestWaitSeconds >= 1
  return {
    cause: 'lock-blocker',
    weight: isLong ? 8 + Math.min(4, victims - 1) : Math.min(3, victims),
    evidence: `session ${session.pid} (${session.application || session.user}, ${session.state} for ${seconds(session.stateSeconds)}) blocks ${victims} ${victims === 1 ? 'session' : 'sessions'}${relation ? ` on ${relation}` : ''}, the longest for ${seconds(longestWaitSeconds)}; its last statement: ${session.query.slice(0, 120)}`,
    subject: { pid: session.pid, backendStart: session.backendStart },
  }
}

function poolVotes(findings: Findings, activity: DatabaseActivity | undefined): Vote[] {
  const pool = known(findings, 'metrics')?.pool
  if (!pool || pool.waiting === 0) return []
  const isFull = pool.inUse >= pool.max
  // When somebody blocks, the full pool is what follows from it.
  const isConsequence = (activity?.blockers.length ?? 0) > 0 || activity === undefined
  return [
    {
      cause: 'pool-exhausted',
      weight: isConsequence ? 1 : isFull ? 5 : 2,
      evidence: `${pool.waiting} requests wait for a connection, ${pool.inUse} of ${pool.max} in use`,
    },
  ]
}

function healthVotes(findings: Findings, isAsked: boolean): Vote[] {
  const health = known(findings, 'health')
  const votes: Vote[] = []
  if (health?.database === 'disconnected' && !isAsked)
    votes.push({ cause: 'database-down', weight: 3, evidence: '/api/health says: database disconnected' })
  if (health?.cache === 'disconnected')
    votes.push({ cause: 'cache-down', weight: 5, evidence: '/api/health says: cache disconnected' })
  if (health?.storage === 'unavailable')
    votes.push({ cause: 'storage-lost', weight: 9, evidence: '/api/health says: storage unavailable' })
  const redis = unknownBecause(findings, 'redis')
  if (redis !== undefined && !/is configured/.test(redis))
    votes.push({ cause: 'cache-down', weight: 4, evidence: `Redis was asked: ${redis}` })
  const state = known(findings, 'redis')
  if (state && state.hits + state.misses >= 1_000) {
    const rate = state.hits / (state.hits + state.misses)
    if (rate < 0.5)
      votes.push({
        cause: 'cache-misses',
        weight: 3,
        evidence: `Redis has ${Math.round(rate * 100)} % of what it is asked for`,
      })
  }
  return votes
}

/** Statements of operations and of administrators: they may take their time. */
const isOurs = (query: string): boolean =>
  /pg_stat|pg_catalog|pg_settings|error_log|^(create|alter|drop|lock|begin|commit|copy|vacuum|analyze|truncate|do) /i.test(
    query.trim(),
  )

const isOfDam = ({ application }: Session): boolean => /^dam (web|worker)/.test(application)

/** Statements that run long by themselves, not because they wait for a lock. */
function statementVotes(findings: Findings, activity: DatabaseActivity | undefined): Vote[] {
  const votes: Vote[] = []
  const running = (activity?.running ?? [])
    .filter(
      (one) => one.state === 'active' && isOfDam(one) && one.blockedBy.length === 0 && !one.waits.startsWith('Lock:'),
    )
    .filter(({ statementSeconds }) => (statementSeconds ?? 0) >= 0.2)
    .toSorted((a, b) => (b.statementSeconds ?? 0) - (a.statementSeconds ?? 0))
  const [longest] = running
  if (longest) {
    const long = longest.statementSeconds ?? 0
    votes.push({
      cause: 'slow-statement',
      weight: Math.min(6, 2 + long * 2) + Math.min(2, (running.length - 1) / 2),
      evidence: `${running.length} ${running.length === 1 ? 'statement runs' : 'statements run'} long, the longest for ${long.toFixed(1)} s${longest.waits ? ` (${longest.waits})` : ''}: ${longest.query.slice(0, 120)}`,
      subject: long > 10 ? { pid: longest.pid, backendStart: longest.backendStart } : {},
    })
  }
  const grown = known(findings, 'statements')?.grown.filter(({ query }) => !isOurs(query))
  const worst = grown?.[0]
  // While somebody blocks, waiting makes statements slow; that is the blocker's doing.
  const isBlocked = (activity?.blockers.length ?? 0) > 0
  if (worst && worst.meanMs >= 200 && !isBlocked)
    votes.push({
      cause: 'slow-statement',
      weight: Math.min(5, 2 + worst.meanMs / 400) + (worst.meanMs > 3 * worst.usualMs ? 1 : 0),
      evidence: `a statement took ${Math.round(worst.meanMs)} ms on average just now, ${Math.round(worst.usualMs)} ms before: ${worst.query.slice(0, 120)}`,
    })
  const usual = known(findings, 'statements')?.slowest.find(
    ({ query, meanMs, calls }) => meanMs >= 500 && calls >= 2 && !isOurs(query),
  )
  if (usual && !isBlocked)
    votes.push({
      cause: 'slow-statement',
      weight: 2 + Math.min(2, usual.meanMs / 1_000),
      evidence: `a statement takes ${Math.round(usual.meanMs)} ms on average over ${usual.calls} calls: ${usual.query.slice(0, 120)}`,
    })
  for (const table of (known(findings, 'tables') ?? []).filter(({ missingIndex }) => missingIndex !== null).slice(0, 3))
    votes.push({
      cause: 'missing-index',
      weight: table.rows > 100_000 ? 4 : 2,
      evidence: `${table.table} (${Math.round(table.rows)} rows) was read from end to end ${table.sequentialScans} times, by an index ${table.indexScans} times; statements look by ${table.missingIndex?.column}`,
      subject: { table: table.table, column: table.missingIndex?.column ?? '', index: table.missingIndex?.name ?? '' },
    })
  return votes
}
