import { existsSync, renameSync } from 'node:fs'
import path from 'node:path'
import { livingPostmaster } from '@dam/platform/postgres/postmaster'
import { postgresLayout } from '@dam/platform/postgres/layout'
import { processIdentity } from '@dam/platform/process-identity'
import type { PlaybookName } from '../../policy/policy.ts'
import type { CauseName } from '../causes.ts'
import { processesOf, titleOf } from '../probes/processes.ts'
import { type EdgeFault, startEdge } from './edge.ts'
import { evaluateIn } from './inspector.ts'
import { openSessions, runStatements } from './sessions.ts'
import type { Undo } from './undo.ts'

/** Where a game day happens and what chance decides in it. */
export type DrillPlace = {
  connectionString: string
  dataDir: string
  /** Address of the environment here. */
  address: string
  /** 0 up to, not including, 1. */
  random: () => number
}

/** What an injection has done so far. `close` ends what lives in this process; the undo steps take back the rest. */
export type Injected = { close: () => Promise<void>; cdnUrl?: string }

/** One way an issue comes about, by means outside of the product's code, and the cause that a diagnosis has to name. */
export type Variant = {
  issue: PlaybookName
  name: string
  /** What chance has chosen, for people. */
  describe: string
  expected: CauseName
  /** Written down before the deed. */
  undo: Undo[]
  inject: () => Promise<Injected>
}

const pick = <T>(place: DrillPlace, from: readonly [T, ...T[]]): T =>
  from[Math.floor(place.random() * from.length)] ?? from[0]
const between = (place: DrillPlace, least: number, most: number): number => least + place.random() * (most - least)
const nothing: Injected = { close: async () => undefined }

/** All ways of an issue, with what chance decides already decided. */
export const variantsOf = (issue: PlaybookName, place: DrillPlace): Variant[] =>
  ({ errors, slow, memory, database, cdn })[issue](place).map((variant) => ({ ...variant, issue }))

type Made = Omit<Variant, 'issue'>

function errors(place: DrillPlace): Made[] {
  const { connectionString } = place
  const [table, column] = pick(place, [
    ['collection', 'name'],
    ['collection', 'created_at'],
    ['collection', 'parent_id'],
    ['account', 'display_name'],
    ['session', 'expires_at'],
  ])
  const renamed = `${column}_drill`
  const rename = (from: string, to: string): string => `do $$ begin
    if exists (select from information_schema.columns where table_schema = 'public' and table_name = '${table}' and column_name = '${from}') then
      alter table public.${table} rename column ${from} to ${to};
    end if; end $$`
  const blobs = path.join(place.dataDir, 'blobs')
  return [
    {
      name: 'renamed-column',
      describe: `column ${table}.${column} is renamed, as a broken migration does`,
      expected: 'schema-mismatch',
      undo: [{ kind: 'sql', connectionString, statement: rename(renamed, column) }],
      inject: async () => {
        await runStatements(connectionString, [rename(column, renamed)])
        return nothing
      },
    },
    {
      name: 'read-only',
      describe: 'the database takes no writes any more',
      expected: 'database-read-only',
      undo: [
        {
          kind: 'sql',
          connectionString,
          statement: 'alter system reset default_transaction_read_only;;select pg_reload_conf()',
        },
      ],
      inject: async () => {
        await runStatements(connectionString, [
          'alter system set default_transaction_read_only = on',
          'select pg_reload_conf()',
        ])
        return nothing
      },
    },
    {
      name: 'storage-away',
      describe: 'the folder of originals is moved away',
      expected: 'storage-lost',
      undo: [{ kind: 'rename', from: `${blobs}.drill`, to: blobs }],
      inject: async () => {
        if (existsSync(blobs)) renameSync(blobs, `${blobs}.drill`)
        return nothing
      },
    },
  ]
}

const applications = ['psql', 'report', 'metabase', 'dbeaver', 'nightly export'] as const

