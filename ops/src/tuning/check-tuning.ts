import { runProbes } from '../diagnosis/diagnose.ts'
import type { Findings, Found, ProbeName } from '../diagnosis/findings.ts'
import type { DiagnosisPlace } from '../diagnosis/place.ts'
import { reasonOf } from '../diagnosis/probe.ts'
import { openReadOnlySession } from '../diagnosis/probes/database-session.ts'
import { judgeCaches, judgeExternal, judgePool, judgeRoutes, judgeScale, judgeStatements } from './judge-backend.ts'
import { judgeBundle, judgeCdn, judgeImages } from './judge-frontend.ts'
import { readBuiltPages } from './read-built-pages.ts'
import { readRenditions } from './read-renditions.ts'
import type { TuningLine } from './tuning-line.ts'

/** What was found, or why nothing was. */
const foundOr = <K extends ProbeName>(findings: Findings, name: K): Found[K] | string => {
  const answer = findings[name]
  return answer === undefined ? 'not asked' : answer.state === 'known' ? answer.value : answer.because
}

/** The runbook's chapter Performance Tuning, line by line. `dist` is the built frontend that serves. */
export async function checkTuning(
  place: DiagnosisPlace,
  input: { dist: string; bundleKilobytes: number; p95Seconds: number },
): Promise<TuningLine[]> {
  const findings = await runProbes(place, [
    'metrics',
    'activity',
    'statements',
    'tables',
    'redis',
    'machine',
    'external',
    'cdn',
  ])
  const metrics = foundOr(findings, 'metrics')
  return [
    ...judgeBundle(
      attempt(() => readBuiltPages(input.dist)),
      input.bundleKilobytes,
    ),
    ...judgeImages(await renditionsOf(place)),
    judgeCdn(foundOr(findings, 'cdn')),
    ...judgeRoutes(metrics, input),
    ...judgeStatements(foundOr(findings, 'statements'), foundOr(findings, 'tables')),
    ...judgeCaches(metrics, foundOr(findings, 'redis')),
    ...judgePool(metrics, foundOr(findings, 'activity')),
    judgeExternal(foundOr(findings, 'external')),
    judgeScale(foundOr(findings, 'machine'), metrics),
  ]
}

async function renditionsOf({ connectionString }: DiagnosisPlace) {
  try {
    await using session = await openReadOnlySession(connectionString)
    return await readRenditions(session)
  } catch (error) {
    return reasonOf(error)
  }
}

function attempt<T>(read: () => T): T | string {
  try {
    return read()
  } catch (error) {
    return reasonOf(error)
  }
}
