import type { Policy } from '../policy/policy.ts'
import type { Environment } from '../environments/environment.ts'
import type { Store } from '../store.ts'
import { extendOverrun } from './extend-overrun.ts'
import { publishMaintenance } from './publish-maintenance.ts'
import { reconcileWindows } from './reconcile-windows.ts'
import { type SentNotice, sendNotices } from './send-notices.ts'
import { activeWindow } from './window-store.ts'

export type MaintainDeps = {
  store: Store
  policy: () => Policy
  environments: () => readonly Environment[]
  consoleUrl: string
  /** Tells of what could not be written; the next turn tries again. */
  onError: (what: string, error: unknown) => void
}

const reconcileEveryMs = 60_000

/** The windows of the policy are for whoever uses DAM: production, or the one environment there is. */
export const windowsEnvironment = (environments: readonly Environment[]): Environment | undefined =>
  environments.find(({ name }) => name === 'production') ?? environments[0]

export type Maintenance = {
  /** One turn: rows ahead, notices that are due, what the web processes show. Called every second; all state is in the store. */
  turn(now: Date): SentNotice[]
}

export function createMaintenance(deps: MaintainDeps): Maintenance {
  const { store } = deps
  let reconciled: { policy: Policy; at: number } | null = null
  return {
    turn: (now) => {
      const policy = deps.policy()
      const environments = deps.environments()
      const target = windowsEnvironment(environments)
      const sinceMs = reconciled === null ? Infinity : Math.abs(now.getTime() - reconciled.at)
      if (target && (reconciled?.policy !== policy || sinceMs >= reconcileEveryMs)) {
        reconcileWindows(store, { policy, environment: target.name, now })
        reconciled = { policy, at: now.getTime() }
      }
      for (const environment of environments) {
        try {
          const active = activeWindow(store, environment.name)
          if (active) extendOverrun(store, active, { policy, now })
          publishMaintenance(store, environment, now)
        } catch (error) {
          deps.onError(`what ${environment.name} shows of maintenance could not be written`, error)
        }
      }
      return sendNotices(store, { policy, consoleUrl: deps.consoleUrl, now })
    },
  }
}

/** While DAM is in maintenance its alerts are muted, all but the critical ones. */
export const isMutedByMaintenance = (store: Store, environment: string): boolean =>
  activeWindow(store, environment) !== undefined
