import semver from 'semver'
import * as z from 'zod'
import type { CheckLine } from './check-line.ts'
import { type AuditException, isInForce } from './audit-exceptions.ts'
import type { Component } from './sbom.ts'

const advisory = z.object({
  id: z.union([z.number(), z.string()]),
  url: z.string(),
  title: z.string(),
  severity: z.enum(['info', 'low', 'moderate', 'high', 'critical']),
  vulnerable_versions: z.string(),
})
type Advisory = z.infer<typeof advisory>
const answerSchema = z.record(z.string(), z.array(advisory))

const batchSize = 200

/**
 * Asks the npm registry for advisories on exactly these packages. High and critical ones fail unless a person has reviewed them
 * in the last `reviewDays`; lower ones are reported. Whatever is not a proper answer leaves the line unknown.
 */
export async function checkAdvisories(
  components: readonly Component[],
  options: { registry: string; exceptions: readonly AuditException[]; reviewDays: number; timeoutMs?: number },
  now: Date,
): Promise<CheckLine> {
  const byName = Map.groupBy(components, ({ name }) => name)
  const answer = new Map<string, Advisory[]>()
  try {
    const names = [...byName.keys()]
    for (let start = 0; start < names.length; start += batchSize) {
      const batch = names.slice(start, start + batchSize)
      const question = Object.fromEntries(
        batch.map((name) => [name, [...new Set((byName.get(name) ?? []).map(({ version }) => version))]]),
      )
      for (const [name, found] of Object.entries(await ask(options.registry, question, options.timeoutMs ?? 20_000)))
        answer.set(name, found)
    }
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    return { check: 'advisories', state: 'unknown', summary: `advisories not known: ${because}`, findings: [] }
  }
  return conclude(components, answer, options, now)
}

async function ask(
  registry: string,
  question: Record<string, string[]>,
  timeoutMs: number,
): Promise<Record<string, Advisory[]>> {
  const url = new URL('-/npm/v1/security/advisories/bulk', registry.endsWith('/') ? registry : `${registry}/`)
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'dam' },
      body: JSON.stringify(question),
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (error) {
    const cause =
      error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error)
    throw new Error(`${url.host} does not answer (${cause})`, { cause: error })
  }
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${url.host} answered ${response.status} to the question`)
  try {
    return answerSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new Error(`${url.host} answered in an unexpected form`, { cause: error })
  }
}

function conclude(
  components: readonly Component[],
  answer: ReadonlyMap<string, Advisory[]>,
  options: { exceptions: readonly AuditException[]; reviewDays: number },
  now: Date,
): CheckLine {
  const [failures, reports]: [string[], string[]] = [[], []]
  for (const { name, version } of components) {
    for (const found of answer.get(name) ?? []) {
      // A range that cannot be read counts as hit.
      if (semver.validRange(found.vulnerable_versions) !== null && !isHit(version, found.vulnerable_versions)) continue
      const line = `${name} ${version}: ${found.severity}, ${found.title} (${found.url})`
      const exception = options.exceptions.find((one) => covers(one, name, version, found))
      if (exception && isInForce(exception, options.reviewDays, now)) {
        reports.push(`${line}; reviewed by ${exception.by} on ${exception.date}: ${exception.decision}`)
      } else if (found.severity === 'high' || found.severity === 'critical') {
        failures.push(exception ? `${line}; the review of ${exception.date} is too old` : line)
      } else reports.push(line)
    }
  }
  const summary =
    failures.length > 0
      ? `${failures.length} advisories of high or critical severity`
      : `no advisory of high severity for ${components.length} components${reports.length > 0 ? `, ${reports.length} reported` : ''}`
  return {
    check: 'advisories',
    state: failures.length > 0 ? 'fail' : 'pass',
    summary,
    findings: [...failures, ...reports],
  }
}

const isHit = (version: string, range: string): boolean => semver.satisfies(version, range, { includePrerelease: true })

const covers = (exception: AuditException, name: string, version: string, found: Advisory): boolean =>
  exception.package === name &&
  isHit(version, exception.range) &&
  (exception.advisory === String(found.id) || found.url.endsWith(`/${exception.advisory}`))
