import { parseArgs } from 'node:util'
import { evaluateMaintenance, type MaintenanceLine } from '@dam/ops/src/maintenance/checklist.ts'
import { enterMaintenance } from '@dam/ops/src/maintenance/enter-maintenance.ts'
import { leaveMaintenance } from '@dam/ops/src/maintenance/leave-maintenance.ts'
import { maintenanceFeed } from '@dam/ops/src/maintenance/calendar.ts'
import { spanText } from '@dam/ops/src/maintenance/notice-message.ts'
import { cancelWindow, moveWindow, planWindow } from '@dam/ops/src/maintenance/plan-window.ts'
import { pointOfNoReturn, predictedReturn } from '@dam/ops/src/maintenance/point-of-no-return.ts'
import { publishMaintenance } from '@dam/ops/src/maintenance/publish-maintenance.ts'
import { reconcileWindows } from '@dam/ops/src/maintenance/reconcile-windows.ts'
import { sendNotices } from '@dam/ops/src/maintenance/send-notices.ts'
import { MaintenanceRefused } from '@dam/ops/src/maintenance/switch-environment.ts'
import {
  activeWindow,
  comingWindows,
  listNotices,
  pastWindows,
  readWindow,
} from '@dam/ops/src/maintenance/window-store.ts'
import { windowsEnvironment } from '@dam/ops/src/maintenance/maintain.ts'
import type { MaintenanceWindow } from '@dam/ops/src/maintenance/window.ts'
import { LeaseError } from '@dam/ops/src/deployments/lease-store.ts'
import { formatDuration, parseDuration } from '@dam/ops/src/policy/units.ts'
import { attest } from '@dam/ops/src/verification/attestation-store.ts'
import { CommandFailure } from '../failure.ts'
import { type MaintenancePlace, openMaintenancePlace } from '../maintenance/maintenance-place.ts'
import { reportText } from '../maintenance/report-text.ts'
import { tableText } from '../table.ts'
import { parseMoment } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam maintenance                                    what is under way and what comes next
       ./dam maintenance list [--json]                      coming windows with their notices, and past ones
       ./dam maintenance plan --from <moment> --for 2h --reason <text> [--full]
       ./dam maintenance move <number> --from <moment> --for 2h
       ./dam maintenance cancel <number> --reason <text>
       ./dam maintenance checklist [<number>]               the runbook's three lists
       ./dam maintenance attest <item> --note <text>        vouch for a line that no machine can know
       ./dam maintenance start [<number>] [--full] [--override <why>]
       ./dam maintenance end
       ./dam maintenance report <number> [--json]
       ./dam maintenance ical                               an iCalendar feed

