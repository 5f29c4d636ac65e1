import type { CauseName, Vote } from '../causes.ts'
import type { Dependency } from '../dependency.ts'
import { type Findings, known } from '../findings.ts'

const causeOf: Record<Dependency, { cause: CauseName; weight: number }> = {
  schema: { cause: 'schema-mismatch', weight: 8 },
  'read-only': { cause: 'database-read-only', weight: 7 },
  permission: { cause: 'database-permission', weight: 8 },
  connections: { cause: 'connections-exhausted', weight: 5 },
  database: { cause: 'database-down', weight: 4 },
  'statement-time': { cause: 'slow-statement', weight: 2 },
  disk: { cause: 'disk-full', weight: 9 },
  storage: { cause: 'storage-lost', weight: 6 },
  cache: { cause: 'cache-down', weight: 4 },
  converter: { cause: 'code-error', weight: 3 },
  program: { cause: 'code-error', weight: 4 },
}

type Group = {
  route: string
  release: string
  dependency: Dependency
  message: string
  count: number
  isNew: boolean
  fingerprint: string
}

/** Errors by route, release, fingerprint and what they are about, from the table and, when that cannot be read or lags, from app.log. */
export function errorVotes(findings: Findings): Vote[] {
  const groups = groupsOf(findings)
  const total = groups.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return [...deploymentVotes(findings, []), ...frontVotes(findings)]
  const byDependency = Map.groupBy(groups, ({ dependency }) => dependency)
  const votes = [...byDependency].map(([dependency, some]): Vote => {
    const count = some.reduce((sum, group) => sum + group.count, 0)
    const worst = some.toSorted((a, b) => b.count - a.count)[0]
    const { cause, weight } = causeOf[dependency]
    // A single error is a hint; what makes up most of many is nearly proof.
    const share = count / total
    return {
      cause,
      weight: weight * (0.4 + 0.6 * share) * Math.min(1, 0.4 + count / 5),
      evidence: `${count} of ${total} errors are about ${about[dependency]}, ${worst?.count} of them at ${worst?.route || 'no route'} (release ${worst?.release || 'unknown'}, ${worst?.fingerprint || 'from app.log'}): ${worst?.message.slice(0, 160)}`,
      subject: { route: worst?.route ?? '', release: worst?.release ?? '' },
    }
  })
  return [...votes, ...deploymentVotes(findings, groups), ...frontVotes(findings)]
}

const about: Record<Dependency, string> = {
  schema: 'the schema of the database',
  'read-only': 'a database that takes no writes',
  permission: 'missing privileges in the database',
  connections: 'connections of the database',
  database: 'a database that is away',
  'statement-time': 'statements that took too long',
  disk: 'a full disk',
  storage: 'the storage of originals',
  cache: 'the cache',
  converter: 'converters',
  program: 'the program itself',
}

function groupsOf(findings: Findings): Group[] {
  const table = known(findings, 'errors')
  if (table && table.total > 0) return table.groups
  return (known(findings, 'log')?.groups ?? []).map((group) => ({ ...group, isNew: false, fingerprint: '' }))
}

/** A release that went out within the hour is suspect when the errors are new and of the program. */
function deploymentVotes(findings: Findings, groups: readonly Group[]): Vote[] {
  const latest = known(findings, 'deployments')?.find(({ kind, cutOverAt }) => kind === 'deploy' && cutOverAt !== null)
  if (!latest) return []
  const ofIt = groups.filter(
    ({ release, isNew, dependency }) => release === latest.tag && isNew && ['program', 'schema'].includes(dependency),
  )
  const count = ofIt.reduce((sum, group) => sum + group.count, 0)
  return [
    {
      cause: 'release-fault',
      weight: count > 0 ? 6 + Math.min(3, count / 10) : 1,
      evidence: `${latest.tag} serves since ${latest.cutOverAt}${count > 0 ? ` and ${count} errors of kinds not seen the day before are its` : ''}`,
      subject: { release: latest.tag },
    },
  ]
}

/** One slot much worse than the others is that slot's fault. */
function frontVotes(findings: Findings): Vote[] {
  const slots = known(findings, 'front')?.slots.filter(({ total, slot }) => total >= 20 && slot !== 'front') ?? []
  if (slots.length < 2) return []
  const share = ({ bad, total }: { bad: number; total: number }): number => bad / total
  const [worst, ...others] = slots.toSorted((a, b) => share(b) - share(a))
  const best = others.at(-1)
  if (!worst || !best || share(worst) < 0.02 || share(worst) < 5 * share(best)) return []
  return [
    {
      cause: 'release-fault',
      weight: 5,
      evidence: `${(share(worst) * 100).toFixed(1)} % of the answers of ${worst.slot} (${worst.tag}) are errors, ${(share(best) * 100).toFixed(1)} % of ${best.slot} (${best.tag})`,
      subject: { release: worst.tag },
    },
  ]
}
