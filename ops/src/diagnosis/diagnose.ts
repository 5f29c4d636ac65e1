import type { PlaybookName } from '../policy/policy.ts'
import { addressOf } from '../signals/collect-sample.ts'
import { compareCdn } from './cdn/compare-cdn.ts'
import type { Answer, Findings, Found, ProbeName } from './findings.ts'
import { readMemoryHistory } from './memory-history.ts'
import type { DiagnosisPlace } from './place.ts'
import { playbooks } from './playbooks.ts'
import { probe } from './probe.ts'
import { readApplicationLog } from './probes/application-log.ts'
import { watchActivity } from './probes/database-activity.ts'
import { openReadOnlySession, type ReadOnlySession } from './probes/database-session.ts'
import { readStatements } from './probes/database-statements.ts'
import { readTables } from './probes/database-tables.ts'
import { readErrors } from './probes/error-log.ts'
import { readExternalCalls } from './probes/external-calls.ts'
import { readFront } from './probes/front-outcomes.ts'
import { readHealth } from './probes/health.ts'
import { readMachine } from './probes/machine.ts'
import { readMetricsWindow } from './probes/metrics-window.ts'
import { readProcesses } from './probes/processes.ts'
import { recentDeployments } from './probes/recent-deployments.ts'
import { readRedis } from './probes/redis.ts'
import { rankCauses, type RankedCause } from './rank-causes.ts'

export type Diagnosis = {
  playbook: PlaybookName
  environment: string
  at: string
  tookMs: number
  causes: RankedCause[]
  findings: Findings
}

const recentMinutes = 10

/** What each probe asks, for people. */
export const questions: Record<ProbeName, string> = {
  health: 'Do the health endpoints answer, and how fast?',
  metrics: 'How do requests, pool, queue and memory move between two looks at /metrics?',
  front: 'What did the front count of each slot?',
  deployments: 'What was deployed within the last hour?',
  errors: 'What is in error_log, by route, release and fingerprint?',
  log: 'Which ERROR lines are at the end of app.log?',
  activity: 'Who holds the connections and the locks of the database?',
  statements: 'Which statements are slow, now and usually?',
  tables: 'Which tables are big and read from end to end?',
  redis: 'Does Redis answer, and does it have what it is asked for?',
  processes: 'How much memory, processor and files do the processes of DAM take?',
  machine: 'What is left of memory, processors, disk and inodes?',
  external: 'Do services outside take what they are sent?',
  cdn: 'Do edge and origin answer the same?',
}

type Asked = { [K in ProbeName]: (place: DiagnosisPlace) => Promise<Found[K]> }

const onDatabase = async <T>(place: DiagnosisPlace, ask: (session: ReadOnlySession) => Promise<T>): Promise<T> => {
  await using session = await openReadOnlySession(place.connectionString)
  return await ask(session)
}

const headersOf = ({ syntheticSecret }: DiagnosisPlace): Record<string, string> =>
  syntheticSecret === null ? {} : { 'x-dam-synthetic': syntheticSecret }

/** Every probe reads only. */
const asked: Asked = {
  health: (place) => readHealth(addressOf(place.environment), headersOf(place)),
  metrics: (place) => readMetricsWindow(addressOf(place.environment), headersOf(place), place.gapMs),
  front: ({ environment, now }) => readFront(environment.runDir, recentMinutes, now),
  deployments: async ({ store, environment, now }) => recentDeployments(store, environment.name, 60, now),
  errors: (place) => onDatabase(place, (session) => readErrors(session, recentMinutes)),
  log: async ({ logsDir, now }) => readApplicationLog(logsDir, recentMinutes, now),
  activity: (place) => onDatabase(place, (session) => watchActivity(session, place.gapMs)),
  statements: (place) => onDatabase(place, (session) => readStatements(session, place.gapMs)),
  tables: (place) => onDatabase(place, readTables),
  redis: ({ redisUrl }) => readRedis(redisUrl),
  processes: ({ environment, gapMs }) => readProcesses(environment.dataDir, gapMs),
  machine: ({ environment, gapMs }) => readMachine(environment.dataDir, gapMs),
  external: async ({ store, now }) => readExternalCalls(store, now),
  cdn: (place) =>
    compareCdn({ cdnUrl: place.cdnUrl, originUrl: addressOf(place.environment), headers: headersOf(place) }),
}

/** Asks all of them at the same time, each within its bound. */
export async function runProbes(place: DiagnosisPlace, names: readonly ProbeName[]): Promise<Findings> {
  const boundMs = place.gapMs + 4_000
  const answers = await Promise.all(
    names.map(async (name): Promise<[ProbeName, Answer<unknown>]> => {
      const ask: (place: DiagnosisPlace) => Promise<unknown> = asked[name]
      return [name, await probe(boundMs, () => ask(place))]
    }),
  )
  return Object.fromEntries(answers) as Findings
}

/** Runs a playbook: looks, lets the findings vote, ranks. Never throws for what it finds. */
export async function diagnose(place: DiagnosisPlace, playbook: PlaybookName): Promise<Diagnosis> {
  const startedAt = performance.now()
  const { probes, votes } = playbooks[playbook]
  const findings = await runProbes(place, probes)
  const causes = rankCauses(
    votes(findings, readMemoryHistory(place.store, place.environment.name)),
    place.environment.name,
  )
  return {
    playbook,
    environment: place.environment.name,
    at: place.now.toISOString(),
    tookMs: Math.round(performance.now() - startedAt),
    causes,
    findings,
  }
}

/** All playbooks over one look. */
export async function diagnoseAll(place: DiagnosisPlace): Promise<Diagnosis[]> {
  const startedAt = performance.now()
  const all = Object.values(playbooks)
  const findings = await runProbes(place, [...new Set(all.flatMap(({ probes }) => probes))])
  const history = readMemoryHistory(place.store, place.environment.name)
  return all.map(({ name, votes, probes }) => ({
    playbook: name,
    environment: place.environment.name,
    at: place.now.toISOString(),
    tookMs: Math.round(performance.now() - startedAt),
    causes: rankCauses(votes(findings, history), place.environment.name),
    findings: Object.fromEntries(Object.entries(findings).filter(([probe]) => probes.includes(probe as ProbeName))),
  }))
}
