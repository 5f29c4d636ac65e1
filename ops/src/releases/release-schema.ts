import { label } from '@dam/platform/migrate'
import { compareVersions } from './release-order.ts'
import type { Release, ReleaseMigration } from './release.ts'

/** As far as the rules need it. */
export type SchemaOf = {
  tag: string
  version: string
  schema: Release['schema']
  manifest: { migrations: ReleaseMigration[] }
}

export type AppliedMigration = Pick<ReleaseMigration, 'number' | 'name' | 'checksum' | 'previousReleaseRuns'>

export type Fit = { canRun: true; because: string } | { canRun: false; because: string }

/** What going from one release to another means for the schema. Migrations are labels such as `0002-add-colour`. */
export type Compatibility =
  | { kind: 'same-schema' }
  /** `to` brings these on top. */
  | { kind: 'needs-up'; migrations: string[] }
  /** `to` is older and keeps running on what `from` left. */
  | { kind: 'old-runs-on-new'; migrations: string[]; because: string }
  /** `to` is older and these must be undone first, in this order. What is older than them may stay. */
  | { kind: 'needs-down'; migrations: string[]; because: string }
  /** The two have different migrations under one number: neither way leads from one to the other. */
  | { kind: 'diverged'; because: string }

/**
 * Whether a release can run on a schema to which these migrations of `backend` were applied. `known` are all releases
 * of the ledger.
 *
 * A migration's `previous-release-runs: yes` is a promise to exactly one release: the one before the release that
 * brought the migration. It cannot be passed on to an older one. Expand, switch and contract show why: release 2 adds
 * a column (yes: release 1 does not know it), release 3 brings no migration and stops using the old column, release 4
 * drops that one (yes: release 3 no longer uses it). All say yes, and release 1 and 2 break on the schema of release 4.
 * That release 3 brings no migration is the point: equal schemas do not make equal code, so the promise does not reach
 * back over it either.
 *
 * Hence an older release runs on newer migrations when all of them came with the release right after it and each says
 * yes. Later ones must be undone first, or the release not used. "Right after" is the order of versions among all
 * releases that were built, pre-releases and bad ones among them, because their authors counted them too. A migration
 * that no known release brought is promised to nobody.
 *
 * The processes themselves (`/readyz`) ask less: they take every newer migration that says yes. This rule stands in
 * front of them and decides what is started at all.
 */
export function canRunOn(release: SchemaOf, applied: readonly AppliedMigration[], known: readonly SchemaOf[]): Fit {
  const own = backendMigrations(release)
  for (const migration of own) {
    const row = applied.find(({ number }) => number === migration.number)
    if (!row) {
      if (migration.number > release.schema.min) continue
      return { canRun: false, because: `${label(migration)} is not applied yet` }
    }
    if (row.checksum !== migration.checksum) {
      return {
        canRun: false,
        because: `${label(row)} in the database is not the ${label(migration)} of ${release.tag}`,
      }
    }
  }
  const newer = applied.filter(({ number }) => !own.some((migration) => migration.number === number))
  const [first] = unpromised(release, newer, known)
  if (first) return { canRun: false, because: first.because }
  return {
    canRun: true,
    because:
      newer.length === 0
        ? `the schema is the one of ${release.tag}`
        : `${newer.map(label).join(', ')} came with the release right after ${release.tag} and lets it run`,
  }
}

/** What the schema needs for going from one release to another, by the rule of `canRunOn`. */
export function compatibility(from: SchemaOf, to: SchemaOf, known: readonly SchemaOf[]): Compatibility {
  const [have, want] = [backendMigrations(from), backendMigrations(to)]
  for (const migration of want) {
    const other = have.find(({ number }) => number === migration.number)
    if (!other || other.checksum === migration.checksum) continue
    const because = `${label(other)} of ${from.tag} and ${label(migration)} of ${to.tag} are different migrations`
    return { kind: 'diverged', because }
  }
  const added = want.filter(({ number }) => !have.some((other) => other.number === number))
  if (added.length > 0) return { kind: 'needs-up', migrations: added.map(label) }
  const newer = have.filter(({ number }) => !want.some((other) => other.number === number))
  if (newer.length === 0) return { kind: 'same-schema' }
  const [first] = unpromised(to, newer, [...known, from, to])
  if (!first) {
    const because = newer.map((migration) => `${label(migration)}: ${migration.reason}`).join('; ')
    return { kind: 'old-runs-on-new', migrations: newer.map(label), because }
  }
  // Migrations are undone from the top, so everything above the first obstacle goes with it.
  const migrations = newer.filter(({ number }) => number >= first.migration.number).toReversed()
  return { kind: 'needs-down', migrations: migrations.map(label), because: first.because }
}

/** Which of these newer migrations do not promise that this release runs on them, oldest first, and why. */
function unpromised(
  release: SchemaOf,
  newer: readonly AppliedMigration[],
  known: readonly SchemaOf[],
): { migration: AppliedMigration; because: string }[] {
  const inOrder = [...new Map(known.map((one) => [one.tag, one])).values()].sort((a, b) =>
    compareVersions(a.version, b.version),
  )
  const later = inOrder.filter((one) => compareVersions(one.version, release.version) > 0)
  const [next] = later
  return [...newer]
    .sort((a, b) => a.number - b.number)
    .flatMap((migration) => {
      const name = label(migration)
      if (!migration.previousReleaseRuns) {
        return [{ migration, because: `${name} says that the release before it does not run on it` }]
      }
      const hasIt = (one: SchemaOf): boolean =>
        backendMigrations(one).some(
          ({ number, checksum }) => number === migration.number && checksum === migration.checksum,
        )
      // An earlier release may have brought it already, before it was taken out and brought again.
      const broughtBy = later.find(hasIt) ?? inOrder.find(hasIt)
      if (!broughtBy)
        return [{ migration, because: `no release of the ledger brought ${name}, so it is promised to none` }]
      if (broughtBy.tag === next?.tag) return []
      return [
        {
          migration,
          because: `${name} came with ${broughtBy.tag}, which promises only that the release right before it runs; ${release.tag} is older`,
        },
      ]
    })
}

const backendMigrations = (release: SchemaOf): ReleaseMigration[] =>
  release.manifest.migrations.filter(({ app }) => app === 'backend')
