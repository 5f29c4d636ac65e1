import { withEnvironmentDatabase } from '@dam/ops/src/backup/environment-database.ts'
import { databaseOf } from '@dam/ops/src/backup/connect.ts'
import { type RestoreReport, restoreBackup } from '@dam/ops/src/backup/restore/restore-backup.ts'
import { keptBeforeDays, swapDatabase, undoSwap } from '@dam/ops/src/backup/restore/swap-database.ts'
import { recordAudit } from '@dam/ops/src/audit/audit.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import type { Store } from '@dam/ops/src/store.ts'
import { confirmed, interruption, progressLine, restoreSource } from './backup-place.ts'
import { shellEnvironment } from './config.ts'
import type { OperationsPlace } from './operations.ts'
import { restartApplication } from './restart-application.ts'
import { migrationsOf } from './schema.ts'

/** Restores beside the live database, tells what it found, and lets the result take its place when the person agrees. */
export async function restoreGuarded(
  place: OperationsPlace,
  store: Store,
  environment: Environment,
  what: string,
  options: { into?: string; yes: boolean; who: string },
): Promise<number> {
  const source = restoreSource(place, store, what)
  return withEnvironmentDatabase(environment, async (connectionString) => {
    using say = progressLine()
    const report = await restoreBackup({
      environment,
      connectionString,
      backupsDir: place.backupsDir,
      source,
      migrations: migrationsOf('backend'),
      searchPath: shellEnvironment['PATH'] ?? '',
      now: new Date(),
      signal: interruption(),
      say,
      ...(options.into === undefined ? {} : { into: options.into }),
    })
    say[Symbol.dispose]()
    print(report)
    if (options.into !== undefined) {
      console.log(`\nIt stays beside the live database as ${report.database}.`)
      return 0
    }
    const live = databaseOf(connectionString)
    const loss = report.manifest
      ? `What was written since ${report.manifest.snapshotAt} is not in it.`
      : 'What was written since the dump was made is not in it.'
    if (
      !options.yes &&
      !(await confirmed(
        `\nIt can take the place of ${live} of ${environment.name} now. ${loss} The present one is kept for ${keptBeforeDays} days.`,
        environment.name,
      ))
    ) {
      console.log(
        `\nNothing was replaced. It stays beside the live database as ${report.database}.\n→ To let it take its place: the same command with --yes.`,
      )
      return 0
    }
    const startedAt = performance.now()
    const kept = await swapDatabase(connectionString, report.database, new Date())
    recordAudit(store, {
      who: options.who,
      action: 'restore',
      subject: environment.name,
      detail: { what, kept },
      now: new Date(),
    })
    const restarted = await restartApplication(environment, store)
    console.log(
      `\n✓ ${live} is the restored database now; swapped in ${((performance.now() - startedAt) / 1000).toFixed(1)} s${restarted > 0 ? `, ${restarted} processes are starting again` : ''}.`,
    )
    console.log(
      `  The one before is kept as ${kept} for ${keptBeforeDays} days. Back: ./dam restore${environment.isLocal ? '' : ` ${environment.name}`} --undo`,
    )
    if (report.migrationsMissing.length > 0)
      console.log(
        `! It lacks migrations of this release: ${report.migrationsMissing.join(', ')}. ./dam migrate applies them.`,
      )
    return report.originals.missing.length + report.originals.damaged.length > 0 ? 1 : 0
  })
}

/** Lets the database from before the last restore take its place again. */
export async function undoRestore(
  environment: Environment,
  store: Store,
  options: { yes: boolean; who: string },
): Promise<number> {
  return withEnvironmentDatabase(environment, async (connectionString) => {
    if (
      !options.yes &&
      !(await confirmed(
        `The database from before the last restore takes the place of the present one of ${environment.name}.`,
        environment.name,
      ))
    ) {
      console.log('Nothing was changed. Without a terminal, agree with --yes.')
      return 1
    }
    const { restored, kept } = await undoSwap(connectionString, new Date())
    recordAudit(store, {
      who: options.who,
      action: 'restore undone',
      subject: environment.name,
      detail: { restored, kept },
      now: new Date(),
    })
    await restartApplication(environment, store)
    console.log(`✓ ${restored} is the live database again; the one that had replaced it is kept as ${kept}.`)
    return 0
  })
}

function print({ database, manifest, tables, originals, restoredWith, tookMs }: RestoreReport): void {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  console.log(
    `✓ restored into ${database}${restoredWith === 'here' ? '' : ' with pg_restore'} (${seconds(tookMs.restore)})`,
  )
  if (manifest) {
    const rows = tables.reduce((sum, table) => sum + table.rows, 0)
    console.log(
      `✓ ${rows.toLocaleString('en')} rows in ${tables.length} tables are the ones that were backed up (${seconds(tookMs.compare)})`,
    )
  } else console.log('! a bare dump: nobody wrote down what should be in it, so its rows were not compared')
  const lost = originals.missing.length + originals.damaged.length
  console.log(
    `${lost === 0 ? '✓' : '✗'} ${originals.checked.toLocaleString('en')} originals read, ${originals.broughtBack} brought back, ${originals.missing.length} missing, ${originals.damaged.length} damaged (${seconds(tookMs.originals)})`,
  )
  for (const sha256 of [...originals.missing, ...originals.damaged].slice(0, 20)) console.log(`  ${sha256}`)
}
