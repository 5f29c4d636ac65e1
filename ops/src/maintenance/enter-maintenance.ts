import { recordAudit } from '../audit/audit.ts'
import { latestBackup } from '../backup/backup-store.ts'
import { activeRelease } from '../deployments/request-deployment.ts'
import { type ChecklistDeps, evaluateMaintenance, isMet, type MaintenanceLine } from './checklist.ts'
import { planNotices } from './plan-notices.ts'
import { pointOfNoReturn, predictedReturn } from './point-of-no-return.ts'
import { publishMaintenance } from './publish-maintenance.ts'
import { readRefused } from './refused-requests.ts'
import { MaintenanceRefused, type Switch, switchEnvironment } from './switch-environment.ts'
import { activeWindow, addEvent, comingWindows, planNotice, readWindow, saveWindow } from './window-store.ts'
import type { MaintenanceMode, MaintenanceWindow } from './window.ts'

export type EnterDeps = Switch &
  ChecklistDeps & {
    createBackup: (neededBy: string) => Promise<{ id: string }>
    say: (message: string) => void
  }

/** The window that is meant: the one with that number, the one whose time it is, or the next. Throws MaintenanceRefused. */
export function chooseWindow(
  deps: Pick<EnterDeps, 'store' | 'environment'>,
  id: number | undefined,
  now: Date,
): MaintenanceWindow {
  const { store, environment } = deps
  const coming = comingWindows(store, now, environment.name)
  const found =
    id === undefined ? coming.find(({ state }) => state === 'scheduled') : coming.find((one) => one.id === id)
  if (found?.state === 'scheduled') return found
  throw new MaintenanceRefused(
    id === undefined
      ? `No window is planned for ${environment.name}. Plan one: ./dam maintenance plan --from now --for 2h --reason "…"`
      : `Window ${id} of ${environment.name} is not one that can begin. ./dam maintenance list shows those that can.`,
  )
}

/**
 * Begins maintenance: read-only, or full when asked. Makes a backup when none is fresh, asks the checklist, and refuses while a line of
 * it is not met, unless a person overrides with a reason; every override is audited.
 */
export async function enterMaintenance(
  deps: EnterDeps,
  options: { windowId?: number | undefined; mode: MaintenanceMode; override: string | null },
): Promise<{ window: MaintenanceWindow; lines: MaintenanceLine[] }> {
  const { store, environment, who, policy } = deps
  const active = activeWindow(store, environment.name)
  if (active) throw new MaintenanceRefused(`${environment.name} is in maintenance since ${active.enteredAt ?? ''}.`)
  const chosen = chooseWindow(deps, options.windowId, deps.now())
  await makeFreshBackup(deps, chosen)
  const lines = (await evaluateMaintenance(deps, chosen, deps.now())).filter(({ list }) => list === 'before')
  const open = lines.filter((line) => !isMet(line))
  if (open.length > 0 && options.override === null) {
    const list = open.map(({ title, evidence }) => `  ✗ ${title}: ${evidence}`).join('\n')
    throw new MaintenanceRefused(
      `Maintenance does not begin while lines of the checklist are open:\n${list}\nMeet them, or override with --override "<why>".`,
    )
  }
  const refusedBefore = await readRefused(deps, null)
  const versionBefore = activeRelease(store, environment.name)?.tag
  await switchEnvironment(deps, `maintenance window ${chosen.id}`, () => {
    const now = deps.now()
    const window = readWindow(store, chosen.id)
    const next: MaintenanceWindow = {
      ...window,
      state: 'active',
      mode: options.mode,
      isPinned: true,
      enteredAt: now.toISOString(),
      enteredBy: who,
      data: {
        ...window.data,
        ...(refusedBefore === null ? {} : { refusedBefore }),
        ...(versionBefore === undefined ? {} : { versionBefore }),
        overrides: open.map(({ item }) => ({ item, reason: options.override ?? '', by: who, at: now.toISOString() })),
      },
    }
    saveWindow(store, next)
    planNotices(store, next, policy.maintenance)
    // Begun before its time: it is told when it begins.
    if (now.toISOString() < next.startsAt)
      planNotice(store, { windowId: next.id, kind: 'start', dueAt: now.toISOString() })
    const dueAt = pointOfNoReturn(next, predictedReturn(store, environment), policy.maintenance)
    planNotice(store, { windowId: next.id, kind: 'no-return', dueAt })
    addEvent(store, next.id, { kind: 'entered', by: who, message: `${options.mode}, until ${next.endsAt}`, now })
    for (const { title, evidence } of open)
      addEvent(store, next.id, {
        kind: 'override',
        by: who,
        message: `${title} (${evidence}): ${options.override ?? ''}`,
        now,
      })
    recordAudit(store, {
      who,
      action: 'maintenance.start',
      subject: `maintenance:${next.id}`,
      detail: { mode: options.mode, overridden: open.map(({ item }) => item), reason: options.override },
      now,
    })
    return { mode: options.mode, reason: next.reason, until: next.endsAt }
  })
  publishMaintenance(store, environment, deps.now())
  return { window: readWindow(store, chosen.id), lines }
}

async function makeFreshBackup(deps: EnterDeps, window: MaintenanceWindow): Promise<void> {
  const { store, environment, policy } = deps
  const newest = latestBackup(store, environment.name)
  const ageMs = newest?.endedAt ? deps.now().getTime() - Date.parse(newest.endedAt) : Infinity
  if (ageMs <= policy.deploy.gates.backupValidFor) return
  deps.say('no backup is fresh, so one is made now')
  try {
    const { id } = await deps.createBackup(`maintenance:${window.id}`)
    addEvent(store, window.id, { kind: 'backup', by: deps.who, message: id, now: deps.now() })
  } catch (error) {
    // The checklist says that it is missing.
    deps.say(`no backup: ${error instanceof Error ? error.message : String(error)}`)
  }
}
