import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseBackfill } from './parse-backfill.ts'
import { splitStatements } from './statements.ts'

/** One numbered step of a schema, as read from `0001-name.sql`. */
export type Migration = {
  number: number
  name: string
  /** Whether the previous release can still run on the result, and why. */
  previousReleaseRuns: boolean
  reason: string
  /** False for statements that PostgreSQL refuses inside a transaction, such as `create index concurrently`. */
  inTransaction: boolean
  /**
   * expand: adds what the previous release does not see; contract: takes away what it may still use; data: changes rows only.
   * As the header says, else from `previousReleaseRuns`.
   */
  kind: MigrationKind
  up: string
  down: string
  checksum: string
}

export type MigrationKind = 'expand' | 'contract' | 'data'

/** `0001-first`: how people and the command line name a migration. */
export const label = (migration: Pick<Migration, 'number' | 'name'>): string =>
  `${String(migration.number).padStart(4, '0')}-${migration.name}`

/**
 * Reads one migration file: header comment lines (`-- previous-release-runs: yes|no (reason)`, optionally
 * `-- no-transaction` and `-- kind: expand|contract|data`), then a section after the line `-- up` and one after the line `-- down`.
 */
export function parseMigration(fileName: string, text: string): Migration {
  const [, digits, name] = /^(\d{4})-([a-z0-9-]+)\.sql$/.exec(fileName) ?? []
  if (!digits || !name) throw new Error(`${fileName}: a migration is named like 0002-add-colour.sql`)
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  const upAt = lines.indexOf('-- up')
  const downAt = lines.indexOf('-- down')
  if (upAt < 0 || downAt < upAt) throw new Error(`${fileName}: needs a line "-- up" and after it a line "-- down"`)
  const header = lines.slice(0, upAt)
  const [, answer, reason] =
    header.map((line) => /^-- previous-release-runs: (yes|no) \((.+)\)$/.exec(line)).find((match) => match) ?? []
  if (!answer || !reason) {
    throw new Error(`${fileName}: the header must say "-- previous-release-runs: yes|no (reason)"`)
  }
  const kindLine = header.find((line) => line.startsWith('-- kind:'))
  const kind = (['expand', 'contract', 'data'] as const).find((name) => kindLine === `-- kind: ${name}`)
  if (kindLine !== undefined && !kind)
    throw new Error(`${fileName}: "${kindLine}" is not -- kind: expand|contract|data`)
  const section = (from: number, to?: number) =>
    lines
      .slice(from + 1, to)
      .join('\n')
      .trim()
  const migration = {
    number: Number(digits),
    name,
    previousReleaseRuns: answer === 'yes',
    reason,
    inTransaction: !header.includes('-- no-transaction'),
    kind: kind ?? (answer === 'yes' ? ('expand' as const) : ('contract' as const)),
    up: section(upAt, downAt),
    down: section(downAt),
  }
  if (!migration.up || !migration.down) throw new Error(`${fileName}: "-- up" and "-- down" must both hold statements`)
  for (const text of [migration.up, migration.down].flatMap(splitStatements)) {
    if (parseBackfill(text) && migration.inTransaction)
      throw new Error(`${fileName}: a backfill commits batch by batch, so the header must say -- no-transaction`)
  }
  return { ...migration, checksum: createHash('sha256').update(lines.join('\n').trim()).digest('hex') }
}

/** All migrations of a folder in order; numbers run from 1 without a gap. Other files (schema.sql) are left alone. */
export function readMigrations(directory: string): Migration[] {
  const migrations = readdirSync(directory)
    .filter((fileName) => /^\d.*\.sql$/.test(fileName))
    .sort()
    .map((fileName) => parseMigration(fileName, readFileSync(join(directory, fileName), 'utf8')))
  for (const [index, migration] of migrations.entries()) {
    if (migration.number !== index + 1) {
      throw new Error(`${directory}: expected migration number ${index + 1}, found ${label(migration)}`)
    }
  }
  return migrations
}
