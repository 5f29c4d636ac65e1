import { parseArgs } from 'node:util'
import { recordAudit } from '@dam/ops/src/audit/audit.ts'
import { listIncidents } from '@dam/ops/src/incidents/incident-store.ts'
import { scheduleFeed } from '@dam/ops/src/oncall/ical.ts'
import {
  addHandoffNote,
  addOverride,
  cancelOverride,
  listHandoffNotes,
  listExceptions,
  readSchedule,
  swapPeople,
} from '@dam/ops/src/oncall/oncall-store.ts'
import { coverageGaps, onCall, onCallBetween } from '@dam/ops/src/oncall/schedule.ts'
import { CommandFailure } from '../failure.ts'
import { tableText } from '../table.ts'
import { openWatchPlace, parseMoment, type WatchPlace } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam oncall                                           who is on call now, what is open, the last hand-off note
       ./dam oncall list [--days 28]                          the coming schedule
       ./dam oncall replace <person> --by <person> [--from <moment>] --until <moment> [--note <text>]
       ./dam oncall remove <person> [--from <moment>] --until <moment>
       ./dam oncall add <person> [--from <moment>] --until <moment>
       ./dam oncall swap <person> <person> [--from <moment>] --until <moment>
       ./dam oncall exceptions | cancel <number>
       ./dam oncall note <text>                               for whoever comes next
       ./dam oncall ical [--person <id>] [--days 90]          an iCalendar feed

