import { Temporal } from 'temporal-polyfill'
import { instantOf } from '../oncall/schedule.ts'
import type { Policy } from '../policy/policy.ts'
import { fallsOn, parseRecurrence } from './recurrence.ts'

export type WindowRule = Policy['maintenance']['windows'][number]

/** One window of the policy as it takes place. Instants are ISO-8601 UTC. */
export type Occurrence = {
  /** Name and local day: the same occurrence has the same key however often it is computed. */
  key: string
  name: string
  startsAt: string
  endsAt: string
  /** When people are told first. */
  noticeAt: string
  /** Windows that take place inside this one instead of beside it. */
  absorbed: string[]
}

type Single = Occurrence & { rule: WindowRule }

const dayMs = 86_400_000

/**
 * What takes place between two instants, in order: every occurrence that ends after `from` and begins before `until`. A window and those
 * it absorbs that overlap it are one: from the first beginning to the last end, told as early as the earliest of them. Pure.
 */
export function occurrences(rules: readonly WindowRule[], from: Date, until: Date): Occurrence[] {
  const longestMs = Math.max(0, ...rules.map(({ duration }) => duration))
  // An absorbed window may begin before, and reach beyond, the one that absorbs it.
  const reachMs = 2 * longestMs + dayMs
  const singles = rules.flatMap((rule) => occurrencesOf(rule, from.getTime() - reachMs, until.getTime() + reachMs))
  return merged(singles)
    .filter(({ startsAt, endsAt }) => endsAt > from.toISOString() && startsAt < until.toISOString())
    .toSorted((a, b) => (a.startsAt < b.startsAt ? -1 : a.startsAt > b.startsAt ? 1 : a.key < b.key ? -1 : 1))
}

function occurrencesOf(rule: WindowRule, fromMs: number, untilMs: number): Single[] {
  const recurrence = parseRecurrence(rule.rule)
  if (!recurrence) throw new Error(`The window "${rule.name}" has a rule that cannot be read: ${rule.rule}`)
  const dateAt = (ms: number): Temporal.PlainDate =>
    Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(rule.zone).toPlainDate()
  const found: Single[] = []
  // Whole days by their number: far cheaper than dates of a calendar, and the store asks every minute.
  const dayNumber = (date: Temporal.PlainDate): number => Date.UTC(date.year, date.month - 1, date.day) / dayMs
  const last = dayNumber(dateAt(untilMs))
  for (let day = dayNumber(dateAt(fromMs)); day <= last; day++) {
    if (!fallsOn(recurrence, new Date(day * dayMs))) continue
    const date = Temporal.PlainDate.from(new Date(day * dayMs).toISOString().slice(0, 10))
    const startsAt = instantOf(date.toPlainDateTime(Temporal.PlainTime.from(rule.at)), rule.zone)
    const startMs = Date.parse(startsAt)
    found.push({
      rule,
      key: `${rule.name}/${date.toString()}`,
      name: rule.name,
      startsAt,
      endsAt: new Date(startMs + rule.duration).toISOString(),
      noticeAt: new Date(startMs - rule.noticeBefore).toISOString(),
      absorbed: [],
    })
  }
  return found
}

/** Groups what one window absorbs, also over several steps, and makes one occurrence of each group. */
function merged(singles: readonly Single[]): Occurrence[] {
  const left = new Set(singles.toSorted((a, b) => (a.startsAt < b.startsAt ? -1 : 1)))
  const result: Occurrence[] = []
  for (const first of left) {
    left.delete(first)
    const group = [first]
    for (const member of group) {
      for (const other of left) {
        if (other.startsAt > member.endsAt) break
        if (!areOne(member, other)) continue
        left.delete(other)
        group.push(other)
      }
    }
    result.push(oneOf(group))
  }
  return result
}

const areOne = (a: Single, b: Single): boolean =>
  a.startsAt < b.endsAt && b.startsAt < a.endsAt && (a.rule.absorbs.includes(b.name) || b.rule.absorbs.includes(a.name))

function oneOf(group: readonly Single[]): Occurrence {
  const absorbers = group.filter(({ rule }) => group.some(({ name }) => rule.absorbs.includes(name)))
  const isAbsorbed = ({ name }: Single): boolean => group.some(({ rule }) => rule.absorbs.includes(name))
  // The one that absorbs and is not absorbed; of several the longest.
  const [main] = (
    absorbers.some((one) => !isAbsorbed(one)) ? absorbers.filter((one) => !isAbsorbed(one)) : group
  ).toSorted((a, b) => b.rule.duration - a.rule.duration || (a.key < b.key ? -1 : 1))
  if (!main) throw new Error('a group has no member')
  const { rule: _, ...occurrence } = main
  return {
    ...occurrence,
    startsAt: group.map(({ startsAt }) => startsAt).toSorted()[0] ?? main.startsAt,
    endsAt:
      group
        .map(({ endsAt }) => endsAt)
        .toSorted()
        .at(-1) ?? main.endsAt,
    noticeAt: group.map(({ noticeAt }) => noticeAt).toSorted()[0] ?? main.noticeAt,
    absorbed: [...new Set(group.filter((one) => one !== main).map(({ name }) => name))].toSorted(),
  }
}
