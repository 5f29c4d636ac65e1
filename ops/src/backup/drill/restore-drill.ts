import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { takeExclusiveLock } from '@dam/platform/exclusive-lock'
import { migrate, type Migration } from '@dam/platform/migrate'
import type { Environment } from '../../environments/environment.ts'
import type { Store } from '../../store.ts'
import { ensureSyntheticAccount } from '../../verification/synthetic-account.ts'
import { backupLayout, compactTime } from '../backup-folder.ts'
import { findBackup, latestBackup, saveBackup } from '../backup-store.ts'
import { backupFiles } from '../manifest.ts'
import type { Say } from '../progress.ts'
import { restoreBackup } from '../restore/restore-backup.ts'
import { dropDatabase, onServer } from '../restore/side-database.ts'
import { downloadSample } from './download-sample.ts'
import { type Drill, type DrillReport, endDrill, listDrills, startDrill } from './drill-store.ts'
import { placeOriginals } from './place-originals.ts'
import { bootApplication } from './scratch-application.ts'

export type DrillOptions = {
  environment: Environment
  /** Folder of the release that serves, or the checkout. */
  applicationDir: string
  migrations: readonly Migration[]
  now: Date
  /** For the application and for pg_restore. */
  shell: Readonly<Record<string, string | undefined>>
  sample?: number
  downloads?: number
  bootTimeoutMs?: number
  signal?: AbortSignal
  say?: Say
}

/**
 * Proves that the newest backup comes back: restores it into a scratch database, compares every row, boots the application on it with the
 * backup's originals, downloads some, and clears all of it away. Never throws for a backup that does not come back: that is a drill
 * with state `failed` and the reason in its report.
 */
export async function restoreDrill(
  deps: { store: Store; backupsDir: string; connectionString: string },
  options: DrillOptions,
): Promise<Drill> {
  const { store, connectionString } = deps
  const { environment, now } = options
  const backupsDir = path.resolve(deps.backupsDir)
  mkdirSync(backupsDir, { recursive: true, mode: 0o700 })
  // One at a time for an environment; whatever lies there with the lock free was left by a drill that was killed.
  const lock = takeExclusiveLock(path.join(backupsDir, `drill-${environment.name}.lock`), {})
  const names = {
    folder: `.drill-${environment.name}-`,
    database: `dam_drill_${environment.name.replaceAll('-', '_')}_`,
  }
  const backup = latestBackup(store, environment.name)
  const id = startDrill(store, { environment: environment.name, backupId: backup?.id ?? null, now })
  const report: DrillReport = {
    phasesMs: {},
    tables: 0,
    rows: 0,
    unequalTables: [],
    databaseBytes: backup?.facts.databaseBytes ?? 0,
    originals: { known: 0, sampled: 0, missing: 0, damaged: 0 },
    downloads: { asked: 0, right: 0 },
    message: '',
  }
  const startedAt = performance.now()
  const elapsed = () => performance.now() - startedAt
  const database = `${names.database}${compactTime(now)}`
  const scratch = path.join(backupsDir, `${names.folder}${compactTime(now)}`)
  try {
    await clearAway(connectionString, backupsDir, names)
    mkdirSync(scratch, { mode: 0o700 })
    if (!backup)
      throw new Error(`There is no backup of ${environment.name} to restore: ./dam backup ${environment.name}`)
    await walk({ ...deps, backupsDir }, options, { folder: backup.folder, scratch, database, report })
  } catch (error) {
    report.message = error instanceof Error ? error.message : String(error)
  } finally {
    await dropDatabase(connectionString, database).catch(
      (error: unknown) =>
        (report.message ||= `The scratch database ${database} could not be dropped: ${String(error)}`),
    )
    rmSync(scratch, { recursive: true, force: true })
    lock.release()
  }
  report.phasesMs.all = elapsed()
  const state = report.message === '' ? 'passed' : 'failed'
  const endedAt = new Date(now.getTime() + elapsed())
  endDrill(store, id, state, report, endedAt)
  const known = backup && findBackup(store, backup.id)
  if (state === 'passed' && known?.state === 'ok')
    saveBackup(store, {
      ...known,
      state: 'verified',
      facts: { ...known.facts, verifiedAt: endedAt.toISOString(), verifiedBy: 'drill' },
    })
  return listDrills(store, environment.name).find((drill) => drill.id === id) as Drill
}

