import { z } from 'zod'

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `500ms`, `1.5s`, `15m`, `4h`, `7d` to milliseconds, or null. */
export function parseDuration(text: string): number | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s?(ms|s|m|h|d)$/.exec(text) ?? []
  return amount && unit ? Number(amount) * unitMs[unit as keyof typeof unitMs] : null
}

/** `5%`, `0.1 %` to a share from 0 to 1, or null. */
export function parseShare(text: string): number | null {
  const [, amount] = /^(\d+(?:\.\d+)?)\s?%$/.exec(text) ?? []
  // Thousandths of a percent are as fine as anyone writes; without rounding 0.7 % is 0.006999….
  return amount === undefined ? null : Math.round(Number(amount) * 1e3) / 1e5
}

/** Milliseconds, written as people do: `15 min`, `1 h 30 min`, `2 d`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${durationMs} ms`
  const parts: string[] = []
  let left = durationMs
  for (const [unit, name] of [
    [unitMs.d, 'd'],
    [unitMs.h, 'h'],
    [unitMs.m, 'min'],
  ] as const) {
    const amount = Math.floor(left / unit)
    if (amount > 0) parts.push(`${amount} ${name}`)
    left -= amount * unit
  }
  if (left > 0) parts.push(`${Number((left / 1_000).toFixed(1))} s`)
  return parts.join(' ') || '0 s'
}

export const duration = z.string().transform((text, context) => {
  const durationMs = parseDuration(text)
  if (durationMs !== null) return durationMs
  context.addIssue(`"${text}" is not a duration; write 90s, 15m, 4h or 7d`)
  return z.NEVER
})

export const share = z.string().transform((text, context) => {
  const value = parseShare(text)
  if (value !== null && value <= 1) return value
  context.addIssue(`"${text}" is not a share; write 5% or 0.1%`)
  return z.NEVER
})

/** A share, a duration (then seconds, as metrics are), or a plain number. */
export const quantity = z.union([z.number(), z.string()]).transform((given, context) => {
  if (typeof given === 'number') return { value: given, unit: 'number' as const }
  const asShare = parseShare(given)
  if (asShare !== null) return { value: asShare, unit: 'share' as const }
  const asDuration = parseDuration(given)
  if (asDuration !== null) return { value: asDuration / 1_000, unit: 'seconds' as const }
  context.addIssue(`"${given}" is neither a share (5%) nor a duration (2s) nor a number`)
  return z.NEVER
})

export const wallTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time of day like 02:00')
