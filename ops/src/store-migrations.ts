import type { DatabaseSync } from 'node:sqlite'
import { label, type Migration, numberOfTarget, type Target } from '@dam/platform/migrate'

export type StoreStep = { direction: 'up' | 'down'; number: number; name: string }
type Applied = { number: number; name: string; checksum: string; down: string; appliedAt: string }

/** What was applied, in order; none when the ledger does not exist yet. */
export function appliedToStore(file: DatabaseSync): Applied[] {
  if (!file.prepare(`select 1 from sqlite_schema where name = 'schema_migration'`).get()) return []
  return file
    .prepare(
      'select number, name, checksum, down_sql as down, applied_at as appliedAt from schema_migration order by 1',
    )
    .all() as Applied[]
}

/**
 * The steps to `target`, in order; changes nothing. `latest` never goes down: a store that is ahead of this release is used as it is,
 * because its migrations keep older releases running. Throws when an applied migration is not the one this release brings.
 */
export function planStore(
  file: DatabaseSync,
  migrations: readonly Migration[],
  target: Target = 'latest',
): StoreStep[] {
  const applied = appliedToStore(file)
  for (const row of applied) {
    const migration = migrations.find(({ number }) => number === row.number)
    if (!migration || migration.checksum === row.checksum) continue
    throw new Error(
      `Migration ${label(migration)} of the operations store was changed after it was applied (as ${label(row)}, ${row.appliedAt}). Put the file back as it was and write the change as a new migration.`,
    )
  }
  const newest = Math.max(versionOf(file), applied.at(-1)?.number ?? 0)
  const unknown = applied.filter(({ number }) => !migrations.some((migration) => migration.number === number))
  const wanted = numberOfTarget(target, [...migrations, ...unknown])
  const up = migrations.filter(({ number }) => number <= wanted && number > newest)
  const down = target === 'latest' ? [] : applied.filter(({ number }) => number > wanted).toReversed()
  return [
    ...down.map(({ number, name }): StoreStep => ({ direction: 'down', number, name })),
    ...up.map(({ number, name }): StoreStep => ({ direction: 'up', number, name })),
  ]
}

/** Brings a store to `target`, all steps or none, and returns them. Several processes may do it at once. */
export function migrateStore(
  file: DatabaseSync,
  migrations: readonly Migration[],
  target: Target = 'latest',
): StoreStep[] {
  const isComplete = planStore(file, migrations, target).length === 0 && appliedToStore(file).length === versionOf(file)
  if (isComplete) return []
  // Tables that refer to each other are dropped in any order; the pragma does nothing inside a transaction.
  file.exec('pragma foreign_keys = off')
  file.exec('begin immediate')
  try {
    createLedger(file, migrations)
    // Another process may have been first.
    const steps = planStore(file, migrations, target)
    const downOf = new Map(appliedToStore(file).map(({ number, down }) => [number, down]))
    for (const step of steps) {
      const migration = migrations.find(({ number }) => number === step.number)
      try {
        file.exec(step.direction === 'up' ? (migration?.up ?? '') : (downOf.get(step.number) ?? ''))
      } catch (error) {
        throw new Error(
          `Migration ${label(step)} (${step.direction}) of the operations store failed: ${String(error)}. Nothing was changed.`,
          { cause: error },
        )
      }
      if (step.direction === 'up' && migration) record(file, migration)
      else file.prepare('delete from schema_migration where number = ?').run(step.number)
    }
    // Releases from before the ledger go by this number.
    file.exec(`pragma user_version = ${appliedToStore(file).at(-1)?.number ?? 0}`)
    file.exec('commit')
    return steps
  } catch (error) {
    if (file.isTransaction) file.exec('rollback')
    throw error
  } finally {
    file.exec('pragma foreign_keys = on')
  }
}

/** Also for a store that a release from before the ledger has made: it has what its version says. */
function createLedger(file: DatabaseSync, migrations: readonly Migration[]): void {
  file.exec(`create table if not exists schema_migration (
    number integer primary key, name text not null, checksum text not null, down_sql text not null, applied_at text not null
  ) strict`)
  const known = appliedToStore(file)
  for (const migration of migrations) {
    const isUnrecorded = !known.some(({ number }) => number === migration.number)
    if (migration.number <= versionOf(file) && isUnrecorded) record(file, migration)
  }
}

function record(file: DatabaseSync, { number, name, checksum, down }: Migration): void {
  file
    .prepare('insert into schema_migration (number, name, checksum, down_sql, applied_at) values (?, ?, ?, ?, ?)')
    .run(number, name, checksum, down, new Date().toISOString())
}

const versionOf = (file: DatabaseSync): number =>
  Number(file.prepare('pragma user_version').get()?.['user_version'] ?? 0)
