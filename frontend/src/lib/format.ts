import { i18n } from '@lingui/core'

const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>()

function cached<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(
  key: string,
  create: (locale: string) => T,
): T {
  const locale = regionalLocale(i18n.locale)
  const full = `${locale}:${key}`
  const found = cache.get(full)
  if (found) return found as T
  const created = create(locale)
  cache.set(full, created)
  return created
}

/** The reader's own region of the language of the page: 4 July for en-GB, July 4 for en-US. */
const regionalLocale = (language: string): string =>
  navigator.languages.find((wanted) => wanted === language || wanted.startsWith(`${language}-`)) ?? language

const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

/** Decimal units, as file managers of macOS and most websites show them. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.min(byteUnits.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  const digits = power === 0 || value >= 100 ? 0 : 1
  return cached(
    `bytes${power}${digits}`,
    (locale) =>
      new Intl.NumberFormat(locale, {
        style: 'unit',
        unit: byteUnits[power]!,
        unitDisplay: power === 0 ? 'long' : 'short',
        maximumFractionDigits: digits,
      }),
  ).format(value)
}

export function formatCount(count: number): string {
  return cached('count', (locale) => new Intl.NumberFormat(locale)).format(count)
}

export function formatNumber(value: number, maximumFractionDigits = 2): string {
  return cached(
    `number${maximumFractionDigits}`,
    (locale) => new Intl.NumberFormat(locale, { maximumFractionDigits }),
  ).format(value)
}

/** Counts past the server's bound are lower bounds: “5,000+”. */
export function formatTotal(count: number, isEstimate: boolean | undefined): string {
  return isEstimate ? `${formatCount(count)}+` : formatCount(count)
}

export function formatDate(iso: string): string {
  return cached('date', (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium' })).format(new Date(iso))
}

export function formatDateTime(iso: string): string {
  return cached(
    'date-time',
    (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }),
  ).format(new Date(iso))
}

/** `Sunday, 1 March`, in the reader's zone. */
export function formatDay(iso: string): string {
  return cached(
    'day',
    (locale) => new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' }),
  ).format(new Date(iso))
}

/** Time of day with its zone, `02:00 UTC`. */
export function formatTime(iso: string): string {
  return cached(
    'time',
    (locale) => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }),
  ).format(new Date(iso))
}

/** `1 Mar`, of a day written as UTC. */
export function formatShortDay(iso: string): string {
  return cached(
    'short-day',
    (locale) => new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', timeZone: 'UTC' }),
  ).format(new Date(iso))
}

/** `Sun`, of a day written as UTC. */
export function formatWeekday(iso: string): string {
  return cached('weekday', (locale) => new Intl.DateTimeFormat(locale, { weekday: 'short', timeZone: 'UTC' })).format(
    new Date(iso),
  )
}

/** Time of day of a named zone. */
export function formatTimeIn(timeZone: string, iso: string): string {
  return cached(
    `time-in ${timeZone}`,
    (locale) => new Intl.DateTimeFormat(locale, { timeStyle: 'short', timeZone }),
  ).format(new Date(iso))
}

/** `02:00 – 04:00 UTC`, in the reader's zone. */
export function formatTimeRange(from: string, until: string): string {
  return cached(
    'time-range',
    (locale) => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' }),
  ).formatRange(new Date(from), new Date(until))
}

/** Camera clocks carry no zone that could be trusted: shown as written. */
export function formatCameraTime(iso: string): string {
  return cached(
    'camera',
    (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' }),
  ).format(new Date(iso))
}

/** `month` is `2024-05`; a bare year is shown as it is. */
export function formatMonth(month: string): string {
  if (!/^\d{4}-\d{2}$/.test(month)) return month
  return cached(
    'month',
    (locale) => new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' }),
  ).format(new Date(`${month}-01T00:00:00Z`))
}

export function formatClock(seconds: number): string {
  const whole = Math.round(seconds)
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const shown = parts[0]! > 0 ? parts : parts.slice(1)
  return shown.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, '0'))).join(':')
}

const spans: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

export function formatAgo(iso: string, nowMs: number): string {
  const seconds = (Date.parse(iso) - nowMs) / 1000
  const format = cached('ago', (locale) => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }))
  for (const [unit, size] of spans)
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit)
  return format.format(0, 'second')
}

/** A length of time in words a person waits by: “12 s”, “3 min”. */
export function formatWait(seconds: number): string {
  const unit = seconds < 90 ? 'second' : seconds < 5400 ? 'minute' : 'hour'
  const value = unit === 'second' ? seconds : unit === 'minute' ? seconds / 60 : seconds / 3600
  return cached(
    `wait${unit}`,
    (locale) =>
      new Intl.NumberFormat(locale, {
        style: 'unit',
        unit,
        unitDisplay: 'short',
        maximumFractionDigits: unit === 'hour' ? 1 : 0,
      }),
  ).format(value)
}

export function formatDuration(milliseconds: number): string {
  return milliseconds < 1000
    ? cached(
        'ms',
        (locale) =>
          new Intl.NumberFormat(locale, {
            style: 'unit',
            unit: 'millisecond',
            unitDisplay: 'short',
            maximumFractionDigits: 0,
          }),
      ).format(milliseconds)
    : cached(
        's',
        (locale) =>
          new Intl.NumberFormat(locale, {
            style: 'unit',
            unit: 'second',
            unitDisplay: 'short',
            maximumFractionDigits: 1,
          }),
      ).format(milliseconds / 1000)
}