Windows of the policy are planned 60 days ahead by the ops process. Starting makes a backup when none is fresh and is
refused while a line of the checklist is open, unless it is overridden with a reason. Read-only comes first: browsing,
search, download and sign-in work, uploads pause and go on by themselves; --full closes everything. A moment is now,
2026-03-01T02:00Z or +2h. --environment <name> and --host <folder> choose another place, --by <name> who does it.
`

const options = {
  host: { type: 'string' },
  environment: { type: 'string' },
  by: { type: 'string' },
  json: { type: 'boolean', default: false },
  from: { type: 'string' },
  for: { type: 'string' },
  reason: { type: 'string' },
  note: { type: 'string' },
  full: { type: 'boolean', default: false },
  override: { type: 'string' },
} as const

type Values = ReturnType<typeof parse>['values']
const parse = (args: string[]) => parseArgs({ args, allowPositionals: true, options })

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parse(args)
  const [action = 'now', ...words] = positionals
  const act = Object.hasOwn(actions, action) ? actions[action] : undefined
  if (!act)
    throw new CommandFailure(`There is no "./dam maintenance ${action}". ./dam maintenance --help lists what there is.`)
  using place = openMaintenancePlace(values)
  try {
    return (await act(place, words, values)) ?? 0
  } catch (error) {
    if (error instanceof MaintenanceRefused || error instanceof LeaseError) throw new CommandFailure(error.message)
    throw error
  }
}

type Action = (
  place: MaintenancePlace,
  words: string[],
  values: Values,
) => number | undefined | Promise<number | undefined>

const actions: Record<string, Action> = {
  now: showNow,
  list: showList,
  plan: (place, _, values) => {
    const { from, until } = timesOf(place, values)
    const window = planWindow(
      place.store,
      {
        environment: place.environment.name,
        from,
        until,
        reason: values.reason ?? '',
        mode: values.full ? 'full' : 'read-only',
      },
      { who: place.who, policy: place.policy.maintenance, now: place.now },
    )
    tell(place)
    console.log(`Window ${window.id} is planned: ${spanText(window)}. Users are told now and again before it begins.`)
    return undefined
  },
  move: (place, [id], values) => {
    const window = moveWindow(place.store, numberOf(id), timesOf(place, values), {
      who: place.who,
      policy: place.policy.maintenance,
      now: place.now,
    })
    tell(place)
    console.log(`Window ${window.id} is now ${spanText(window)}. Whoever was told of it is told.`)
    return undefined
  },
  cancel: (place, [id], values) => {
    cancelWindow(place.store, numberOf(id), values.reason ?? '', { who: place.who, now: place.now })
    tell(place)
    console.log(`Window ${id} does not take place. Whoever was told of it is told.`)
    return undefined
  },
  checklist: async (place, [id], values) => {
    const window = id === undefined ? currentOrNext(place) : readWindow(place.store, numberOf(id))
    if (!window)
      throw new CommandFailure('No window is planned. ./dam maintenance plan --from now --for 2h --reason "…"')
    const lines = await evaluateMaintenance(place.deps, window, place.now)
    if (values.json) console.log(JSON.stringify({ window: window.id, lines }, null, 2))
    else console.log(`${title(window)}\n\n${checklistText(lines)}`)
    return lines.some(({ state }) => state === 'fail' || state === 'unknown' || state === 'attestation-missing') ? 1 : 0
  },
  attest: (place, [item], values) => {
    const window = currentOrNext(place) ?? pastWindows(place.store, 1)[0]
    if (!item || !window)
      throw new CommandFailure('Name the line: ./dam maintenance attest standby --note "Anna and Ben are here"')
    const until = Math.max(Date.parse(window.endsAt), place.now.getTime()) + 86_400_000
    attest(
      place.store,
      `maintenance:${window.id}`,
      { item, by: place.who, note: values.note ?? '', expiresAt: new Date(until) },
      place.now,
    )
    console.log(`${place.who} vouches for "${item}" of window ${window.id}.`)
    return undefined
  },
  start: async (place, [id], values) => {
    const { window, lines } = await enterMaintenance(place.deps, {
      windowId: id === undefined ? undefined : numberOf(id),
      mode: values.full ? 'full' : place.policy.maintenance.mode,
      override: values.override ?? null,
    })
    tell(place)
    console.log(`${checklistText(lines)}\n`)
    showNow(place, [], values)
    console.log(
      `\nEnd it: ./dam maintenance end${window.environment === 'production' ? '' : ` --environment ${window.environment}`}`,
    )
    return undefined
  },
  end: async (place) => {
    const window = await leaveMaintenance({ ...place.deps, consoleUrl: place.consoleUrl })
    tell(place)
    console.log(reportText(readWindow(place.store, window.id)))
    return undefined
  },
  report: (place, [id], values) => {
    const window = readWindow(place.store, numberOf(id))
    if (!window.data.report) throw new CommandFailure(`Window ${window.id} has no report: it is ${window.state}.`)
    console.log(values.json ? JSON.stringify(window.data.report, null, 2) : reportText(window))
    return undefined
  },
  ical: ({ store, policy, now }) => {
    const windows = [...comingWindows(store, now), ...pastWindows(store, 50)]
    process.stdout.write(maintenanceFeed(windows, { now, host: new URL(policy.service.productionUrl).hostname }))
    return undefined
  },
}

/** Notices and banner at once, also where no ops process runs. */
function tell({ store, policy, consoleUrl, environment }: MaintenancePlace): void {
  const now = new Date()
  sendNotices(store, { policy, consoleUrl, now })
  publishMaintenance(store, environment, now)
}

const currentOrNext = ({ store, environment, now }: MaintenancePlace): MaintenanceWindow | undefined =>
  activeWindow(store, environment.name) ?? comingWindows(store, now, environment.name)[0]

const title = (window: MaintenanceWindow): string => `Window ${window.id}, ${window.name}: ${spanText(window)}`

function showNow(place: MaintenancePlace, _: string[], values: Values): undefined {
  const { store, policy, environment, now } = place
  if (environment.name === windowsEnvironment(place.place.environments)?.name)
    reconcileWindows(store, { policy, environment: environment.name, now })
  const active = activeWindow(store, environment.name)
  const next = comingWindows(store, now, environment.name).find(({ state }) => state === 'scheduled')
  if (values.json) {
    console.log(JSON.stringify({ environment: environment.name, current: active ?? null, next: next ?? null }, null, 2))
    return
  }
  if (active) {
    const back = predictedReturn(store, environment)
    const pointAt = pointOfNoReturn(active, back, policy.maintenance)
    const isPast = pointAt <= now.toISOString()
    console.log(
      [
        `${environment.name} is in maintenance (${active.mode}) since ${active.enteredAt ?? ''} by ${active.enteredBy ?? ''}`,
        `  window             ${active.id}, ${active.reason}`,
        `  expected end       ${active.endsAt}`,
        `  no return after    ${pointAt}${isPast ? ' (passed)' : ''}: going back takes ${formatDuration(back.seconds * 1_000)}, ${back.from}`,
      ].join('\n'),
    )
  } else console.log(`${environment.name} is not in maintenance.`)
  if (next) console.log(`  next               ${next.id}, ${next.name}: ${spanText(next)}`)
  else console.log('  next               none is planned')
}

function showList(place: MaintenancePlace, _: string[], values: Values): undefined {
  showNowQuietly(place)
  const { store, now } = place
  const windows = [...comingWindows(store, now), ...pastWindows(store, 10)]
  if (values.json) {
    const results = windows.map((window) => ({ ...window, notices: listNotices(store, window.id) }))
    console.log(JSON.stringify(results, null, 2))
    return
  }
  console.log(
    tableText(
      ['number', 'environment', 'when', 'what', 'state', 'notices'],
      windows.map((window) => [
        window.id,
        window.environment,
        spanText(window),
        window.absorbed.length > 0 ? `${window.name} (with ${window.absorbed.join(', ')})` : window.name,
        window.state,
        noticesText(place, window),
      ]),
    ),
  )
}

function showNowQuietly({ store, policy, place, now }: MaintenancePlace): void {
  const target = windowsEnvironment(place.environments)
  if (target) reconcileWindows(store, { policy, environment: target.name, now })
}

function noticesText({ store }: MaintenancePlace, window: MaintenanceWindow): string {
  const notices = listNotices(store, window.id)
  const sent = notices.filter(({ sentAt, outcome }) => sentAt !== null && outcome !== 'superseded')
  const next = notices.find(({ sentAt }) => sentAt === null)
  if (window.state === 'ended' || window.state === 'cancelled') return `${sent.length} sent`
  return `${sent.length} sent${next ? `, ${next.kind} at ${next.dueAt.slice(0, 16)}Z` : ''}`
}

const marks = { pass: '✓', attested: '✓', fail: '✗', unknown: '?', waiting: '·', 'attestation-missing': '?' } as const

function checklistText(lines: readonly MaintenanceLine[]): string {
  const width = Math.max(...lines.map(({ title: name }) => name.length))
  const parts = [...new Set(lines.map(({ list }) => list))]
  return parts
    .map((part) =>
      [
        `${part[0]?.toUpperCase()}${part.slice(1)}`,
        ...lines
          .filter(({ list }) => list === part)
          .map(({ state, title: name, evidence }) => `  ${marks[state]} ${name.padEnd(width)}  ${evidence}`),
      ].join('\n'),
    )
    .join('\n\n')
}

function numberOf(text: string | undefined): number {
  const number = Number(text)
  if (text !== undefined && Number.isInteger(number) && number > 0) return number
  throw new CommandFailure('Name the number of a window; ./dam maintenance list shows them.')
}

function timesOf({ now }: MaintenancePlace, values: Values): { from: Date; until: Date } {
  const lengthMs = values.for === undefined ? null : parseDuration(values.for)
  if (values.from === undefined || lengthMs === null)
    throw new CommandFailure('Say when and for how long: --from 2026-03-01T02:00Z --for 2h')
  const from = values.from === 'now' ? now : parseMoment(values.from, now)
  return { from, until: new Date(from.getTime() + lengthMs) }
}
