import { Problem } from '@dam/contract'
import type { CommandRunner } from '../actions/run-command.ts'
import type { Environment } from '../environments/environment.ts'
import { maintenanceFeed } from '../maintenance/calendar.ts'
import { evaluateMaintenance } from '../maintenance/checklist.ts'
import { cancelWindow, moveWindow, planWindow } from '../maintenance/plan-window.ts'
import { pointOfNoReturn, predictedReturn } from '../maintenance/point-of-no-return.ts'
import { MaintenanceRefused } from '../maintenance/switch-environment.ts'
import { comingWindows, findWindow, listEvents, listNotices, pastWindows } from '../maintenance/window-store.ts'
import type { MaintenanceWindow } from '../maintenance/window.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { attest } from '../verification/attestation-store.ts'
import type { Handlers } from './handler.ts'

export type MaintenanceDeps = {
  store: Store
  policy: () => Policy
  environments: () => readonly Environment[]
  commands: CommandRunner
  hostDir: string | undefined
  opsDir: string
}

export type MaintenanceRoute =
  | 'listMaintenance'
  | 'getMaintenanceWindow'
  | 'planMaintenance'
  | 'moveMaintenance'
  | 'cancelMaintenance'
  | 'attestMaintenance'
  | 'startMaintenance'
  | 'endMaintenance'
  | 'getMaintenanceCalendar'

const pastShown = 20
const dayMs = 86_400_000

/** Windows on the console. What begins and ends maintenance is the same command that a terminal runs. */
export function maintenanceHandlers(deps: MaintenanceDeps): Pick<Handlers, MaintenanceRoute> {
  const { store, commands } = deps
  const windowOf = (id: number): MaintenanceWindow => {
    const window = findWindow(store, id)
    if (!window) throw new Problem('not-found', 'There is no such window.')
    return window
  }
  const environmentOf = (name: string): Environment => {
    const found = deps.environments().find((environment) => environment.name === name)
    if (!found) throw new Problem('not-found', `There is no environment ${name}.`)
    return found
  }
  const present = ({ id, ...window }: MaintenanceWindow) => {
    const { environment, source, name, reason, startsAt, endsAt, noticeAt, mode, absorbed, state } = window
    const { enteredAt, enteredBy, leftAt, leftBy } = window
    const notices = listNotices(store, id).map(({ kind, dueAt, sentAt, outcome }) => ({ kind, dueAt, sentAt, outcome }))
    return {
      id,
      environment,
      source,
      name,
      reason,
      startsAt,
      endsAt,
      noticeAt,
      mode,
      absorbed,
      state,
      enteredAt,
      enteredBy,
      leftAt,
      leftBy,
      notices,
    }
  }
  const asProblem = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      if (error instanceof MaintenanceRefused) throw new Problem('not-possible-now', error.message)
      throw error
    }
  }
  const start = (window: MaintenanceWindow, kind: string, args: string[], who: string, now: Date) => ({
    action: commands.start({
      kind,
      subject: window.environment,
      args: ['maintenance', ...args, '--environment', window.environment, '--by', who],
      who,
      now,
    }),
  })

  return {
    listMaintenance: (_, { now }) => ({
      coming: comingWindows(store, now).map((window) => present(window)),
      past: pastWindows(store, pastShown).map((window) => present(window)),
    }),
    getMaintenanceWindow: async ({ params }, { now }) => {
      const window = windowOf(params.id)
      const environment = environmentOf(window.environment)
      const policy = deps.policy()
      const back = predictedReturn(store, environment)
      const { hostDir = null, opsDir } = deps
      return {
        ...present(window),
        checklist: await evaluateMaintenance({ store, policy, environment, hostDir, opsDir }, window, now),
        events: listEvents(store, window.id),
        pointOfNoReturn: { at: pointOfNoReturn(window, back, policy.maintenance), ...back },
        report: window.data.report ?? null,
      }
    },
    planMaintenance: ({ body }, { principal, now }) => {
      const { name } = environmentOf(body.environment)
      const times = { from: new Date(body.startsAt), until: new Date(body.endsAt) }
      const by = { who: principal.username, policy: deps.policy().maintenance, now }
      const { reason, mode } = body
      return present(asProblem(() => planWindow(store, { environment: name, ...times, reason, mode }, by)))
    },
    moveMaintenance: ({ params, body }, { principal, now }) => {
      const times = { from: new Date(body.startsAt), until: new Date(body.endsAt) }
      const by = { who: principal.username, policy: deps.policy().maintenance, now }
      return present(asProblem(() => moveWindow(store, windowOf(params.id).id, times, by)))
    },
    cancelMaintenance: ({ params, body }, { principal, now }) => {
      asProblem(() => cancelWindow(store, windowOf(params.id).id, body.reason, { who: principal.username, now }))
      return undefined
    },
    attestMaintenance: ({ params, body }, { principal, now }) => {
      const window = windowOf(params.id)
      const expiresAt = new Date(Math.max(Date.parse(window.endsAt), now.getTime()) + dayMs)
      const { item, note } = body
      attest(store, `maintenance:${window.id}`, { item, by: principal.username, note, expiresAt }, now)
      return undefined
    },
    startMaintenance: ({ params, body }, { principal, now }) => {
      const window = windowOf(params.id)
      const args = ['start', String(window.id), ...(body.mode === 'full' ? ['--full'] : [])]
      // One argument, so that a reason that begins with dashes is no option.
      if (body.override !== undefined) args.push(`--override=${body.override}`)
      return start(window, 'maintenance-start', args, principal.username, now)
    },
    endMaintenance: ({ params }, { principal, now }) => {
      const window = windowOf(params.id)
      if (window.state !== 'active') throw new Problem('not-possible-now', `This window is ${window.state}.`)
      return start(window, 'maintenance-end', ['end'], principal.username, now)
    },
    getMaintenanceCalendar: async (_, { reply, now }) => {
      const { hostname } = new URL(deps.policy().service.productionUrl)
      const windows = [...comingWindows(store, now), ...pastWindows(store, 50)]
      return reply
        .header('cache-control', 'no-cache')
        .type('text/calendar; charset=utf-8')
        .send(maintenanceFeed(windows, { now, host: hostname }))
    },
  }
}
