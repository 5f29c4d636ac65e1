import { pruneLooks } from '../deployments/judge-trace.ts'
import { openIncident } from '../incidents/incident-store.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { every, type Job } from './scheduler.ts'

/** Runs a `./dam` command to its end; gives its exit code and the last of what it said. */
export type RunCommand = (args: string[], signal: AbortSignal) => Promise<{ exitCode: number | null; output: string }>

const looksKeptMs = 35 * 86_400_000
const longestBackupMs = 6 * 3_600_000
const me = 'dam: ops'

/** The first moment after `after` at `at` (UTC), `everyMs` being whole days; shorter periods count from `after`. */
export function nextAt(at: string, everyMs: number, after: Date): Date {
  const dayMs = 86_400_000
  if (everyMs % dayMs !== 0) return new Date(after.getTime() + everyMs)
  const [hours = 0, minutes = 0] = at.split(':').map(Number)
  const today = Date.UTC(after.getUTCFullYear(), after.getUTCMonth(), after.getUTCDate(), hours, minutes)
  return new Date(today > after.getTime() ? today : today + everyMs)
}

/**
 * Backups, their clearing away and the restore drills of every environment, as the policy says. Each is a command of its own, so that what
 * it needs in memory goes with it; one that fails opens an incident.
 */
export function backupJobs(deps: {
  store: Store
  environments: readonly string[]
  policy: () => Policy
  run: RunCommand
}): Job[] {
  const { store, policy } = deps
  const perform = async (
    environment: string,
    what: string,
    args: string[],
    now: Date,
    signal: AbortSignal,
  ): Promise<void> => {
    const { exitCode, output } = await deps.run(args, signal)
    if (exitCode === 0) return
    const reason = output.trim().split('\n').slice(-5).join('\n') || 'it said nothing'
    // Stopping cuts it short; that is no failure, and it is due again.
    if (signal.aborted) throw new Error(`${what} was cut short`)
    openIncident(store, {
      environment,
      severity: 'P2',
      title: `${what} of ${environment} failed`,
      cause: reason,
      dedupKey: `${environment}/${what.toLowerCase()}`,
      openedBy: me,
      evidence: { command: `./dam ${args.join(' ')}`, exitCode, output: output.slice(-4_000) },
      now,
    })
    throw new Error(`${what} failed (exit code ${exitCode ?? 'none'}): ${reason}`)
  }
  return [
    ...deps.environments.flatMap((environment): Job[] => [
      {
        name: `backup ${environment}`,
        next: (after) => nextAt(policy().backup.at, policy().backup.every, after),
        boundMs: longestBackupMs,
        run: ({ now, signal }) => perform(environment, 'Backup', ['backup', environment, '--json'], now, signal),
      },
      {
        name: `restore drill ${environment}`,
        next: (after) => {
          const { at, drillEvery } = policy().backup
          // Two hours after the backup, which it restores.
          return new Date(nextAt(at, drillEvery, new Date(after.getTime() - 7_200_000)).getTime() + 7_200_000)
        },
        boundMs: longestBackupMs,
        run: ({ now, signal }) =>
          perform(environment, 'Restore drill', ['drill', 'restore', environment, '--json'], now, signal),
      },
    ]),
    {
      name: 'clear old backups away',
      next: every(86_400_000),
      boundMs: longestBackupMs,
      run: ({ now, signal }) =>
        perform(deps.environments[0] ?? 'local', 'Clearing old backups away', ['backups', 'prune'], now, signal),
    },
    {
      name: 'clear looks of old deployments away',
      next: every(86_400_000),
      boundMs: 60_000,
      run: ({ now }) => {
        pruneLooks(store, new Date(now.getTime() - looksKeptMs))
        return Promise.resolve()
      },
    },
  ]
}
