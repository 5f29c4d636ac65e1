import { describe, expect, test } from 'vitest'
import { actionFor } from './actions.ts'
import { judgeSides, type SideAnswer } from './cdn/compare-cdn.ts'
import { causeTitles, type CauseName } from './causes.ts'
import { dependencyOf } from './dependency.ts'
import { diagnosisText, topLine } from './diagnosis-text.ts'
import type { Answer, Findings, Found } from './findings.ts'
import { playbooks } from './playbooks.ts'
import { blockersOf, type DatabaseActivity, type Session } from './probes/database-activity.ts'
import { grownStatements, statementColumns } from './probes/database-statements.ts'
import { adviseIndex, isScannedTooOften } from './probes/database-tables.ts'
import type { MachineState } from './probes/machine.ts'
import type { ProcessState } from './probes/processes.ts'
import { parseRedisInfo } from './probes/redis.ts'
import { slopeBytesPerHour } from './memory-history.ts'
import { rankCauses, topCause } from './rank-causes.ts'

const knownAs = <T>(value: T): Answer<T> => ({ state: 'known', value, tookMs: 1 })
const unknown = (because: string): Answer<never> => ({ state: 'unknown', because, tookMs: 1 })

const session = (of: Partial<Session>): Session => ({
  pid: 1,
  application: 'dam web dev',
  user: 'dam',
  state: 'idle',
  waits: '',
  query: 'select 1',
  transactionSeconds: null,
  statementSeconds: null,
  stateSeconds: 1,
  backendStart: '2026-01-01',
  blockedBy: [],
  ...of,
})
const activity = (of: Partial<DatabaseActivity>): DatabaseActivity => ({
  version: 180_000,
  maxConnections: 60,
  reserved: 3,
  used: 12,
  idleInTransaction: 0,
  byApplication: [],
  sessions: [],
  running: [],
  blockers: [],
  isReadOnly: false,
  isStandby: false,
  readOnlyBecause: '',
  ...of,
})
const processState = (of: Partial<ProcessState>): ProcessState => ({
  pid: 10,
  process: 'dam: web',
  role: 'web',
  state: 'S',
  residentBytes: 150 * 1024 ** 2,
  growth: 0,
  cpu: 0.1,
  openFiles: 40,
  mostFiles: 1_024,
  startedAt: '2026-01-01T00:00:00.000Z',
  ...of,
})
const running = [processState({}), processState({ pid: 11, process: 'dam: worker', role: 'worker' })]
const machine = (of: Partial<MachineState>): MachineState => ({
  processors: 2,
  cpu: 0.3,
  load: 1,
  totalBytes: 8 * 1024 ** 3,
  availableBytes: 6 * 1024 ** 3,
  swapUsedBytes: 0,
  limit: null,
  outOfMemory: null,
  foreign: { byMemory: [], byCpu: [] },
  disk: { totalBytes: 100, freeBytes: 50, files: 100, freeFiles: 90 },
  ...of,
})
const side = (of: Partial<SideAnswer>): SideAnswer => ({
  status: 200,
  etag: '"a"',
  cacheControl: 'no-cache',
  ageSeconds: null,
  bytes: 10,
  sha256: 'a',
  tookMs: 1,
  because: '',
  ...of,
})
const compared = (edge: Partial<SideAnswer>, path = '/') => {
  const sides = { edge: side(edge), origin: side({}) }
  return {
    cdnUrl: 'https://cdn.example.com',
    originUrl: 'http://127.0.0.1',
    compared: [{ path, ...sides, ...judgeSides(path, sides.edge, sides.origin) }],
  }
}
const holder = session({ pid: 7, application: 'psql', state: 'idle in transaction', stateSeconds: 30 })
const victims = [2, 3, 4].map((pid) =>
  session({ pid, state: 'active', waits: 'Lock:relation', blockedBy: [7], stateSeconds: 5 }),
)
const blocked = activity({
  sessions: [holder, ...victims],
  blockers: blockersOf([holder, ...victims], new Map([[2, 'asset']])),
})
const errors = (message: string, of: Partial<Found['errors']['groups'][number]> = {}) =>
  knownAs({
    minutes: 10,
    total: 30,
    totalBefore: 0,
    groups: [
      {
        route: '/api/v4/tags/',
        release: 'v1.1.0',
        fingerprint: 'abc',
        code: 'internal-error',
        dependency: dependencyOf('internal-error', message),
        message,
        count: 30,
        users: 3,
        lastAt: '',
        isFatal: true,
        isNew: true,
        ...of,
      },
    ],
  })

