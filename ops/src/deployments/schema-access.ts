import path from 'node:path'
import pg from 'pg'
import { type Applied, label, migrate, readMigrations } from '@dam/platform/migrate'
import { readLedger } from '@dam/platform/migrate/ledger'
import { type AppliedMigration, canRunOn } from '../releases/release-schema.ts'
import type { Release, ReleaseMigration } from '../releases/release.ts'

const app = 'backend'

/** Migrations the database has, in order. Throws when it does not answer. */
export async function appliedMigrations(connectionString: string): Promise<Applied[]> {
  const client = new pg.Client({ connectionString, application_name: 'dam: deployer', connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await readLedger(client, app)
  } finally {
    await client.end()
  }
}

/** What a release would apply. */
export const pendingMigrations = (release: Release, applied: readonly Applied[]): ReleaseMigration[] =>
  release.manifest.migrations.filter(
    (migration) => migration.app === app && migration.number > (applied.at(-1)?.number ?? 0),
  )

/**
 * Newest applied migrations that have to be undone before the release may run, oldest first; null: undoing does not help, the
 * database is not one this release can come from. The rule is `canRunOn`.
 */
export function blockingMigrations<T extends AppliedMigration>(
  release: Release,
  applied: readonly T[],
  known: readonly Release[],
): T[] | null {
  for (let kept = applied.length; kept >= 0; kept--) {
    if (canRunOn(release, applied.slice(0, kept), known).canRun) return applied.slice(kept)
  }
  return null
}

/** Applies what the installed release brings. Idempotent; a killed run continues where it stopped. */
export async function migrateUp(options: {
  connectionString: string
  releaseDir: string
  say: (message: string) => void
}) {
  const migrations = readMigrations(path.join(options.releaseDir, 'backend/migrations'))
  return migrate({ connectionString: options.connectionString, app, migrations, log: options.say })
}

/** Undoes every migration above `number`, newest first, with the `down` that came with each. */
export async function migrateDown(options: {
  connectionString: string
  number: number
  say: (message: string) => void
}) {
  const { connectionString, number, say } = options
  // Undoing needs no files: each migration left its `down` in the database.
  return migrate({ connectionString, app, migrations: [], target: number === 0 ? 'zero' : String(number), log: say })
}

/** The newest migration that may stay when `blocking` is undone. */
export const numberBelow = (blocking: readonly Pick<Applied, 'number'>[]): number => (blocking[0]?.number ?? 1) - 1

/** The very commands that undo what a release cannot run on. */
export const downSteps = (blocking: readonly Pick<Applied, 'number'>[], environment: string): string[] => {
  const number = numberBelow(blocking)
  if (blocking.length === 0) return []
  return [
    `./dam migrate ${app} ${number === 0 ? 'zero' : String(number).padStart(4, '0')} --environment ${environment}`,
  ]
}

export const labels = (migrations: readonly Pick<Applied, 'number' | 'name'>[]): string =>
  migrations.map(label).join(', ')
