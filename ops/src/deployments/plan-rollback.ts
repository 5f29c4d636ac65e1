import { existsSync } from 'node:fs'
import path from 'node:path'
import { hostFolders } from '../environments/environment.ts'
import { readMarker, installedMarker } from '../releases/release-folder.ts'
import { releaseFolderName } from '../releases/install-release.ts'
import { listReleases, previousGoodRelease, resolveRelease } from '../releases/release-store.ts'
import type { Release } from '../releases/release.ts'
import { verifyStoredRelease } from '../releases/verify-release.ts'
import type { Backup } from '../backup/backup.ts'
import { predictRestore } from '../backup/predict-restore.ts'
import type { Store } from '../store.ts'
import { openDeployment } from './deployment-store.ts'
import { predictedSeconds, type Prediction } from './rollback-history.ts'
import { RequestRefused, activeRelease } from './request-deployment.ts'
import { appliedMigrations, blockingMigrations, downSteps, labels } from './schema-access.ts'
import { isInUse, listSlots } from './slot-store.ts'
import { type Losses, readLosses } from './rollback-losses.ts'

export type Rung = {
  name: 'flag' | 'warm' | 'start' | 'install' | 'down' | 'restore' | 'maintenance' | 'rebuild'
  title: string
  isPossible: boolean
  /** Why not, or what it does exactly. */
  because: string
  predicted: Prediction | null
  /** What is lost, in words; originals never are. */
  loses: string
  command: string | null
}

export type RollbackPlan = {
  environment: string
  from: string | null
  to: string | null
  rungs: Rung[]
  /** The rung `./dam rollback` takes. */
  chosen: Rung['name'] | null
  /** Of the chosen rung against the promise. */
  predictedMinutes: number | null
  withinMinutes: number
}

export type PlanOptions = {
  store: Store
  hostDir: string
  environment: string
  to: string | null
  databaseUrl: string | null
  latestBackup: Backup | undefined
  withinMs: number
}

