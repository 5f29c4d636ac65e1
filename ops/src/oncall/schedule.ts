import { Temporal } from 'temporal-polyfill'
import type { Policy } from '../policy/policy.ts'

/** An exception that a person entered: from `from` until `until` (instants, ISO-8601 UTC). */
export type Override = {
  id: number
  /** temporary: a whole other schedule; replace: one person by another; remove: takes one out; add: one more. */
  kind: 'temporary' | 'replace' | 'remove' | 'add'
  person: string | null
  /** Whom replace and remove concern; the secondary of a temporary schedule. */
  other: string | null
  from: string
  until: string
}

export type OnCall = {
  primary: string | null
  secondary: string | null
  /** Further people, added by overrides. */
  also: string[]
  /** When it began and when it next changes, ISO-8601 UTC; null where it never does. */
  from: string | null
  until: string | null
  source: 'recorded' | 'temporary' | 'override' | 'rotation' | 'nobody'
}

/** What was in force, kept so that a change of policy never rewrites it. */
export type Recorded = { from: string; until: string; primary: string | null; secondary: string | null }

export type Schedule = {
  oncall: Policy['oncall']
  overrides: readonly Override[]
  recorded: readonly Recorded[]
}

/**
 * Who is on call at an instant. Order: the recorded past, a temporary schedule, the rotation, then overrides on top. Periods are counted by
 * the wall clock of the rotation's zone: a hand-off at a time that does not exist happens at the first instant after, one that occurs
 * twice at its first. Pure.
 */
export function onCall(schedule: Schedule, at: Date): OnCall {
  const instant = at.toISOString()
  const recorded = schedule.recorded.find(({ from, until }) => from <= instant && instant < until)
  if (recorded) return { ...recorded, also: [], source: 'recorded' }
  const active = schedule.overrides.filter(({ from, until }) => from <= instant && instant < until)
  const period = periodAt(schedule.oncall, at)
  const temporary = active.findLast(({ kind }) => kind === 'temporary')
  const base: OnCall = temporary
    ? {
        primary: temporary.person,
        secondary: temporary.other,
        also: [],
        from: temporary.from,
        until: temporary.until,
        source: 'temporary',
      }
    : { ...period, also: [], source: period.primary === null ? 'nobody' : 'rotation' }
  const withOverrides = active.filter(({ kind }) => kind !== 'temporary').reduce(apply, base)
  // An exception that begins or ends earlier than the period changes who is on call then.
  const edges = schedule.overrides.flatMap(({ from, until }) => [from, until])
  return {
    ...withOverrides,
    from: latest([withOverrides.from, ...edges.filter((edge) => edge <= instant)]),
    until: earliest([withOverrides.until, ...edges.filter((edge) => edge > instant)]),
  }
}

function apply(current: OnCall, override: Override): OnCall {
  const { person, other } = override
  const swapped = (name: string | null, by: string | null): string | null => (name === other ? by : name)
  switch (override.kind) {
    case 'replace':
      return settled({
        ...current,
        primary: swapped(current.primary, person),
        secondary: swapped(current.secondary, person),
        also: current.also.map((name) => (name === other ? (person ?? name) : name)),
        source: 'override',
      })
    case 'remove':
      return settled({
        ...current,
        primary: swapped(current.primary, null),
        secondary: swapped(current.secondary, null),
        also: current.also.filter((name) => name !== other),
        source: 'override',
      })
    case 'add':
      if (person === null || [current.primary, current.secondary, ...current.also].includes(person)) return current
      return settled({ ...current, also: [...current.also, person], source: 'override' })
    case 'temporary':
      return current
  }
}

/** Nobody stands second while nobody stands first, and nobody stands twice. */
function settled(current: OnCall): OnCall {
  const [primary = null, second = null, ...rest] = [
    ...new Set([current.primary, current.secondary, ...current.also].filter((name) => name !== null)),
  ]
  const keepsSecond = current.secondary !== null && second === current.secondary
  if (primary === null) return { ...current, primary: null, secondary: null, also: [], source: 'nobody' }
  if (current.primary !== null && !keepsSecond)
    return { ...current, primary, secondary: null, also: second === null ? rest : [second, ...rest] }
  return { ...current, primary, secondary: second, also: rest }
}

