import { formatDuration, formatWait } from '../../lib/format.ts'

const longestInSecondsMs = 90_000

/** A length of time as exact as its size deserves: 340 ms, 12.5 s, 7 min. */
export const formatLength = (milliseconds: number): string =>
  milliseconds < longestInSecondsMs ? formatDuration(milliseconds) : formatWait(milliseconds / 1000)