People, rotation and escalation are in the policy (./dam policy explain). A moment is 2026-03-01T09:00, 2026-03-01T09:00Z
or +2h. The past of the schedule is never rewritten. --json prints who is on call for machines.
`

const options = {
  host: { type: 'string' },
  json: { type: 'boolean', default: false },
  days: { type: 'string' },
  by: { type: 'string' },
  from: { type: 'string' },
  until: { type: 'string' },
  note: { type: 'string', default: '' },
  person: { type: 'string' },
} as const

type Values = { [K in keyof typeof options]?: string | boolean | undefined }

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  const [action = 'now', ...words] = positionals
  using place = openWatchPlace(values.host)
  const act = Object.hasOwn(actions, action) ? actions[action] : undefined
  if (!act) throw new CommandFailure(`There is no "./dam oncall ${action}". ./dam oncall --help lists what there is.`)
  act(place, words, values)
  return 0
}

const actions: Record<string, (place: WatchPlace, words: string[], values: Values) => void> = {
  now: showNow,
  list: showList,
  replace: (place, [person], values) =>
    except(place, 'replace', personOf(place, values.by), personOf(place, person), values),
  remove: (place, [person], values) => except(place, 'remove', null, personOf(place, person), values),
  add: (place, [person], values) => except(place, 'add', personOf(place, person), null, values),
  swap: (place, [one, other], values) => {
    const stretch = stretchOf(place, values)
    const people = { one: personOf(place, one), other: personOf(place, other) }
    place.store.transaction(() => {
      swapPeople(place.store, { ...people, ...stretch, by: place.who, now: place.now })
      note(place, 'oncall.swap', { ...people, ...stretch })
    })
    showNow(place, [], {})
  },
  exceptions: (place) => {
    const rows = listExceptions(place.store, place.now)
    console.log(
      tableText(
        ['number', 'what', 'who', 'from', 'until', 'by', 'note'],
        rows.map((row) => [
          row.id,
          row.kind,
          [row.person, row.other].filter(Boolean).join(' for '),
          row.from,
          row.until,
          row.by,
          row.note,
        ]),
      ),
    )
  },
  cancel: (place, [id]) => {
    const isCancelled = place.store.transaction(() => {
      note(place, 'oncall.cancel', { id })
      return cancelOverride(place.store, Number(id), place.now)
    })
    if (!isCancelled)
      throw new CommandFailure(`Exception ${id ?? ''} is over or does not exist. ./dam oncall exceptions lists them.`)
    showNow(place, [], {})
  },
  note: (place, words) => {
    const text = words.join(' ').trim()
    if (!text) throw new CommandFailure('Write the note: ./dam oncall note "cache was flushed at noon, watch it"')
    addHandoffNote(place.store, { by: place.who, text, now: place.now })
    console.log('Noted for whoever comes next.')
  },
  ical: (place, _, values) => {
    const { store, policy, now } = place
    process.stdout.write(
      scheduleFeed(readSchedule(store, policy, now), {
        people: policy.people,
        ...(typeof values.person === 'string' ? { person: values.person } : {}),
        now,
        days: daysOf(values, 90),
        host: new URL(policy.service.productionUrl).hostname,
      }),
    )
  },
}

function showNow({ store, policy, now }: WatchPlace, _: string[], values: Values): void {
  const who = onCall(readSchedule(store, policy, now), now)
  if (values.json) return console.log(JSON.stringify(who, null, 2))
  const describe = (id: string | null): string => {
    const person = policy.people.find((candidate) => candidate.id === id)
    return person ? [person.name, person.phone, person.email].filter(Boolean).join('  ') : (id ?? 'nobody')
  }
  console.log(`  primary    ${describe(who.primary)}\n  secondary  ${describe(who.secondary)}`)
  for (const also of who.also) console.log(`  also       ${describe(also)}`)
  if (who.until) console.log(`  until      ${who.until}`)
  if (policy.people.length === 0)
    console.log('\nNobody is entered: add people, oncall.rotation and escalation levels to the policy (DAM_POLICY).')
  const gaps = policy.people.length === 0 ? [] : coverageGaps(readSchedule(store, policy, now), now)
  for (const gap of gaps) console.log(`  nobody     ${gap.from} – ${gap.until}`)
  const open = listIncidents(store, { state: 'unresolved', limit: 20 })
  console.log(open.length === 0 ? '\nNo incident is open.' : '\nOpen incidents:')
  for (const incident of open)
    console.log(`  ${incident.id}  ${incident.severity}  ${incident.title} (${incident.state})`)
  const [last] = listHandoffNotes(store, 1)
  if (last) console.log(`\nLast note, ${last.by} ${last.at}: ${last.text}`)
}

function showList({ store, policy, now }: WatchPlace, _: string[], values: Values): void {
  const until = new Date(now.getTime() + daysOf(values, 28) * 86_400_000)
  const pieces = onCallBetween(readSchedule(store, policy, now), now, until)
  console.log(
    tableText(
      ['from', 'until', 'primary', 'secondary', 'because'],
      pieces.map((piece) => [piece.from, piece.until, piece.primary ?? 'nobody', piece.secondary ?? '', piece.source]),
    ),
  )
}

const daysOf = (values: Values, usual: number): number => {
  const days = values.days === undefined ? usual : Number(values.days)
  if (!Number.isInteger(days) || days < 1 || days > 366)
    throw new CommandFailure('--days takes a number from 1 to 366.')
  return days
}

function personOf({ policy }: WatchPlace, id: string | boolean | undefined): string {
  const person = policy.people.find((candidate) => candidate.id === id)
  if (person) return person.id
  const known = policy.people.map((candidate) => candidate.id).join(', ') || 'nobody yet'
  throw new CommandFailure(`There is no person "${String(id ?? '')}" in the policy. There is: ${known}.`)
}

function stretchOf({ now }: WatchPlace, values: Values): { from: Date; until: Date } {
  if (typeof values.until !== 'string')
    throw new CommandFailure('Say until when: --until 2026-03-01T09:00 or --until +12h.')
  return {
    from: typeof values.from === 'string' ? parseMoment(values.from, now) : now,
    until: parseMoment(values.until, now),
  }
}

function except(
  place: WatchPlace,
  kind: 'replace' | 'remove' | 'add',
  person: string | null,
  other: string | null,
  values: Values,
): void {
  const stretch = stretchOf(place, values)
  place.store.transaction(() => {
    addOverride(place.store, {
      kind,
      person,
      other,
      ...stretch,
      note: String(values.note ?? ''),
      by: place.who,
      now: place.now,
    })
    note(place, `oncall.${kind}`, { person, other, ...stretch })
  })
  showNow(place, [], {})
}

const note = (place: WatchPlace, action: string, detail: Record<string, unknown>): void =>
  recordAudit(place.store, { who: place.who, action, detail, now: place.now })
