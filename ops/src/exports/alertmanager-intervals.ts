import type { Policy } from '../policy/policy.ts'

const days = {
  MO: 'monday',
  TU: 'tuesday',
  WE: 'wednesday',
  TH: 'thursday',
  FR: 'friday',
  SA: 'saturday',
  SU: 'sunday',
}

/**
 * A maintenance window as a time interval of Alertmanager, or null where it has none: it knows weekdays, days of the month and times of
 * one day. `MONTHLY;BYDAY=1SU` is the Sunday among the days 1 to 7.
 */
export function findWindowInterval(window: Policy['maintenance']['windows'][number]) {
  const [, order, day] =
    /^FREQ=WEEKLY;BYDAY=()(\w\w)$/.exec(window.rule) ?? /^FREQ=MONTHLY;BYDAY=([1-4]|-1)(\w\w)$/.exec(window.rule) ?? []
  const weekday = day === undefined ? undefined : days[day as keyof typeof days]
  const [hour = 0, minute = 0] = window.at.split(':').map(Number)
  const end = hour * 60 + minute + window.duration / 60_000
  if (weekday === undefined || order === undefined || end > 24 * 60) return null
  const week = Number(order)
  const clock = (minutes: number): string =>
    `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
  return {
    weekdays: [weekday],
    ...(order === '' ? {} : { days_of_month: [week === -1 ? '-7:-1' : `${week * 7 - 6}:${week * 7}`] }),
    times: [{ start_time: window.at, end_time: clock(end) }],
    location: window.zone,
  }
}
