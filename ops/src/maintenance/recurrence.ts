const dayNames = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const

/** The forms of RFC 5545 that windows need. Days count from 1, Monday; `nth` from the end when negative. */
export type Recurrence =
  | { every: 'day' }
  | { every: 'week'; days: readonly number[] }
  | { every: 'month'; days: readonly { nth: number; day: number }[] }

/**
 * Reads `FREQ=DAILY`, `FREQ=WEEKLY;BYDAY=SU,WE` or `FREQ=MONTHLY;BYDAY=1SU,-1FR`. Null for every other rule: intervals, counts and ends
 * would need a first day, which a window of the policy does not have.
 */
export function parseRecurrence(text: string): Recurrence | null {
  const parts = new Map(text.split(';').map((part) => part.split('=', 2) as [string, string | undefined]))
  const frequency = parts.get('FREQ')
  const days = parts.get('BYDAY')?.split(',') ?? []
  const known = ['FREQ', 'BYDAY']
  if ([...parts.keys()].some((name) => !known.includes(name)) || parts.size !== text.split(';').length) return null
  if (frequency === 'DAILY') return parts.has('BYDAY') ? null : { every: 'day' }
  if (days.length === 0) return null
  if (frequency === 'WEEKLY') {
    const numbers = days.map((name) => dayNames.findIndex((day) => day === name) + 1)
    return numbers.includes(0) ? null : { every: 'week', days: numbers }
  }
  if (frequency !== 'MONTHLY') return null
  const found = days.map((name) => {
    const [, nth, day] = /^(-?[1-5])([A-Z]{2})$/.exec(name) ?? []
    return { nth: Number(nth), day: dayNames.findIndex((known) => known === day) + 1 }
  })
  return found.some(({ nth, day }) => Number.isNaN(nth) || day === 0) ? null : { every: 'month', days: found }
}

/** Whether a window of this recurrence begins on that day, given as its midnight UTC. */
export function fallsOn(recurrence: Recurrence, date: Date): boolean {
  if (recurrence.every === 'day') return true
  const weekday = date.getUTCDay() || 7
  if (recurrence.every === 'week') return recurrence.days.includes(weekday)
  const day = date.getUTCDate()
  const daysInMonth = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  const fromStart = Math.ceil(day / 7)
  const fromEnd = -Math.ceil((daysInMonth - day + 1) / 7)
  return recurrence.days.some((one) => one.day === weekday && (one.nth === fromStart || one.nth === fromEnd))
}