const table: { name: string; playbook: keyof typeof playbooks; findings: Findings; top: CauseName | undefined }[] = [
  {
    name: 'all is well',
    playbook: 'database',
    findings: { activity: knownAs(activity({})), processes: knownAs(running), machine: knownAs(machine({})) },
    top: undefined,
  },
  {
    name: 'a forgotten transaction holds a lock',
    playbook: 'slow',
    findings: { activity: knownAs(blocked), processes: knownAs(running), machine: knownAs(machine({ cpu: 1 })) },
    top: 'lock-blocker',
  },
  {
    name: 'the connections are used up',
    playbook: 'database',
    findings: {
      activity: knownAs(
        activity({
          used: 57,
          idleInTransaction: 44,
          byApplication: [{ application: 'report', state: 'idle in transaction', sessions: 44 }],
        }),
      ),
      processes: knownAs(running),
    },
    top: 'connections-exhausted',
  },
  {
    name: 'not even the diagnosis gets a connection',
    playbook: 'database',
    findings: { activity: unknown('53300 sorry, too many clients already'), processes: knownAs(running) },
    top: 'connections-exhausted',
  },
  {
    name: 'the database is down',
    playbook: 'database',
    findings: { activity: unknown('ECONNREFUSED connect'), processes: knownAs(running) },
    top: 'database-down',
  },
  {
    name: 'the schema is not the one of the release',
    playbook: 'errors',
    findings: {
      errors: errors('relation "tag" does not exist'),
      activity: knownAs(activity({})),
      processes: knownAs(running),
    },
    top: 'schema-mismatch',
  },
  {
    name: 'new errors of the release that went out',
    playbook: 'errors',
    findings: {
      errors: errors("Cannot read properties of undefined (reading 'size')"),
      activity: knownAs(activity({})),
      deployments: knownAs([
        {
          id: 3,
          kind: 'deploy',
          tag: 'v1.1.0',
          previousTag: 'v1.0.0',
          state: 'baking',
          at: '',
          cutOverAt: '2026-01-01',
        },
      ]),
      processes: knownAs(running),
    },
    top: 'release-fault',
  },
  {
    name: 'the storage is gone, and only app.log can tell',
    playbook: 'errors',
    findings: {
      errors: unknown('57P03 the database system is starting up'),
      log: knownAs({
        minutes: 10,
        errors: 12,
        groups: [
          {
            route: '/x',
            release: 'v1',
            dependency: dependencyOf('', "ENOENT: no such file, open '/data/blobs/ab/cd'"),
            message: "ENOENT: no such file, open '/data/blobs/ab/cd'",
            count: 12,
          },
        ],
      }),
      processes: knownAs(running),
    },
    top: 'storage-lost',
  },
  {
    name: 'the web process leaks',
    playbook: 'memory',
    findings: {
      processes: knownAs([
        processState({ growth: 30 * 1024 ** 2, residentBytes: 600 * 1024 ** 2 }),
        ...running.slice(1),
      ]),
      machine: knownAs(machine({})),
    },
    top: 'process-leak',
  },
  {
    name: 'a program beside DAM has the memory',
    playbook: 'memory',
    findings: {
      processes: knownAs(running),
      machine: knownAs(
        machine({
          availableBytes: 0.5 * 1024 ** 3,
          foreign: {
            byMemory: [{ pid: 99, process: 'blender', residentBytes: 6 * 1024 ** 3, cpu: 0, growth: 0 }],
            byCpu: [],
          },
        }),
      ),
    },
    top: 'other-process-memory',
  },
  {
    name: 'a stopped worker',
    playbook: 'slow',
    findings: {
      activity: knownAs(activity({})),
      processes: knownAs([
        processState({}),
        processState({ pid: 11, process: 'dam: worker', role: 'worker', state: 'T' }),
      ]),
    },
    top: 'process-stopped',
  },
  {
    name: 'the CDN is down',
    playbook: 'cdn',
    findings: { cdn: knownAs(compared({ status: null, because: 'ECONNREFUSED' })) },
    top: 'cdn-down',
  },
  {
    name: 'the CDN lacks a file',
    playbook: 'cdn',
    findings: { cdn: knownAs(compared({ status: 404, sha256: 'b' })) },
    top: 'cdn-missing',
  },
  {
    name: 'the CDN is stale',
    playbook: 'cdn',
    findings: { cdn: knownAs(compared({ sha256: 'b', ageSeconds: 9_000 })) },
    top: 'cdn-stale',
  },
  {
    name: 'the CDN changes headers',
    playbook: 'cdn',
    findings: { cdn: knownAs(compared({ cacheControl: 'no-store' })) },
    top: 'cdn-headers',
  },
  { name: 'edge and origin agree', playbook: 'cdn', findings: { cdn: knownAs(compared({})) }, top: undefined },
]

describe('a playbook names the cause', () => {
  test.each(table)('$playbook: $name', ({ playbook, findings, top }) => {
    const causes = rankCauses(playbooks[playbook].votes(findings, []), 'local')
    expect(topCause(causes)?.cause).toBe(top)
    if (top) expect(causes[0]?.evidence[0]).not.toBe('')
  })
})

