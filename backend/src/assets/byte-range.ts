/** Bytes first to last, both included. */
export type ByteRange = { first: number; last: number }

/**
 * The single range a `Range` header asks of a body of `sizeBytes`. `whole`: no header, one we do not honour (several ranges, other
 * units, nonsense), which means the whole body. `unsatisfiable`: answer 416.
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = header === undefined ? null : /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(header)
  if (!match) return 'whole'
  const [, from, to] = match as unknown as [string, string, string]
  if (from === '' && to === '') return 'whole'
  if (from === '') {
    const count = Number(to)
    return count === 0 || sizeBytes === 0
      ? 'unsatisfiable'
      : { first: Math.max(0, sizeBytes - count), last: sizeBytes - 1 }
  }
  const first = Number(from)
  const last = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1)
  if (to !== '' && Number(to) < first) return 'whole'
  return first >= sizeBytes ? 'unsatisfiable' : { first, last }
}

/** Whether `If-None-Match` names the entity tag, by weak comparison. */
export const matchesTag = (header: string | undefined, tag: string): boolean =>
  header !== undefined &&
  (header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === tag))

/** `If-Range` lets a range through only for the very same bytes: a strong tag. Dates are not strong enough. */
export const allowsRange = (ifRange: string | string[] | undefined, tag: string): boolean =>
  ifRange === undefined || ifRange === tag
