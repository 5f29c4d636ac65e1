import { Temporal } from 'temporal-polyfill'
import type { Incident } from '../incidents/incident.ts'
import type { OnCall } from '../oncall/schedule.ts'
import type { Policy } from '../policy/policy.ts'

/** Where an incident stands on its way up. */
export type Escalation = {
  incidentId: number
  enteredAt: string
  /** Highest level called so far; 0 before the first. */
  level: number
  /** How often all levels were gone through. */
  round: number
  /** What was called in this round: `1:primary`, `1:secondary`, `2`. */
  called: string[]
  nextAt: string
  acknowledgedBy: string | null
  acknowledgedUntil: string | null
  snoozedUntil: string | null
}

export type Call = {
  level: number
  role: string
  /** Ids of people; empty when the level has nobody. */
  people: string[]
  because: string
}

export type Step = { calls: Call[]; next: Escalation; notes: string[]; isUncovered: boolean }

const after = (at: string | Date, ms: number): string => new Date(new Date(at).getTime() + ms).toISOString()

export const newEscalation = (incident: Pick<Incident, 'id'>, now: Date): Escalation => ({
  incidentId: incident.id,
  enteredAt: now.toISOString(),
  level: 0,
  round: 1,
  called: [],
  nextAt: now.toISOString(),
  acknowledgedBy: null,
  acknowledgedUntil: null,
  snoozedUntil: null,
})

/**
 * What is due for an incident at `now`, and when to look again. Two clocks: each level is called `after` its time since the incident
 * entered, and whatever the levels say, an incident nobody acknowledged within its severity's time goes one level up. Calling the same
 * step twice at one moment gives the same calls. Pure.
 */
export function nextStep(input: {
  policy: Policy
  incident: Pick<Incident, 'severity'>
  escalation: Escalation
  onCall: OnCall
  now: Date
}): Step {
  const { policy, incident, onCall, now } = input
  const at = now.toISOString()
  let current = input.escalation
  const notes: string[] = []

  if (current.snoozedUntil !== null) {
    if (at < current.snoozedUntil)
      return { calls: [], next: { ...current, nextAt: current.snoozedUntil }, notes, isUncovered: false }
    current = { ...current, snoozedUntil: null }
    if (current.acknowledgedUntil === null) {
      notes.push('the snooze is over; calling again')
      current = restarted(current, now, 1)
    }
  }
  if (current.acknowledgedUntil !== null) {
    if (at < current.acknowledgedUntil)
      return { calls: [], next: { ...current, nextAt: current.acknowledgedUntil }, notes, isUncovered: false }
    notes.push(`the acknowledgement of ${current.acknowledgedBy ?? 'nobody'} ran out; calling again`)
    current = restarted({ ...current, acknowledgedBy: null, acknowledgedUntil: null }, now, 1)
  }

  const due = timetable(policy, incident.severity, current)
  const last = due.at(-1)
  const calls: Call[] = []
  let isUncovered = false
  // A level without anybody hands over to the next at once.
  let skippedTo = 0
  for (const entry of due) {
    const isTurn = entry.at <= at || entry.level <= skippedTo
    if (!isTurn || current.called.includes(entry.key)) continue
    const people = peopleOf(policy, entry, onCall)
    current = { ...current, called: [...current.called, entry.key], level: Math.max(current.level, entry.level) }
    if (people.length === 0) {
      if (entry.role === 'secondary') continue
      isUncovered = true
      notes.push(`nobody is there for level ${entry.level} (${entry.title})`)
      skippedTo = entry.level + 1
    }
    calls.push({ level: entry.level, role: entry.role, people, because: entry.because })
  }
  const upcoming = due.find((entry) => !current.called.includes(entry.key))
  if (upcoming) return { calls, next: { ...current, nextAt: upcoming.at }, notes, isUncovered }
  const again = after(last?.at ?? at, policy.severities[incident.severity].acknowledgeWithin)
  if (again > at || calls.length > 0)
    return { calls, next: { ...current, nextAt: again > at ? again : after(at, 60_000) }, notes, isUncovered }
  const round = current.round + 1
  const restart = nextStep({ ...input, escalation: restarted(current, now, round) })
  return { ...restart, notes: [...notes, `nobody answered; round ${round}`, ...restart.notes] }
}

