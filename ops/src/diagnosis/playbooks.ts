import type { PlaybookName } from '../policy/policy.ts'
import type { CauseName, Vote } from './causes.ts'
import type { Findings, ProbeName } from './findings.ts'
import type { MemoryHistory } from './memory-history.ts'
import { cdnVotes } from './votes/cdn-votes.ts'
import { databaseVotes } from './votes/database-votes.ts'
import { errorVotes } from './votes/error-votes.ts'
import { diskVotes, memoryVotes, processorVotes, processVotes } from './votes/machine-votes.ts'

/** A decision procedure: what is looked at, in this order, and what the findings speak for. */
export type Playbook = {
  name: PlaybookName
  title: string
  probes: readonly ProbeName[]
  votes(findings: Findings, history: MemoryHistory): Vote[]
}

/** Causes that do not explain the issue, though true, count less in its playbook. */
const weighed = (votes: Vote[], factors: Partial<Record<CauseName, number>>): Vote[] =>
  votes.map((vote) => ({ ...vote, weight: vote.weight * (factors[vote.cause] ?? 1) }))

export const playbooks: Record<PlaybookName, Playbook> = {
  errors: {
    name: 'errors',
    title: 'High error rate',
    probes: ['health', 'activity', 'errors', 'log', 'metrics', 'front', 'deployments', 'processes', 'machine'],
    votes: (findings) =>
      weighed(
        [...errorVotes(findings), ...databaseVotes(findings), ...processVotes(findings), ...diskVotes(findings)],
        { 'slow-statement': 0.5, 'pool-exhausted': 0.7, 'cache-misses': 0, 'queue-backlog': 0.5, 'missing-index': 0 },
      ),
  },
  slow: {
    name: 'slow',
    title: 'Slow response times',
    probes: [
      'health',
      'activity',
      'metrics',
      'statements',
      'tables',
      'redis',
      'front',
      'deployments',
      'processes',
      'machine',
      'external',
    ],
    votes: (findings) =>
      weighed(
        [
          ...databaseVotes(findings),
          ...routeVotes(findings),
          ...processVotes(findings),
          ...processorVotes(findings),
          ...diskVotes(findings),
        ],
        { 'database-read-only': 0.3, 'disk-full': 0.7 },
      ),
  },
  memory: {
    name: 'memory',
    title: 'High memory usage',
    probes: ['processes', 'machine', 'metrics', 'activity', 'deployments'],
    votes: (findings, history) => [
      ...memoryVotes(findings, history),
      ...weighed(processVotes(findings), { 'process-missing': 0.5, 'process-stopped': 0.5 }),
    ],
  },
  database: {
    name: 'database',
    title: 'Database connection issues',
    probes: ['activity', 'health', 'metrics', 'processes', 'machine', 'log'],
    votes: (findings) =>
      weighed(
        [...databaseVotes(findings), ...processVotes(findings), ...diskVotes(findings), ...errorVotes(findings)],
        {
          'code-error': 0.3,
          'slow-statement': 0.7,
          'process-missing': 0.5,
          'cache-misses': 0,
        },
      ),
  },
  cdn: {
    name: 'cdn',
    title: 'CDN or cache issues',
    probes: ['cdn', 'health', 'redis', 'metrics'],
    votes: (findings) => [
      ...cdnVotes(findings),
      ...databaseVotes(findings).filter(({ cause }) => cause.startsWith('cache-') || cause === 'storage-lost'),
    ],
  },
}

/** Where the time goes: the route whose p95 has grown most, and what its requests wait for. */
function routeVotes(findings: Findings): Vote[] {
  const metrics = findings.metrics?.state === 'known' ? findings.metrics.value : undefined
  if (!metrics) return []
  const votes: Vote[] = []
  const usual = new Map(metrics.sinceStart.map((one) => [`${one.method} ${one.route}`, one.p95Seconds]))
  const slow = metrics.recent.find(({ p95Seconds }) => (p95Seconds ?? 0) > 1)
  if (slow && metrics.statementSeconds.recent !== null && metrics.statementSeconds.recent > 0.2)
    votes.push({
      cause: 'slow-statement',
      weight: 1.5,
      evidence: `${slow.method} ${slow.route}: p95 ${slow.p95Seconds?.toFixed(1)} s now, ${(usual.get(`${slow.method} ${slow.route}`) ?? 0).toFixed(1)} s since the start; statements take ${Math.round(metrics.statementSeconds.recent * 1_000)} ms with their wait for a connection`,
    })
  if (metrics.web.loopLagSeconds > 0.2)
    votes.push({
      cause: 'cpu-load',
      weight: Math.min(3, metrics.web.loopLagSeconds * 3),
      evidence: `the event loop of the web process is ${Math.round(metrics.web.loopLagSeconds * 1_000)} ms late at its 99th percentile`,
    })
  return votes
}
