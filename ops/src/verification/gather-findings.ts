import path from 'node:path'
import { syntheticHeader } from '@dam/contract/synthetic'
import { listDeployments } from '../deployments/deployment-store.ts'
import type { Environment } from '../environments/environment.ts'
import { readSyntheticSecret } from '../environments/synthetic-secret.ts'
import { createFrontClient } from '../front/front-client.ts'
import type { Policy } from '../policy/policy.ts'
import { addressOf, durationsOf } from '../signals/collect-sample.ts'
import { parsePrometheusText, type Series } from '../signals/prometheus-text.ts'
import type { Store } from '../store.ts'
import type { Finding, Findings } from './checklist.ts'
import {
  durationsOfOutcomes,
  findFeedback,
  findHealth,
  findNewErrors,
  findPerformance,
  findSmoke,
} from './find-facts.ts'
import { findMonitoring } from './find-monitoring.ts'
import type { JourneyResult } from './journey.ts'
import { runJourney } from './run-journey.ts'
import { ensureSyntheticAccount } from './synthetic-account.ts'

export type VerificationInput = {
  environment: Environment
  store: Store
  policy: Policy
  /** Of the operations' store. */
  opsDir: string
  /** Null: the database does not run. */
  connectionString: string | null
  /** Which one must answer; undefined: any. */
  version: string | undefined
  /** Errors of kinds that were not there before this moment count. */
  since: Date
  /** Null: made now. False: left out, and then not known. */
  journey: JourneyResult | null | false
  now: Date
}

/** When the release that serves began to; null before the first deployment and for a local DAM. */
export function servesSince(store: Store, environment: string): Date | null {
  for (const { data } of listDeployments(store, { environment, limit: 50 })) {
    const at = data.stamps?.restoredAt ?? data.cutOverAt
    if (at !== undefined) return new Date(at)
  }
  return null
}

/** What machines can find out about an environment now, within two minutes. Never throws: what does not answer is the news. */
export async function gatherFindings(input: VerificationInput): Promise<Findings> {
  const { environment, store, policy, opsDir, connectionString, since, now } = input
  const baseUrl = addressOf(environment)
  const secret = environment.runDir === null ? 'local' : readSyntheticSecret(environment.runDir)
  const headers = { [syntheticHeader]: secret }
  const health = await findHealth(baseUrl, { version: input.version, headers })
  const smoke = await findJourney(input, baseUrl, secret)
  const metrics = await readMetrics(baseUrl, headers)
  const { satisfaction, 'response-time-p95': p95 } = policy.targets
  return {
    health,
    smoke,
    performance: await findDurations(environment, metrics, (p95?.below?.value ?? 0.5) * 1000),
    monitoring: findMonitoring({ store, policy, environment: environment.name, opsDir, now }),
    logs: connectionString === null ? noDatabase : await findNewErrors(connectionString, since),
    feedback: metrics === null ? undefined : findFeedback(metrics, satisfaction?.above?.value ?? 0.8),
  }
}

const noDatabase: Finding = { state: 'unknown', evidence: 'the database does not run' }

async function findJourney(input: VerificationInput, baseUrl: string, syntheticSecret: string): Promise<Finding> {
  const { environment, connectionString, journey } = input
  if (journey === false) return { state: 'unknown', evidence: 'left out' }
  if (journey) return findSmoke(journey)
  if (connectionString === null) return noDatabase
  try {
    const account = await ensureSyntheticAccount({ connectionString, runDir: environment.runDir ?? input.opsDir })
    const expected = input.version === undefined ? {} : { expectedVersion: input.version }
    return findSmoke(await runJourney({ baseUrl, ...account, syntheticSecret, timeoutMs: 60_000, ...expected }))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { state: 'unknown', evidence: `no account for the journey: ${reason}` }
  }
}

/** The front counted the last hour; without a front the release did, since it started. */
async function findDurations(environment: Environment, metrics: Series[] | null, targetMs: number): Promise<Finding> {
  if (environment.runDir === null) {
    return metrics === null
      ? { state: 'unknown', evidence: '/metrics does not answer' }
      : findPerformance(durationsOf(metrics), targetMs, 'since its start')
  }
  try {
    const front = createFrontClient(path.join(environment.runDir, 'front.sock'))
    const { buckets } = await front.outcomes(0, Math.floor(Date.now() / 1000) - 3_600)
    return findPerformance(durationsOfOutcomes(buckets), targetMs, 'in the last hour')
  } catch (error) {
    return { state: 'unknown', evidence: error instanceof Error ? error.message : String(error) }
  }
}

async function readMetrics(baseUrl: string, headers: Record<string, string>): Promise<Series[] | null> {
  try {
    const response = await fetch(`${baseUrl}/metrics`, { headers, signal: AbortSignal.timeout(5_000) })
    return response.status === 200 ? parsePrometheusText(await response.text()) : null
  } catch {
    return null
  }
}
