import type { Message } from '../notify/message.ts'
import { formatDuration } from '../policy/units.ts'
import type { MaintenanceNotice, MaintenanceWindow } from './window.ts'

/** `Sunday 1 March 2026, 02:00–06:00 UTC`; both days where it goes past midnight. */
export function spanText({ startsAt, endsAt }: Pick<MaintenanceWindow, 'startsAt' | 'endsAt'>): string {
  const day = (at: string): string =>
    new Intl.DateTimeFormat('en-GB', {
      weekday: 'long',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
      timeZone: 'UTC',
    })
      .format(new Date(at))
      .replace(',', '')
  const time = (at: string): string => at.slice(11, 16)
  const isOneDay = startsAt.slice(0, 10) === endsAt.slice(0, 10)
  return `${day(startsAt)}, ${time(startsAt)}–${isOneDay ? '' : `${day(endsAt)}, `}${time(endsAt)} UTC`
}

/** What a notice says. `isShort`: it comes later than it should. */
export function noticeMessage(
  window: MaintenanceWindow,
  notice: Pick<MaintenanceNotice, 'kind' | 'dueAt'>,
  options: { isShort: boolean; now: Date; consoleUrl: string },
): Message {
  const { now } = options
  const span = spanText(window)
  const effect =
    window.mode === 'full'
      ? 'DAM cannot be used while the work is under way.'
      : 'While the work is under way DAM is read-only: browsing, search and download work, uploads pause and go on by themselves.'
  const left = Date.parse(window.startsAt) - now.getTime()
  const minutes = Math.max(60_000, Math.round(left / 60_000) * 60_000)
  const texts: Record<MaintenanceNotice['kind'], { title: string; text: string }> = {
    advance: { title: `Maintenance on ${span}`, text: effect },
    reminder: { title: `Maintenance begins in ${formatDuration(minutes)}: ${span}`, text: effect },
    start: {
      title: `Maintenance has begun, until ${window.endsAt.slice(11, 16)} UTC`,
      text: window.state === 'active' ? effect.replaceAll('While the work is under way ', '') : effect,
    },
    changed: { title: `Changed: maintenance is now on ${span}`, text: `It was announced for another time. ${effect}` },
    extended: {
      title: `Maintenance takes longer, until about ${window.endsAt.slice(11, 16)} UTC`,
      text: `It was announced to end at ${(window.data.announcedEnd ?? window.endsAt).slice(11, 16)} UTC. ${effect}`,
    },
    'no-return': {
      title: `Point of no return passed: maintenance of ${window.environment}`,
      text: 'Going back would not fit into the window any more. Finish, or extend the window now.',
    },
    end: {
      title: 'Maintenance is over',
      text: window.leftAt ? `DAM works as usual since ${window.leftAt.slice(11, 16)} UTC.` : 'DAM works as usual.',
    },
    cancelled: { title: `Cancelled: maintenance on ${span} does not take place`, text: 'DAM works as usual then.' },
  }
  const { title, text } = texts[notice.kind]
  const late = `Short notice: this should have been said at ${notice.dueAt.slice(0, 16).replace('T', ' ')} UTC. `
  return {
    event: `maintenance-${notice.kind}`,
    subject: `maintenance:${window.id}`,
    severity: null,
    title,
    text: `${options.isShort ? late : ''}${text}`,
    facts: [
      { label: 'When', value: span },
      { label: 'Environment', value: window.environment },
      { label: 'Reason', value: window.reason },
      ...(window.absorbed.length > 0 ? [{ label: 'Includes', value: window.absorbed.join(', ') }] : []),
    ],
    links: [{ label: 'Maintenance', url: `${options.consoleUrl}/maintenance` }],
    environment: window.environment,
    isResolution: notice.kind === 'end' || notice.kind === 'cancelled',
    at: now.toISOString(),
  }
}
