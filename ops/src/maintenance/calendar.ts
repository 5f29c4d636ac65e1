import { calendarFeed } from '../calendar/calendar-feed.ts'
import type { MaintenanceWindow } from './window.ts'

/** Windows as an iCalendar feed (RFC 5545). One that is moved or cancelled keeps its UID, so that calendars follow. */
export function maintenanceFeed(
  windows: readonly MaintenanceWindow[],
  { now, host }: { now: Date; host: string },
): string {
  return calendarFeed({
    name: 'DAM maintenance',
    product: 'Maintenance',
    now,
    events: windows.map(({ key, environment, startsAt, endsAt, name, reason, mode, state, revision }) => ({
      uid: `maintenance ${key}@${host}`,
      sequence: revision,
      startsAt,
      endsAt,
      summary: `Maintenance of DAM (${environment}): ${name}`,
      description: `${reason}. ${mode === 'full' ? 'DAM cannot be used.' : 'DAM is read-only while the work is under way.'}`,
      isCancelled: state === 'cancelled',
    })),
  })
}