/** Every way back from what an environment serves now, cheapest first. Changes nothing. */
export async function planRollback(options: PlanOptions): Promise<RollbackPlan> {
  const { store, environment, hostDir, databaseUrl, latestBackup } = options
  const active = activeRelease(store, environment)
  const open = openDeployment(store, environment)
  const target = targetOf(options, active, open?.previousTag ?? null)
  const applied = target && databaseUrl !== null ? await appliedMigrations(databaseUrl) : []
  const blocking = target ? blockingMigrations(target, applied, listReleases(store)) : null
  const problem = target ? await artifactProblem(hostDir, target) : 'there is no release to go back to'
  const cutOverAt = lastCutOver(store, environment)
  const losses =
    databaseUrl === null
      ? null
      : await readLosses(databaseUrl, { since: cutOverAt, blocking: blocking ?? [] }).catch(() => null)
  const since = cutOverAt === null ? 'the last cut-over' : cutOverAt.toISOString()
  const warm =
    target &&
    listSlots(store, environment).find(
      (slot) => slot.digest === target.digest && slot.desiredWeb === 'running' && isInUse(slot),
    )
  const dir = target && path.join(hostFolders(hostDir).releases, releaseFolderName(target))
  const isInstalled =
    dir !== null && existsSync(path.join(dir, installedMarker)) && readMarker(dir)?.digest === target?.digest
  const fits = blocking !== null && blocking.length === 0
  const misfit =
    blocking === null ? 'its schema cannot be reached from this database' : `${labels(blocking)} must be undone first`
  const predicted = (rung: Rung['name']): Prediction => predictedSeconds(store, environment, rung)
  const name = target?.tag ?? 'the release before'
  const command = target ? `./dam rollback ${environment}${options.to === null ? '' : ` --to ${target.tag}`}` : null
  const rungs: Rung[] = [
    {
      name: 'flag',
      title: 'Switch a feature flag off',
      isPossible: false,
      because: 'this DAM has no feature flags',
      predicted: null,
      loses: 'nothing',
      command: null,
    },
    {
      name: 'warm',
      title: `Point to the warm process of ${name}`,
      isPossible: Boolean(warm) && fits,
      because: warm
        ? fits
          ? `${warm.id} answers on port ${warm.port}`
          : misfit
        : `no process of ${name} is warm; it is during a bake`,
      predicted: predicted('warm'),
      loses: 'nothing',
      command,
    },
    {
      name: 'start',
      title: `Start ${name}, which is installed`,
      isPossible: isInstalled && fits && target !== null,
      because: isInstalled
        ? fits
          ? 'installed, and runs on the schema as it is'
          : misfit
        : `${name} is not installed`,
      predicted: predicted('start'),
      loses: 'nothing',
      command,
    },
    {
      name: 'install',
      title: `Install ${name} from its artifact and start it`,
      isPossible: target !== null && problem === null && fits,
      because: problem ?? (fits ? 'the artifact is there and every checksum fits' : misfit),
      predicted: predicted('install'),
      loses: 'nothing',
      command,
    },
    {
      name: 'down',
      title: 'The same, and undo migrations behind the maintenance page',
      isPossible: target !== null && (isInstalled || problem === null) && blocking !== null && blocking.length > 0,
      because:
        blocking === null || blocking.length === 0
          ? blocking === null
            ? misfit
            : 'nothing has to be undone'
          : `${downSteps(blocking).join(', then ')} (undoes ${labels(blocking)})`,
      predicted: predicted('down'),
      loses: lossesText(losses, 'down', since),
      command: blocking !== null && blocking.length > 0 ? command : null,
    },
    {
      name: 'restore',
      title: 'Restore the newest backup into a side database and swap',
      isPossible: latestBackup !== undefined,
      because: latestBackup ? `${latestBackup.id}, ${latestBackup.state}` : 'there is no whole backup: ./dam backup',
      predicted: restorePrediction(store, environment),
      loses: latestBackup
        ? `every row written since ${latestBackup.startedAt}; originals stay on the disk and are found again by ./dam fsck`
        : 'unknown',
      command: latestBackup ? `./dam restore ${environment} ${latestBackup.id}` : null,
    },
    {
      name: 'maintenance',
      title: 'Maintenance page',
      isPossible: true,
      because: 'the front shows it by itself where nothing can serve',
      predicted: { seconds: 2, from: 'assumed' },
      loses: 'nothing; nobody can work',
      command: null,
    },
    {
      name: 'rebuild',
      title: 'Build the old tag from its sources',
      isPossible: target !== null,
      because: 'the last rung, as the runbook has it: not reproducible, and it may need a network',
      predicted: { seconds: 600, from: 'assumed' },
      loses: 'nothing',
      command: target ? `git checkout ${target.tag} && pnpm build` : null,
    },
  ]
  const chosen =
    rungs.find((rung) => ['warm', 'start', 'install', 'down'].includes(rung.name) && rung.isPossible) ?? null
  return {
    environment,
    from: active?.tag ?? null,
    to: target?.tag ?? null,
    rungs,
    chosen: chosen?.name ?? null,
    predictedMinutes: chosen?.predicted ? chosen.predicted.seconds / 60 : null,
    withinMinutes: options.withinMs / 60_000,
  }
}

function targetOf(
  { store, environment, to }: PlanOptions,
  active: Release | null,
  before: string | null,
): Release | null {
  if (to !== null) {
    const target = resolveRelease(store, to)
    if (target.digest === active?.digest) throw new RequestRefused(`${to} is what ${environment} serves already.`)
    return target
  }
  if (before !== null && before !== active?.tag) return resolveRelease(store, before)
  return active && previousGoodRelease(store, environment, active.digest)
}

/** Null when the artifact is there and every checksum fits. */
async function artifactProblem(hostDir: string, target: Release): Promise<string | null> {
  try {
    await verifyStoredRelease(hostDir, target.digest)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function restorePrediction(store: Store, environment: string): Prediction | null {
  const { minutes, because } = predictRestore(store, environment)
  return minutes === null ? null : { seconds: minutes * 60, from: because }
}

const lastCutOver = (store: Store, environment: string): Date | null => {
  const row = store.row<{ at: string | null }>(
    `select max(deployment_event.at) as at from deployment_event join deployment on deployment.id = deployment_id
     where environment = ? and deployment_event.state = 'cut-over' and status = 'done'`,
    environment,
  )
  return row?.at ? new Date(row.at) : null
}

function lossesText(losses: Losses | null, rung: 'down', since: string): string {
  if (losses === null) return 'unknown: the database does not answer'
  const rows = losses.tables
    .map(({ table, rows: count }) => `${table} ${count === null ? 'unknown' : count}`)
    .join(', ')
  const what =
    losses.tables.length === 0
      ? 'no table is dropped or loses a column'
      : `what these tables and columns hold: ${rows} rows since ${since}`
  return rung === 'down' ? `${what}; ${losses.uploads ?? 'unknown'} uploads since then keep their originals` : ''
}