test('every cause has one action, and what destroys asks for a name', () => {
  for (const cause of Object.keys(causeTitles) as CauseName[]) {
    const action = actionFor(
      cause,
      {
        pid: 4,
        process: 'blender',
        urls: 'https://cdn/x',
        application: 'report',
        table: 'asset',
        column: 'owner',
        index: 'asset_owner',
      },
      'staging',
    )
    expect(action.command).not.toContain('undefined')
    expect(action.title).not.toBe('')
    expect(action.typedName !== undefined).toBe(action.risk === 'destructive')
  }
})

test('votes of one cause add up, and the heaviest one says what is acted on', () => {
  const causes = rankCauses(
    [
      { cause: 'lock-blocker', weight: 2, evidence: 'a', subject: { pid: 1 } },
      { cause: 'lock-blocker', weight: 5, evidence: 'b', subject: { pid: 2 } },
      { cause: 'cpu-load', weight: 6, evidence: 'c' },
      { cause: 'disk-full', weight: 0, evidence: 'd' },
    ],
    'local',
  )
  expect(causes.map(({ cause, weight }) => [cause, weight])).toEqual([
    ['lock-blocker', 7],
    ['cpu-load', 6],
  ])
  expect(causes[0]?.evidence).toEqual(['b', 'a'])
  expect(causes[0]?.action.subject).toEqual({ pid: 2 })
})

test('who waits for whom is followed to its root', () => {
  const chain = [
    session({ pid: 1 }),
    session({ pid: 2, blockedBy: [1], stateSeconds: 9 }),
    session({ pid: 3, blockedBy: [2], stateSeconds: 4 }),
  ]
  const [root, ...others] = blockersOf(chain, new Map())
  expect(others).toEqual([])
  expect(root).toMatchObject({ session: { pid: 1 }, victims: 2, longestWaitSeconds: 9 })
})

test('pg_stat_statements is asked in the words of its version', () => {
  expect(statementColumns(120_000).total).toBe('total_time')
  expect(statementColumns(180_000).total).toBe('total_exec_time')
  const statement = { id: '1', query: 'q', calls: 10, totalMs: 100, meanMs: 10, maxMs: 20, rows: 1 }
  expect(grownStatements([statement], [{ ...statement, calls: 12, totalMs: 1_100 }])).toEqual([
    { query: 'q', calls: 2, meanMs: 500, usualMs: 10 },
  ])
})

test('an index is advised for a column that statements compare and nothing indexes', () => {
  expect(isScannedTooOften({ rows: 50_000, sequentialScans: 500, rowsPerScan: 50_000, indexScans: 10 })).toBe(true)
  expect(isScannedTooOften({ rows: 500, sequentialScans: 500, rowsPerScan: 500, indexScans: 10 })).toBe(false)
  const queries = ['select * from asset where owner_id = $1 and id = $2', 'select * from asset_tag where owner_id = $1']
  expect(adviseIndex('asset', queries, ['id', 'owner_id'], new Set(['id']))).toEqual({
    column: 'owner_id',
    name: 'asset_owner_id',
  })
})

test('the slope of memory is told only from enough readings of the same process', () => {
  const readings = Array.from({ length: 10 }, (_, index) => ({
    pid: 5,
    startedAt: '2026-01-01T00:00:00.000Z'.slice(0, 15),
    at: index * 360_000,
    residentBytes: 1_000 + index * 100,
  }))
  expect(slopeBytesPerHour(readings, 5, '2026-01-01T00:00:00.000Z')?.perHour).toBeCloseTo(1_000)
  expect(slopeBytesPerHour(readings, 6, '2026-01-01T00:00:00.000Z')).toBeNull()
  expect(slopeBytesPerHour(readings.slice(0, 3), 5, '2026-01-01T00:00:00.000Z')).toBeNull()
})

test('INFO of Redis is read with what stands behind the first colon', () => {
  expect(parseRedisInfo('# Stats\r\nkeyspace_hits:12\r\nexecutable:/usr/bin/redis:6\r\n')).toEqual({
    keyspace_hits: '12',
    executable: '/usr/bin/redis:6',
  })
})

test('a page holds the cause, the evidence and the action in one line; what is unknown is said', () => {
  const findings = { activity: knownAs(blocked), redis: unknown('no Redis is configured') }
  const diagnosis = {
    playbook: 'slow' as const,
    environment: 'local',
    at: '',
    tookMs: 2_000,
    causes: rankCauses(playbooks.slow.votes(findings, []), 'local'),
    findings,
  }
  expect(topLine(diagnosis, 12)).toMatch(/session 7 .*blocks 3 sessions on asset.*disruptive.*\.\/dam fix 12\.1/)
  expect(diagnosisText(diagnosis, 12)).toContain('redis       no Redis is configured')
  expect(topLine({ ...diagnosis, causes: [] })).toContain('nothing stands out')
})
