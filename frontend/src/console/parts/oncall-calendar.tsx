import type { OnCallView } from '@dam/contract/ops-types'
import { t } from '@lingui/core/macro'
import type { ReactNode } from 'react'
import { formatDateTime, formatShortDay, formatTimeIn, formatWeekday } from '../../lib/format.ts'
import styles from './oncall-calendar.module.css'
import { Status } from './status.tsx'

type Shift = OnCallView['shifts'][number]
const dayMs = 86_400_000

/** Weeks in a table where there is room, shifts in a list where there is not. */
export function OnCallCalendar({ view, nameOf }: { view: OnCallView; nameOf: (id: string) => string }): ReactNode {
  return (
    <>
      <ol className={styles.list}>
        {view.shifts.map((shift) => (
          <li key={shift.from}>
            <span className={styles.span}>
              {formatDateTime(shift.from)} – {formatDateTime(shift.until)}
            </span>
            <Who shift={shift} nameOf={nameOf} />
          </li>
        ))}
      </ol>
      <table className={styles.table}>
        <caption className="visually-hidden">{t`Who is on call on which day`}</caption>
        <thead>
          <tr>
            {weekdays().map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeksOf(view).map((week) => (
            <tr key={week[0]}>
              {week.map((day) => (
                <Day key={day} day={day} view={view} nameOf={nameOf} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

/** `2026-03-01` of an instant in the zone of the rotation. */
const dayOf = (at: number, zone: string): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone: zone, dateStyle: 'short' }).format(at)

/** Monday to Sunday, from this week until the schedule ends. */
function weeksOf(view: OnCallView): string[][] {
  const today = Date.parse(`${dayOf(Date.parse(view.at), view.zone)}T00:00Z`)
  const monday = today - ((new Date(today).getUTCDay() + 6) % 7) * dayMs
  const end = Date.parse(view.shifts.at(-1)?.until ?? view.at)
  const weeks: string[][] = []
  for (let start = monday; start < end; start += 7 * dayMs)
    weeks.push(Array.from({ length: 7 }, (_, index) => new Date(start + index * dayMs).toISOString().slice(0, 10)))
  return weeks
}

const weekdays = (): string[] => {
  // 5 January 1970 was a Monday.
  return Array.from({ length: 7 }, (_, index) => formatWeekday(new Date((4 + index) * dayMs).toISOString()))
}

function Day({ day, view, nameOf }: { day: string; view: OnCallView; nameOf: (id: string) => string }): ReactNode {
  const noon = new Date(`${day}T12:00Z`).toISOString()
  const isToday = dayOf(Date.parse(view.at), view.zone) === day
  const asked = isToday && noon < view.at ? view.at : noon
  const shift = view.shifts.find(({ from, until }) => from <= asked && asked < until)
  const isHandOff = shift !== undefined && shift !== view.shifts[0] && dayOf(Date.parse(shift.from), view.zone) === day
  const date = formatShortDay(noon)
  return (
    <td aria-current={isToday ? 'date' : undefined} data-empty={shift ? undefined : true}>
      <time dateTime={day}>{date}</time>
      {shift && <Who shift={shift} nameOf={nameOf} />}
      {isHandOff && <span className={styles.handOff}>{t`from ${formatTimeIn(view.zone, shift.from)}`}</span>}
    </td>
  )
}

function Who({ shift, nameOf }: { shift: Shift; nameOf: (id: string) => string }): ReactNode {
  if (shift.primary === null) return <Status tone="bad">{t`nobody`}</Status>
  return (
    <span className={styles.who}>
      <strong>{nameOf(shift.primary)}</strong>
      {shift.secondary && <span>{t`then ${nameOf(shift.secondary)}`}</span>}
      {shift.also.length > 0 && <span>{t`and ${shift.also.map(nameOf).join(', ')}`}</span>}
      {(shift.source === 'override' || shift.source === 'temporary') && <em>{t`exception`}</em>}
    </span>
  )
}
