import type { ClientBase } from 'pg'
import { label, type Migration } from './migration.ts'

/** A migration that the database says it has. `down` lets a release undo a migration that it does not bring itself. */
export type Applied = {
  number: number
  name: string
  checksum: string
  previousReleaseRuns: boolean
  inTransaction: boolean
  down: string
  appliedAt: Date
}

export async function createLedger(client: ClientBase): Promise<void> {
  await client.query(`
    create table if not exists public.schema_migration (
      app text not null,
      number integer not null,
      name text not null,
      checksum text not null,
      previous_release_runs boolean not null,
      in_transaction boolean not null,
      down_sql text not null,
      applied_at timestamptz not null default now(),
      primary key (app, number)
    )`)
  await client.query(`
    create table if not exists public.schema_migration_progress (
      app text not null,
      number integer not null,
      direction text not null,
      statement integer not null,
      done_at timestamptz not null default now(),
      primary key (app, number, direction, statement)
    )`)
  // Of a backfill that is under way: how far it came. Null: the statement is done.
  const { rowCount } = await client.query(`
    select from pg_attribute where attrelid = 'public.schema_migration_progress'::regclass and attname = 'last_key'`)
  if (rowCount === 0) {
    await client.query(
      'alter table public.schema_migration_progress add column last_key text, add column changed_rows bigint not null default 0',
    )
  }
}

export type Section = { app: string; number: number; direction: 'up' | 'down' }

/** Statements of a section, by index, that a run outside a transaction has done. */
export async function readProgress(client: ClientBase, { app, number, direction }: Section): Promise<Set<number>> {
  const { rows } = await client.query<{ statement: number }>(
    `select statement from public.schema_migration_progress
     where app = $1 and number = $2 and direction = $3 and last_key is null`,
    [app, number, direction],
  )
  return new Set(rows.map((row) => row.statement))
}

export async function recordStatement(client: ClientBase, section: Section, statement: number): Promise<void> {
  await client.query(
    `insert into public.schema_migration_progress (app, number, direction, statement) values ($1, $2, $3, $4)
     on conflict (app, number, direction, statement) do update set last_key = null, done_at = now()`,
    [section.app, section.number, section.direction, statement],
  )
}

type Batch = { lastKey: string; rows: number }

/** How far a backfill has come; null: not begun. */
export async function readBatch(client: ClientBase, at: Section & { statement: number }): Promise<Batch | null> {
  const { rows } = await client.query<{ lastKey: string; rows: string }>(
    `select last_key as "lastKey", changed_rows as rows from public.schema_migration_progress
     where app = $1 and number = $2 and direction = $3 and statement = $4`,
    [at.app, at.number, at.direction, at.statement],
  )
  return rows[0] ? { lastKey: rows[0].lastKey, rows: Number(rows[0].rows) } : null
}

export async function keepBatch(client: ClientBase, at: Section & { statement: number }, batch: Batch): Promise<void> {
  await client.query(
    `insert into public.schema_migration_progress (app, number, direction, statement, last_key, changed_rows)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (app, number, direction, statement)
       do update set last_key = excluded.last_key, changed_rows = excluded.changed_rows, done_at = now()`,
    [at.app, at.number, at.direction, at.statement, batch.lastKey, batch.rows],
  )
}

/** Both directions: a section that is complete leaves nothing to go on from. */
export async function finishProgress(client: ClientBase, { app, number }: Section): Promise<void> {
  await client.query('delete from public.schema_migration_progress where app = $1 and number = $2', [app, number])
}

/** Migrations that were begun and not finished, newest first. */
export async function readHalfDone(client: ClientBase, app: string): Promise<number[]> {
  const exists = await client.query<{ exists: boolean }>(
    `select to_regclass('public.schema_migration_progress') is not null as exists`,
  )
  if (!exists.rows[0]?.exists) return []
  const { rows } = await client.query<{ number: number }>(
    `select distinct number from public.schema_migration_progress where app = $1 and direction = 'up' order by number desc`,
    [app],
  )
  return rows.map((row) => row.number)
}

/** What was applied, in order; none when the ledger does not exist yet. */
export async function readLedger(client: ClientBase, app: string): Promise<Applied[]> {
  const exists = await client.query<{ exists: boolean }>(
    `select to_regclass('public.schema_migration') is not null as exists`,
  )
  if (!exists.rows[0]?.exists) return []
  const { rows } = await client.query<Applied>(
    `select number, name, checksum, previous_release_runs as "previousReleaseRuns", in_transaction as "inTransaction",
            down_sql as "down", applied_at as "appliedAt"
     from public.schema_migration where app = $1 order by number`,
    [app],
  )
  return rows
}

export async function recordUp(client: ClientBase, app: string, migration: Migration): Promise<void> {
  const { number, name, checksum, previousReleaseRuns, inTransaction, down } = migration
  await client.query(
    `insert into public.schema_migration (app, number, name, checksum, previous_release_runs, in_transaction, down_sql)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [app, number, name, checksum, previousReleaseRuns, inTransaction, down],
  )
}

export async function recordDown(client: ClientBase, app: string, number: number): Promise<void> {
  await client.query('delete from public.schema_migration where app = $1 and number = $2', [app, number])
}

/** Migrations in the database that this release does not bring, newest last. */
export const unknownTo = (migrations: readonly Migration[], applied: readonly Applied[]): Applied[] =>
  applied.filter((row) => !migrations.some((migration) => migration.number === row.number))

/** Throws when an applied migration is not the one this release brings under the same number. */
export function assertUnchanged(migrations: readonly Migration[], applied: readonly Applied[]): void {
  for (const row of applied) {
    const migration = migrations.find((candidate) => candidate.number === row.number)
    if (!migration || migration.checksum === row.checksum) continue
    throw new Error(
      `Migration ${label(migration)} was changed after it was applied to this database (as ${label(row)}, ${row.appliedAt.toISOString()}). Put the file back as it was and write the change as a new migration.`,
    )
  }
}
