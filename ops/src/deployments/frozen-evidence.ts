import path from 'node:path'
import pg from 'pg'
import { hostFolders } from '../environments/environment.ts'
import { lastWords, slotLogFile } from '../keeper/process-log.ts'
import { findReleaseByDigest } from '../releases/release-store.ts'
import type { Release } from '../releases/release.ts'
import { joinedTrace } from './judge-trace.ts'
import { findSlot } from './slot-store.ts'
import type { StepContext } from './step.ts'

const aroundMs = 15 * 60_000
const logBytes = 16_000

/** Everything that explains a rollback, as it is now. A part that cannot be had says so in its place. */
export async function gatherEvidence(context: StepContext): Promise<Record<string, unknown>> {
  const { deps, deployment } = context
  const { data } = deployment
  const [fresh, old] = [findReleaseByDigest(deps.store, deployment.digest), previousOf(context)]
  const slots = [data.newSlot, data.oldSlot].filter((slot) => typeof slot === 'string')
  const bySlot = <T>(look: (slot: string) => T): Record<string, T> =>
    Object.fromEntries(slots.map((slot) => [slot, look(slot)]))
  const tags = [deployment.tag, deployment.previousTag].filter((tag) => tag !== null)
  const cutOverMs = Date.parse(data.cutOverAt ?? deployment.requestedAt)
  return {
    deployment: {
      id: deployment.id,
      by: deployment.requestedBy,
      tag: deployment.tag,
      previous: deployment.previousTag,
    },
    trigger: data.rollback ?? null,
    stamps: data.stamps ?? {},
    onCall: deps.onCall(deps.now()) ?? 'unknown',
    judge: joinedTrace(deps.store, deployment.id),
    outcomes: await known(() => outcomes(context, cutOverMs)),
    errors: await known(() => topErrors(deps.databaseUrl(), new Date(cutOverMs))),
    logs: {
      slots: bySlot((slot) => lastWords(slotLogFile(hostFolders(deps.hostDir).logs, slot), logBytes)),
      application: await known(() => Promise.resolve(applicationLog(deps.environment.dataDir, tags))),
    },
    processes: bySlot((slot) => findSlot(deps.store, slot)?.observed ?? null),
    changes: fresh && old ? changesBetween(old, fresh) : 'unknown: there is no release to compare with',
  }
}

const previousOf = ({ deps, deployment }: StepContext): Release | null =>
  deployment.previousDigest === null ? null : findReleaseByDigest(deps.store, deployment.previousDigest)

async function known(look: () => Promise<unknown>): Promise<unknown> {
  try {
    return await look()
  } catch (error) {
    return `unknown: ${error instanceof Error ? error.message : String(error)}`
  }
}

async function outcomes({ deps }: StepContext, cutOverMs: number): Promise<unknown> {
  const { buckets, badRequests } = await deps.front.outcomes(0)
  const within = (ms: number): boolean => ms >= cutOverMs - aroundMs && ms <= cutOverMs + aroundMs
  return {
    buckets: buckets.filter(({ second }) => within(second * 1000)),
    badRequests: badRequests.filter(({ at }) => within(Date.parse(at))).slice(-100),
  }
}

async function topErrors(connectionString: string | null, since: Date): Promise<unknown> {
  if (connectionString === null) throw new Error('the database does not run')
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 3_000, query_timeout: 5_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(
      `select release, fingerprint, code, message, route, process, count(*)::int as events,
              count(distinct user_id)::int as users, max(stack) as stack, max("timestamp") as last
       from error_log where "timestamp" >= $1 group by 1, 2, 3, 4, 5, 6 order by events desc limit 20`,
      [since],
    )
    return rows
  } finally {
    await client.end()
  }
}

/** The newest warnings and errors of each release, so that a loud one leaves room for the other. */
function applicationLog(dataDir: string, tags: readonly string[]): Record<string, string[]> {
  const lines = lastWords(path.join(dataDir, 'logs/app.log'), 4_000_000)
    .split('\n')
    .filter((line) => /"level":"?(error|fatal|warn|50|60|40)/i.test(line))
  return Object.fromEntries(
    tags.map((tag) => [tag, lines.filter((line) => line.includes(`"release":"${tag}"`)).slice(-50)]),
  )
}

function changesBetween(old: Release, fresh: Release): Record<string, unknown> {
  const files = (release: Release): Record<string, string> => release.manifest.files
  const names = new Set([...Object.keys(files(old)), ...Object.keys(files(fresh))])
  const changed = [...names].filter((name) => files(old)[name] !== files(fresh)[name]).toSorted()
  return {
    commits: { from: old.commit, to: fresh.commit, show: `git log --oneline ${old.commit}..${fresh.commit}` },
    migrations: fresh.manifest.migrations.filter(
      ({ app, number }) => !old.manifest.migrations.some((known) => known.app === app && known.number === number),
    ),
    settings: { from: old.manifest.configHash, to: fresh.manifest.configHash },
    packages: { from: old.lockfileHash, to: fresh.lockfileHash },
    files: { count: changed.length, first: changed.slice(0, 200) },
  }
}
