export type CaptureTime = {
  /** The wall clock as written, `YYYY-MM-DDTHH:MM:SS[.fff]`. */
  wallClock: string
  /** UTC offset as written, such as `+02:00`; null where none is stated. */
  offset: string | null
  /** The instant; the wall clock is read as UTC where no offset is stated. */
  iso: string
}

const pattern =
  /^(\d{4})[:\-/](\d{1,2})[:\-/](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?)?\s*(Z|[+-]\d{2}:?\d{2})?/

/**
 * Reads a date as metadata formats write it (`2022:08:22 20:30:46.023+02:00`). Undefined for what no camera can mean: zeros, the 31st of
 * February, a time after `now` by more than a day, a year before photography.
 */
export function parseCaptureTime(text: unknown, now: Date, statedOffset?: unknown): CaptureTime | undefined {
  if (typeof text !== 'string') return undefined
  const match = pattern.exec(text.trim())
  if (!match) return undefined
  const [, year, month, day, hour = '0', minute = '00', second = '00', fraction = '', zone] = match
  const parts = [year, month, day, hour, minute, second].map(Number) as [number, number, number, number, number, number]
  const time = Date.UTC(parts[0], parts[1] - 1, parts[2], parts[3], parts[4], Math.min(parts[5], 59))
  const date = new Date(time)
  const exists =
    date.getUTCFullYear() === parts[0] &&
    date.getUTCMonth() === parts[1] - 1 &&
    date.getUTCDate() === parts[2] &&
    parts[3] < 24 &&
    parts[4] < 60 &&
    parts[5] <= 60
  if (!exists || parts[0] < 1826 || time > now.getTime() + 86_400_000) return undefined
  const offset = normaliseOffset(zone) ?? normaliseOffset(statedOffset)
  const milliseconds = Math.floor(Number(`0${fraction || '.0'}`) * 1000)
  const shift = offset
    ? (offset.startsWith('-') ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6))) * 60_000
    : 0
  return {
    wallClock: `${year}-${two(parts[1])}-${two(parts[2])}T${two(parts[3])}:${minute}:${second}${fraction.slice(0, 4)}`,
    offset: offset ?? null,
    iso: new Date(time + milliseconds - shift).toISOString(),
  }
}

const two = (value: number): string => String(value).padStart(2, '0')

function normaliseOffset(text: unknown): string | undefined {
  if (text === 'Z') return '+00:00'
  const match = typeof text === 'string' ? /^([+-])(\d{2}):?(\d{2})$/.exec(text.trim()) : null
  return match && Number(match[2]) <= 14 && Number(match[3]) < 60 ? `${match[1]}${match[2]}:${match[3]}` : undefined
}
