import { label } from '@dam/platform/migrate'
import { compatibility } from '../releases/release-schema.ts'
import { listReleases, previousGoodRelease, resolveRelease } from '../releases/release-store.ts'
import type { Release } from '../releases/release.ts'
import { verifyStoredRelease } from '../releases/verify-release.ts'
import type { Store } from '../store.ts'
import type { RollbackReadiness } from './gate-deps.ts'
import { minuteMs } from './gate-policy.ts'

/** Minutes taken for granted until rollbacks of this host have been measured. */
const assumed = { pointer: 1, eachDownStep: 3 }

/** What going back from `release` would take: to what serves now, or to what was good before when that is the release itself. */
export async function readRollbackFacts(
  store: Store,
  hostDir: string,
  environment: string,
  release: Release,
): Promise<RollbackReadiness> {
  const target = servingRelease(store, environment, release) ?? previousGoodRelease(store, environment, release.digest)
  if (!target)
    return hasServed(store, environment)
      ? { state: 'unknown', because: `what ${environment} ran before is not in the ledger as good` }
      : { state: 'first-release' }
  const schema = schemaAfter(release, target, listReleases(store))
  return {
    state: 'planned',
    target: { tag: target.tag, digest: target.digest },
    artifactProblem: await artifactProblem(hostDir, target),
    schema,
    ...predict(store, environment, schema?.downSteps?.length ?? 0),
  }
}

function servingRelease(store: Store, environment: string, release: Release): Release | null {
  const row = store.row<{ pointer: string }>('select pointer from pointer where environment = ?', environment)
  const tag = row ? (JSON.parse(row.pointer) as { active: { tag?: string } | null }).active?.tag : undefined
  if (!tag || tag === release.tag) return null
  return resolveRelease(store, tag)
}

/** Whether a deployment ever put something else than this before users. */
const hasServed = (store: Store, environment: string): boolean =>
  store.row(
    `select 1 from deployment where environment = ? and state in ('good', 'rolled-back', 'verified') limit 1`,
    environment,
  ) !== undefined

async function artifactProblem(hostDir: string, target: Release): Promise<string | null> {
  try {
    await verifyStoredRelease(hostDir, target.digest)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

type SchemaAfter = Extract<RollbackReadiness, { state: 'planned' }>['schema']

/** Whether the target runs on what `release` leaves, by the rules of releases; else the exact way down. */
function schemaAfter(release: Release, target: Release, known: readonly Release[]): SchemaAfter {
  const fit = compatibility(release, target, known)
  switch (fit.kind) {
    case 'same-schema':
    case 'needs-up':
    case 'old-runs-on-new':
      return null
    case 'diverged':
      return { because: fit.because, downSteps: null }
    case 'needs-down': {
      // Undone from the top; the newest one that stays is what `./dam migrate` is told.
      const stays = release.manifest.migrations
        .filter((one) => one.app === 'backend' && !fit.migrations.includes(label(one)))
        .toSorted((a, b) => b.number - a.number)[0]
      const to = stays ? String(stays.number).padStart(4, '0') : 'zero'
      return { because: fit.because, downSteps: [`./dam migrate backend ${to}`] }
    }
  }
}

function predict(
  store: Store,
  environment: string,
  downSteps: number,
): { predictedMinutes: number; predictedFrom: string } {
  const rows = store.rows<{ requested_at: string; ended_at: string }>(
    `select requested_at, ended_at from deployment
     where environment = ? and kind = 'rollback' and ended_at is not null and state in ('rolled-back', 'verified')
     order by id desc limit 20`,
    environment,
  )
  const minutes = rows.map((row) => (Date.parse(row.ended_at) - Date.parse(row.requested_at)) / minuteMs)
  const measured = minutes.length > 0 ? Math.max(...minutes) : assumed.pointer
  return {
    predictedMinutes: Number((measured + downSteps * assumed.eachDownStep).toFixed(1)),
    predictedFrom:
      minutes.length > 0 ? `longest of ${minutes.length} rollbacks` : 'assumed: none was measured here yet',
  }
}