async function clearAway(
  connectionString: string,
  backupsDir: string,
  names: { folder: string; database: string },
): Promise<void> {
  for (const name of readdirSync(backupsDir))
    if (name.startsWith(names.folder)) rmSync(path.join(backupsDir, name), { recursive: true, force: true })
  const { rows } = await onServer(connectionString, (admin) =>
    admin.query<{ name: string }>('select datname as name from pg_database where starts_with(datname, $1)', [
      names.database,
    ]),
  )
  for (const { name } of rows) await dropDatabase(connectionString, name)
}

async function walk(
  deps: { backupsDir: string; connectionString: string },
  options: DrillOptions,
  place: { folder: string; scratch: string; database: string; report: DrillReport },
): Promise<void> {
  const { environment, migrations, signal } = options
  const { report, scratch } = place
  const more = { ...(signal ? { signal } : {}), ...(options.say ? { say: options.say } : {}) }
  const dataDir = path.join(scratch, 'data')
  const restored = await restoreBackup({
    environment: { ...environment, dataDir },
    connectionString: deps.connectionString,
    backupsDir: deps.backupsDir,
    source: { kind: 'backup', folder: place.folder },
    into: place.database,
    migrations,
    searchPath: options.shell['PATH'] ?? '',
    now: options.now,
    withOriginals: false,
    ...more,
  })
  const { tookMs } = restored
  Object.assign(report.phasesMs, { examine: tookMs.examine, restore: tookMs.restore, compare: tookMs.compare })
  report.tables = restored.tables.length
  report.rows = restored.tables.reduce((sum, { rows }) => sum + rows, 0)
  if (restored.migrationsMissing.length > 0)
    await migrate({ connectionString: restored.connectionString, app: 'backend', migrations })

  const from = performance.now()
  const { missing = [], damaged = [] } = restored.manifest?.originals ?? {}
  report.originals = await placeOriginals({
    list: path.join(place.folder, backupFiles.originals),
    from: backupLayout(deps.backupsDir).originals,
    to: path.join(dataDir, 'blobs'),
    sample: options.sample ?? 1_000,
    expectedMissing: new Set([...missing, ...damaged]),
    ...(signal ? { signal } : {}),
  })
  report.phasesMs.originals = performance.now() - from
  if (report.originals.missing + report.originals.damaged > 0)
    throw new Error(
      `${report.originals.missing} originals are missing in the backup and ${report.originals.damaged} of ${report.originals.sampled} that were read are damaged.`,
    )

  await using application = await bootApplication({
    applicationDir: options.applicationDir,
    dataDir,
    connectionString: restored.connectionString,
    timeoutMs: options.bootTimeoutMs ?? 60_000,
    environment: options.shell,
    ...(signal ? { signal } : {}),
  })
  report.phasesMs.boot = application.bootMs
  const downloading = performance.now()
  const account = await ensureSyntheticAccount({
    connectionString: restored.connectionString,
    runDir: path.join(scratch, 'run'),
  })
  report.downloads = await downloadSample({
    baseUrl: application.baseUrl,
    connectionString: restored.connectionString,
    account,
    count: options.downloads ?? 20,
  })
  report.phasesMs.downloads = performance.now() - downloading
  if (report.downloads.right < report.downloads.asked)
    throw new Error(
      `${report.downloads.asked - report.downloads.right} of ${report.downloads.asked} downloads from the restored application were not the original.`,
    )
}