const restarted = (current: Escalation, now: Date, round: number): Escalation => ({
  ...current,
  enteredAt: now.toISOString(),
  level: 0,
  round,
  called: [],
  nextAt: now.toISOString(),
})

type Entry = {
  key: string
  level: number
  title: string
  role: 'primary' | 'secondary' | 'level'
  at: string
  because: string
}

/** When whom, if nobody acknowledges; in order. */
function timetable(policy: Policy, severity: Incident['severity'], current: Escalation): Entry[] {
  const start = policy.escalation.workingHoursOnly.includes(severity)
    ? startInWorkingHours(policy, severity, current.enteredAt)
    : current.enteredAt
  const deadline = after(current.enteredAt, policy.severities[severity].acknowledgeWithin)
  const entries = policy.escalation.levels.flatMap((level, index): Entry[] => {
    const isAtOnce = level.atOnceFor.includes(severity)
    const byLevel = after(start, isAtOnce ? 0 : level.after)
    // Nobody acknowledged in time: the next level, also where its own clock would be slower.
    const isPressed = index === 1 && deadline < byLevel && deadline > start
    const at = isPressed ? deadline : byLevel
    const because = isPressed
      ? `not acknowledged within the time of ${severity}`
      : isAtOnce
        ? `${severity} calls level ${level.level} at once`
        : index === 0
          ? 'new incident'
          : `not acknowledged for ${Math.round(level.after / 60_000)} min`
    const { title } = level
    if (level.to !== 'oncall')
      return [{ key: String(level.level), level: level.level, title, role: 'level', at, because }]
    return [
      { key: `${level.level}:primary`, level: level.level, title, role: 'primary', at, because },
      {
        key: `${level.level}:secondary`,
        level: level.level,
        title,
        role: 'secondary',
        at: after(at, policy.escalation.secondaryAfter),
        because: 'the primary has not acknowledged',
      },
    ]
  })
  return entries.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.level - b.level))
}

function peopleOf(policy: Policy, entry: Entry, onCall: OnCall): string[] {
  // A name that an exception still holds but the policy no longer knows reaches nobody.
  const known = (names: (string | null)[]): string[] =>
    names.filter((name) => name !== null).filter((name) => policy.people.some(({ id }) => id === name))
  if (entry.role === 'primary') return known([onCall.primary, ...onCall.also])
  if (entry.role === 'secondary') return known([onCall.secondary])
  const level = policy.escalation.levels.find(({ level }) => level === entry.level)
  return level === undefined || level.to === 'oncall' ? [] : known(level.to)
}

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const

/** Now in working hours, else their next beginning, but never so late that the severity's time would be over. */
export function startInWorkingHours(policy: Policy, severity: Incident['severity'], from: string): string {
  const { zone, workingHours } = policy.service
  const risk = after(from, policy.severities[severity].acknowledgeWithin / 2)
  const entered = Temporal.Instant.from(from).toZonedDateTimeISO(zone)
  for (let day = 0; day <= 7; day++) {
    const date = entered.toPlainDate().add({ days: day })
    if (!workingHours.days.includes(weekdays[date.dayOfWeek - 1] ?? 'Mon')) continue
    const opens = date.toZonedDateTime({ timeZone: zone, plainTime: workingHours.from })
    const closes = date.toZonedDateTime({ timeZone: zone, plainTime: workingHours.to })
    if (Temporal.ZonedDateTime.compare(entered, closes) >= 0) continue
    const start = Temporal.ZonedDateTime.compare(entered, opens) > 0 ? entered : opens
    const at = new Date(start.epochMilliseconds).toISOString()
    return at < risk ? at : risk
  }
  return risk
}
