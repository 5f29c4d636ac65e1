import path from 'node:path'
import { behindMaintenancePage } from '@dam/ops/src/backup/restore/behind-maintenance-page.ts'
import { withEnvironmentDatabase } from '@dam/ops/src/backup/environment-database.ts'
import { databaseOf } from '@dam/ops/src/backup/connect.ts'
import { type RestoreReport, restoreBackup } from '@dam/ops/src/backup/restore/restore-backup.ts'
import { keptBeforeDays, swapDatabase, undoSwap } from '@dam/ops/src/backup/restore/swap-database.ts'
import { recordAudit } from '@dam/ops/src/audit/audit.ts'
import { LeaseError } from '@dam/ops/src/deployments/lease-store.ts'
import type { Environment } from '@dam/ops/src/environments/environment.ts'
import { createFrontClient } from '@dam/ops/src/front/front-client.ts'
import { assertNoDeployment, MaintenanceRefused } from '@dam/ops/src/maintenance/switch-environment.ts'
import type { Store } from '@dam/ops/src/store.ts'
import { migrate } from '@dam/platform/migrate'
import {
  confirmed,
  interruption,
  migrationsOfApplication,
  progressLine,
  releaseOf,
  restoreSource,
} from './backup-place.ts'
import { shellEnvironment } from './config.ts'
import type { OperationsPlace } from './operations.ts'
import { CommandFailure } from './failure.ts'
import { type Restart, restartApplication } from './restart-application.ts'

/** Restores beside the live database, tells what it found, and lets the result take its place when the person agrees. */
export async function restoreGuarded(
  place: OperationsPlace,
  store: Store,
  environment: Environment,
  what: string,
  options: { into?: string; yes: boolean; who: string },
): Promise<number> {
  const source = restoreSource(place, store, what)
  if (options.into === undefined) orFailure(() => assertNoDeployment(store, environment))
  const migrations = migrationsOfApplication(environment, store)
  return withEnvironmentDatabase(environment, async (connectionString) => {
    using say = progressLine()
    const report = await restoreBackup({
      environment,
      connectionString,
      backupsDir: place.backupsDir,
      source,
      migrations,
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
    // ./dam up does it when it starts; a release of a host expects it done.
    if (!environment.isLocal && report.migrationsMissing.length > 0) {
      await migrate({ connectionString: report.connectionString, app: 'backend', migrations })
      console.log(`✓ brought to the schema of ${releaseOf(environment, store)}: ${report.migrationsMissing.join(', ')}`)
    }
    const { restart, result: kept } = await exchangeDatabase(environment, store, options.who, () =>
      swapDatabase(connectionString, report.database, new Date()).then((name) => {
        recordAudit(store, {
          who: options.who,
          action: 'restore',
          subject: environment.name,
          detail: { what, kept: name },
          now: new Date(),
        })
        return name
      }),
    )
    console.log(`\n✓ ${live} is the restored database now${restart.processes > 0 ? restartText(restart) : ''}.`)
    console.log(
      `  The one before is kept as ${kept} for ${keptBeforeDays} days. Back: ./dam restore${environment.isLocal ? '' : ` ${environment.name}`} --undo`,
    )
    if (environment.isLocal && report.migrationsMissing.length > 0)
      console.log(
        `! It lacks migrations of this release: ${report.migrationsMissing.join(', ')}. ./dam migrate applies them.`,
      )
    if (restart.notReady !== null) throw new CommandFailure(pageStays(environment, restart.notReady))
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
    const { restart, result } = await exchangeDatabase(environment, store, options.who, async () => {
      const undone = await undoSwap(connectionString, new Date())
      recordAudit(store, {
        who: options.who,
        action: 'restore undone',
        subject: environment.name,
        detail: undone,
        now: new Date(),
      })
      return undone
    })
    const { restored, kept } = result
    console.log(`✓ ${restored} is the live database again; the one that had replaced it is kept as ${kept}.`)
    if (restart.notReady !== null) throw new CommandFailure(pageStays(environment, restart.notReady))
    return 0
  })
}

/** Swaps databases and starts the application again, on a host while its front shows the maintenance page. */
async function exchangeDatabase<T>(
  environment: Environment,
  store: Store,
  who: string,
  swap: () => Promise<T>,
): Promise<{ restart: Restart; result: T }> {
  const front = environment.runDir === null ? null : createFrontClient(path.join(environment.runDir, 'front.sock'))
  try {
    return await behindMaintenancePage({ store, environment, front, who, now: () => new Date() }, async () => {
      const result = await swap()
      const restart = await restartApplication(environment, store)
      return { result, restart, stays: restart.notReady !== null }
    })
  } catch (error) {
    throw told(error)
  }
}

function orFailure(work: () => void): void {
  try {
    work()
  } catch (error) {
    throw told(error)
  }
}

const told = (error: unknown): unknown =>
  error instanceof MaintenanceRefused || error instanceof LeaseError ? new CommandFailure(error.message) : error

const restartText = ({ processes, tookMs, notReady }: Restart): string =>
  notReady === null && tookMs !== null
    ? `; ${processes} processes started again, ready after ${(tookMs / 1000).toFixed(1)} s`
    : `; ${processes} processes are starting again`

const pageStays = ({ name }: Environment, said: string): string =>
  `DAM of ${name} is not ready on this database, so its users keep seeing the maintenance page. /readyz says ${said}
→ The database from before:    ./dam restore ${name} --undo
→ Or, when it has been put right: ./dam rollback ${name} --rung maintenance-page --lift`

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
