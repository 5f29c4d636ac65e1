import { createHash } from 'node:crypto'
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
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//DAM//On call//EN',
    'CALSCALE:GREGORIAN',
    'METHOD:PUBLISH',
    'X-WR-CALNAME:DAM on call',
    'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
    ...shifts.flatMap(({ person, role, from, until }) => [
      'BEGIN:VEVENT',
      `UID:${createHash('sha256').update(`${person} ${role} ${from}`).digest('hex').slice(0, 32)}@${options.host}`,
      `DTSTAMP:${stamp(now.toISOString())}`,
      `DTSTART:${stamp(from)}`,
      `DTEND:${stamp(until)}`,
      `SUMMARY:${escapeText(`On call (${role}): ${nameOf(person)}`)}`,
      'TRANSP:TRANSPARENT',
      'END:VEVENT',
    ]),
    'END:VCALENDAR',
  ]
  return lines.map((line) => `${fold(line)}\r\n`).join('')
}

const stamp = (instant: string): string => instant.replaceAll(/[-:]|\.\d+/g, '')

const escapeText = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll(';', '\\;').replaceAll(',', '\\,').replaceAll(/\r?\n/g, '\\n')

/** Lines are 75 octets at most; what follows begins with a space. */
function fold(line: string): string {
  const parts: string[] = []
  let part = ''
  for (const character of line) {
    if (Buffer.byteLength(part + character) > (parts.length === 0 ? 75 : 74)) {
      parts.push(part)
      part = ''
    }
    part += character
  }
  return [...parts, part].join('\r\n ')
}
