import { calendarFeed } from '../calendar/calendar-feed.ts'
import type { Policy } from '../policy/policy.ts'
import { onCallBetween, type Schedule } from './schedule.ts'

/**
 * The coming `days` of the schedule as an iCalendar feed (RFC 5545), of one person when `person` is given. A shift keeps its UID when the
 * feed is made again, so that calendars move it instead of showing it twice.
 */
export function scheduleFeed(
  schedule: Schedule,
  options: { people: Policy['people']; person?: string; now: Date; days: number; host: string },
): string {
  const { now } = options
  const from = new Date(now.getTime() - 7 * 86_400_000)
  const until = new Date(now.getTime() + options.days * 86_400_000)
  const nameOf = (id: string): string => options.people.find((person) => person.id === id)?.name ?? id
  const shifts = onCallBetween(schedule, from, until).flatMap(({ primary, secondary, also, from, until }) => {
    const roles = [
      ...(primary === null ? [] : [{ person: primary, role: 'primary' }]),
      ...(secondary === null ? [] : [{ person: secondary, role: 'secondary' }]),
      ...also.map((person) => ({ person, role: 'additional' })),
    ]
    return roles
      .filter(({ person }) => options.person === undefined || person === options.person)
      .map(({ person, role }) => ({ person, role, from, until }))
  })
  return calendarFeed({
    name: 'DAM on call',
    product: 'On call',
    now,
    events: shifts.map(({ person, role, from, until }) => ({
      uid: `${person} ${role} ${from}@${options.host}`,
      startsAt: from,
      endsAt: until,
      summary: `On call (${role}): ${nameOf(person)}`,
    })),
  })
}