function slow(place: DrillPlace): Made[] {
  const { connectionString } = place
  const table = pick(place, ['asset', 'collection', 'account', 'session'])
  const application = pick(place, applications)
  const [viewed, seconds] = [pick(place, ['collection', 'session', 'account']), between(place, 0.4, 2).toFixed(2)]
  return [
    {
      name: 'table-lock',
      describe: `"${application}" locks table ${table} and leaves its transaction open`,
      expected: 'lock-blocker',
      undo: [],
      inject: () =>
        openSessions(connectionString, {
          count: 1,
          application,
          statements: ['begin', `lock table public.${table} in access exclusive mode`],
        }),
    },
    {
      name: 'slow-view',
      describe: `table ${viewed} is a view that takes ${seconds} s`,
      expected: 'slow-statement',
      undo: [
        {
          kind: 'sql',
          connectionString,
          statement: `do $$ begin if exists (select from pg_class where relname = '${viewed}_drill' and relkind = 'r') then
            drop view if exists public.${viewed}; alter table public.${viewed}_drill rename to ${viewed}; end if; end $$`,
        },
      ],
      inject: async () => {
        await runStatements(connectionString, [
          'begin',
          `alter table public.${viewed} rename to ${viewed}_drill`,
          `create view public.${viewed} as select t.* from public.${viewed}_drill t where (select pg_sleep(${seconds})::text) = ''`,
          'commit',
        ])
        return nothing
      },
    },
  ]
}

function memory(place: DrillPlace): Made[] {
  const role = pick(place, ['web', 'worker'])
  const pid = processesOf(place.dataDir).find((one) => titleOf(one).startsWith(`dam: ${role}`))
  if (pid === undefined) return []
  const startedAt = processIdentity(pid)?.startedAt ?? ''
  const megabytes = Math.round(between(place, 12, 40))
  // Strings of digits live in the heap, buffers outside of it; both are written to, or the kernel would not give the memory.
  const grow = (what: 'heap' | 'buffers'): string =>
    what === 'heap'
      ? `for (let n = 0; n < ${megabytes} * 2; n++) kept.push(Array.from({ length: 16384 }, (_, i) => i + 0.5 + n))`
      : `kept.push(Buffer.alloc(${Math.round(megabytes / 4)} * 1024 * 1024, 1))`
  return (['heap', 'buffers'] as const).map((what) => ({
    name: `${what}-leak`,
    describe: `dam: ${role} (${pid}) leaks about ${megabytes} MB a second of ${what}`,
    expected: 'process-leak',
    undo: [{ kind: 'forget', pid, startedAt }],
    inject: async () => {
      await evaluateIn(
        pid,
        `(() => { const kept = []; let left = 60
           const timer = setInterval(() => { if (left-- <= 0) return clearInterval(timer); ${grow(what)} }, 250)
           globalThis[Symbol.for('dam drill')] = { kept, timer }; return true })()`,
      )
      return nothing
    },
  }))
}

function database(place: DrillPlace): Made[] {
  const { connectionString, dataDir } = place
  const application = pick(place, applications)
  const server = livingPostmaster(postgresLayout(dataDir).clusterDir)
  const flood = (name: string, statements: string[]): Made => ({
    name,
    describe: `"${application}" opens connections until none is left and ${statements.length > 0 ? 'leaves a transaction open in each' : 'lets them idle'}`,
    expected: 'connections-exhausted',
    undo: [],
    inject: () => openSessions(connectionString, { count: 'all', application, statements }),
  })
  const table = pick(place, ['account', 'session', 'asset'])
  return [
    flood('idle-in-transaction', ['begin', 'select 1']),
    flood('idle-connections', []),
    {
      name: 'lock-holder',
      describe: `"${application}" locks ${table}; requests fill the pool behind it`,
      expected: 'lock-blocker',
      undo: [],
      inject: () =>
        openSessions(connectionString, {
          count: 1,
          application,
          statements: ['begin', `lock table public.${table} in access exclusive mode`],
        }),
    },
    ...(server
      ? [
          {
            name: 'stopped-server',
            describe: `the database server (${server.pid}) is stopped and accepts nobody new`,
            expected: 'database-hung' as const,
            undo: [{ kind: 'continue' as const, pid: server.pid, startedAt: server.identity.startedAt }],
            inject: async () => {
              process.kill(server.pid, 'SIGSTOP')
              return nothing
            },
          },
        ]
      : []),
  ]
}

const edgeCauses: Record<EdgeFault, CauseName> = {
  stale: 'cdn-stale',
  missing: 'cdn-missing',
  failing: 'cdn-down',
  down: 'cdn-down',
  headers: 'cdn-headers',
}

function cdn(place: DrillPlace): Made[] {
  const ageSeconds = Math.round(between(place, 60, 90_000))
  return (Object.keys(edgeCauses) as EdgeFault[]).map((fault) => ({
    name: fault,
    describe: `a caching proxy before the environment is ${fault}`,
    expected: edgeCauses[fault],
    undo: [],
    inject: () => startEdge({ originUrl: place.address, fault, ageSeconds }),
  }))
}
