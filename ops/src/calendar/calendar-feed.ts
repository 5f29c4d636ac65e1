import { createHash } from 'node:crypto'

export type CalendarEvent = {
  /** Any text that stays the same, `…@host`. */
  uid: string
  startsAt: string
  endsAt: string
  summary: string
  description?: string
  /** Grows with every change. */
  sequence?: number
  isCancelled?: boolean
}

/** An iCalendar document (RFC 5545). Instants are ISO-8601 UTC. */
export function calendarFeed(feed: {
  name: string
  product: string
  now: Date
  events: readonly CalendarEvent[]
}): string {
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    `PRODID:-//DAM//${feed.product}//EN`,
    'CALSCALE:GREGORIAN',
    'METHOD:PUBLISH',
    `X-WR-CALNAME:${feed.name}`,
    'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
    ...feed.events.flatMap((event) => [
      'BEGIN:VEVENT',
      `UID:${uidOf(event.uid)}`,
      `DTSTAMP:${stamp(feed.now.toISOString())}`,
      `DTSTART:${stamp(event.startsAt)}`,
      `DTEND:${stamp(event.endsAt)}`,
      `SUMMARY:${escapeText(event.summary)}`,
      ...(event.description ? [`DESCRIPTION:${escapeText(event.description)}`] : []),
      ...(event.sequence === undefined ? [] : [`SEQUENCE:${event.sequence}`]),
      ...(event.isCancelled ? ['STATUS:CANCELLED'] : []),
      'TRANSP:TRANSPARENT',
      'END:VEVENT',
    ]),
    'END:VCALENDAR',
  ]
  return lines.map((line) => `${fold(line)}\r\n`).join('')
}

function uidOf(text: string): string {
  const at = text.lastIndexOf('@')
  const digest = createHash('sha256').update(text.slice(0, at)).digest('hex').slice(0, 32)
  return `${digest}${text.slice(at)}`
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