type Period = { primary: string | null; secondary: string | null; from: string | null; until: string | null }

/** The rotation alone. */
export function periodAt(oncall: Policy['oncall'], at: Date): Period {
  const instant = at.toISOString()
  const segments = [{ from: oncall.anchor, rotation: oncall.rotation }, ...oncall.changes].map((segment) => ({
    ...segment,
    startsAt: instantOf(Temporal.PlainDateTime.from(segment.from), oncall.zone),
  }))
  const index = segments.findLastIndex(({ startsAt }) => startsAt <= instant)
  const segment = segments[index]
  const ends = segments[index + 1]?.startsAt ?? null
  if (!segment) return { primary: null, secondary: null, from: null, until: ends }
  const { rotation } = segment
  if (rotation.length === 0) return { primary: null, secondary: null, from: segment.startsAt, until: ends }
  const boundary = (count: number): string => boundaryOf(oncall, segment.from, count)
  let count = Math.max(
    0,
    Math.floor((at.getTime() - Date.parse(segment.startsAt)) / (periodDays(oncall) * 86_400_000)) - 1,
  )
  while (boundary(count + 1) <= instant) count++
  const person = (n: number): string | null =>
    rotation[((n % rotation.length) + rotation.length) % rotation.length] ?? null
  const primary = person(count)
  const other =
    oncall.secondary === 'previous-primary'
      ? person(count - 1)
      : oncall.secondary === 'next-primary'
        ? person(count + 1)
        : null
  const next = boundary(count + 1)
  return {
    primary,
    secondary: other === primary ? null : other,
    from: boundary(count),
    until: ends !== null && ends < next ? ends : next,
  }
}

const periodDays = (oncall: Policy['oncall']): number =>
  'weeks' in oncall.period ? oncall.period.weeks * 7 : oncall.period.days

/** The instant of the n-th hand-off after `from`, which is local time. */
function boundaryOf(oncall: Policy['oncall'], from: string, count: number): string {
  const local = Temporal.PlainDateTime.from(from).add({ days: count * periodDays(oncall) })
  return instantOf(local, oncall.zone)
}

/** The first instant at which the zone's clocks show `local` or, where they skip it, the instant they skip it. */
export function instantOf(local: Temporal.PlainDateTime, zone: string): string {
  const zoned = local.toZonedDateTime(zone, { disambiguation: 'earlier' })
  if (zoned.toPlainDateTime().equals(local)) return isoOf(zoned)
  // Of a skipped time the earlier reading lies before the change, also where that skips exactly from this time on.
  return isoOf(zoned.getTimeZoneTransition('next') ?? zoned)
}

const isoOf = (zoned: Temporal.ZonedDateTime): string => new Date(zoned.epochMilliseconds).toISOString()

const latest = (instants: (string | null)[]): string | null =>
  instants
    .filter((at) => at !== null)
    .toSorted()
    .at(-1) ?? null
const earliest = (instants: (string | null)[]): string | null =>
  instants.filter((at) => at !== null).toSorted()[0] ?? null

/** Who is on call from `from` until `until`, piece by piece; pieces with the same people are one. */
export function onCallBetween(
  schedule: Schedule,
  from: Date,
  until: Date,
): (OnCall & { from: string; until: string })[] {
  const pieces: (OnCall & { from: string; until: string })[] = []
  let at = from
  while (at < until) {
    const now = onCall(schedule, at)
    const end = now.until === null || now.until > until.toISOString() ? until.toISOString() : now.until
    const previous = pieces.at(-1)
    const isSame =
      previous &&
      previous.primary === now.primary &&
      previous.secondary === now.secondary &&
      previous.source === now.source &&
      previous.also.join() === now.also.join() &&
      now.from !== null &&
      now.from < at.toISOString()
    if (isSame) previous.until = end
    else pieces.push({ ...now, from: at.toISOString(), until: end })
    at = new Date(end)
  }
  return pieces
}

/** Stretches of the coming days in which nobody is on call. */
export const coverageGaps = (schedule: Schedule, now: Date): { from: string; until: string }[] =>
  onCallBetween(schedule, now, new Date(now.getTime() + schedule.oncall.coverageDays * 86_400_000))
    .filter(({ primary }) => primary === null)
    .map(({ from, until }) => ({ from, until }))
