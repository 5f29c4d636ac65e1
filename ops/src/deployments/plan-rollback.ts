import { listReleases, previousGoodRelease, resolveRelease } from '../releases/release-store.ts'
import type { ReleaseCondition } from '../releases/release-condition.ts'
import type { Release } from '../releases/release.ts'
import type { Backup } from '../backup/backup.ts'
import { predictRestore } from '../backup/predict-restore.ts'
import type { Store } from '../store.ts'
import { openDeployment } from './deployment-store.ts'
import { predictedSeconds, type Prediction } from './rollback-history.ts'
import { RequestRefused, activeRelease } from './request-deployment.ts'
import { appliedMigrations, blockingMigrations, downSteps, labels, pendingMigrations } from './schema-access.ts'
import { warmSlot } from './slot-store.ts'
import { type Losses, readLosses } from './rollback-losses.ts'

export const rungNames = ['flag', 'warm', 'start', 'install', 'down', 'restore', 'maintenance-page', 'rebuild'] as const
export type RungName = (typeof rungNames)[number]

/** Rungs a rollback climbs by itself, cheapest first; the others need a person. */
export const climbable = ['warm', 'start', 'install', 'down'] as const satisfies readonly RungName[]

export type Rung = {
  name: RungName
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
  toDigest: string | null
  rungs: Rung[]
  /** The rung `./dam rollback` takes. */
  chosen: RungName | null
  /** What is wrong with the artifact of the target; null when it is there and every checksum fits. */
  artifactProblem: string | null
  /** The exact commands that undo what the target cannot run on, in order; null: there is no way down. */
  downSteps: string[] | null
  /** Of the chosen rung against the promise. */
  predictedMinutes: number | null
  withinMinutes: number
}

export type PlanOptions = {
  store: Store
  environment: string
  to: string | null
  /** Plans the way back from this release as if it had been deployed and had finished its bake; null: from what serves now. */
  after?: Release | null
  databaseUrl: string | null
  latestBackup: Backup | undefined
  conditionOf: (release: Release) => Promise<ReleaseCondition>
  withinMs: number
}

/** Every way back, cheapest first. Changes nothing. The one planner: for people, for the gate and for the rollback itself. */
export async function planRollback(options: PlanOptions): Promise<RollbackPlan> {
  const { store, environment, databaseUrl, latestBackup, after = null } = options
  const active = activeRelease(store, environment)
  const open = openDeployment(store, environment)
  const target = targetOf(options, active, open?.kind === 'deploy' ? open.previousTag : null)
  const inDatabase = target && databaseUrl !== null ? await appliedMigrations(databaseUrl) : []
  const applied = [...inDatabase, ...(after ? pendingMigrations(after, inDatabase) : [])]
  const blocking = target && databaseUrl !== null ? blockingMigrations(target, applied, listReleases(store)) : null
  const condition = target ? await options.conditionOf(target) : null
  const problem = condition ? condition.artifactProblem : 'there is no release to go back to'
  const cutOverAt = lastCutOver(store, environment)
  const undone = inDatabase.filter(({ number }) => (blocking ?? []).some((one) => one.number === number))
  const losses =
    databaseUrl === null || after
      ? null
      : await readLosses(databaseUrl, { since: cutOverAt, blocking: undone }).catch(() => null)
  const since = cutOverAt === null ? 'the last cut-over' : cutOverAt.toISOString()
  const warm = target && warmSlot(store, environment, target.digest)
  const isInstalled = (condition?.intactFolder ?? null) !== null
  const fits = blocking !== null && blocking.length === 0
  const misfit =
    databaseUrl === null
      ? 'the database does not run, so nobody knows whether the release can run on it'
      : blocking === null
        ? 'its schema cannot be reached from this database'
        : `${labels(blocking)} must be undone first`
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
          ? `installed with every file as it was built, and runs on the schema as it ${after ? 'will be' : 'is'}`
          : misfit
        : `${name} is not installed, or files of it were changed`,
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
          : `${downSteps(blocking, environment).join(', then ')} (undoes ${labels(blocking)})`,
      predicted: predicted('down'),
      loses: after ? 'what is written until then into what is undone' : lossesText(losses, since),
      command: blocking !== null && blocking.length > 0 ? command : null,
    },
    {
      name: 'restore',
      title: 'Restore the newest backup into a side database and swap',
      isPossible: latestBackup !== undefined,
      because: latestBackup ? `${latestBackup.id}, ${latestBackup.state}` : 'there is no whole backup: ./dam backup',
      predicted: restorePrediction(store, environment),
      loses: latestBackup
        ? `every row written since ${latestBackup.startedAt}; originals stay on the disk and are found again by ./dam fsck --environment ${environment}`
        : 'unknown',
      command: latestBackup ? `./dam restore ${environment} ${latestBackup.id}` : null,
    },
    {
      name: 'maintenance-page',
      title: 'Maintenance page',
      isPossible: true,
      because: 'the front answers 503 with a reason; it does so by itself where nothing can serve',
      predicted: predicted('maintenance-page'),
      loses: 'nothing; nobody can work',
      command: `./dam rollback ${environment} --rung maintenance-page`,
    },
    {
      name: 'rebuild',
      title: 'Build the old tag from its sources again',
      isPossible: target !== null,
      because:
        'the same tag gives the same artifact, or is refused; it may need a network. Without ./dam, as the runbook has it: git checkout, pnpm build',
      predicted: predicted('rebuild'),
      loses: 'nothing',
      command: target ? `./dam rollback ${environment} --to ${target.tag} --rung rebuild` : null,
    },
  ]
  const chosen =
    rungs.find(
      // Warm is for the bake only: what is promised before a deployment has to hold after it, too.
      ({ name: rung, isPossible }) =>
        isPossible && climbable.some((one) => one === rung) && !(after && rung === 'warm'),
    ) ?? null
  return {
    environment,
    from: (after ?? active)?.tag ?? null,
    to: target?.tag ?? null,
    toDigest: target?.digest ?? null,
    rungs,
    chosen: chosen?.name ?? null,
    artifactProblem: problem,
    downSteps: blocking && downSteps(blocking, environment),
    predictedMinutes: chosen?.predicted ? chosen.predicted.seconds / 60 : null,
    withinMinutes: options.withinMs / 60_000,
  }
}

function targetOf(
  { store, environment, to, after = null }: PlanOptions,
  active: Release | null,
  before: string | null,
): Release | null {
  if (after && after.digest !== active?.digest) return active
  if (to !== null) {
    const target = resolveRelease(store, to)
    if (target.digest === active?.digest) throw new RequestRefused(`${to} is what ${environment} serves already.`)
    return target
  }
  if (before !== null && before !== active?.tag) return resolveRelease(store, before)
  return active && previousGoodRelease(store, environment, active.digest)
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

function lossesText(losses: Losses | null, since: string): string {
  if (losses === null) return 'unknown: the database does not answer'
  const rows = losses.tables
    .map(({ table, rows: count }) => `${table} ${count === null ? 'unknown' : count}`)
    .join(', ')
  const what =
    losses.tables.length === 0
      ? 'no table is dropped or loses a column'
      : `what these tables and columns hold: ${rows} rows since ${since}`
  return `${what}; ${losses.uploads ?? 'unknown'} uploads since then keep their originals`
}
