import { setTimeout as sleep } from 'node:timers/promises'
import type { Answer } from './findings.ts'

/** Asks within a bound; whatever goes wrong is an answer, too. `ask` is told to stop when the bound is over. */
export async function probe<T>(boundMs: number, ask: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
  const startedAt = performance.now()
  const bound = new AbortController()
  const tookMs = (): number => Math.round(performance.now() - startedAt)
  try {
    const late = sleep(boundMs, undefined, { signal: bound.signal }).then(
      () => Promise.reject(new Error(`no answer within ${boundMs / 1000} s`)),
      () => new Promise<never>(() => undefined),
    )
    const value = await Promise.race([ask(bound.signal), late])
    return { state: 'known', value, tookMs: tookMs() }
  } catch (error) {
    return { state: 'unknown', because: reasonOf(error), tookMs: tookMs() }
  } finally {
    bound.abort()
  }
}

/** One line; the code of the system or the database stands in front where there is one. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error && /fetch failed/.test(error.message)) return reasonOf(error.cause)
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code} ` : ''
  const text = (error.message || error.name).split('\n', 1)[0] ?? ''
  return text.startsWith(code.trim()) ? text : `${code}${text}`
}

/** Something is not there to be asked; that is news and no mistake of the probe. */
export class NotThere extends Error {
  override readonly name = 'NotThere'
}
