import semver from 'semver'
import * as z from 'zod'
import { dayMs } from '../gate-policy.ts'

const exception = z.strictObject({
  package: z.string().min(1),
  range: z.string().refine((range) => semver.validRange(range) !== null, 'is not a range of versions'),
  /** Number of the advisory, or its GHSA id. */
  advisory: z.string().min(1),
  decision: z.string().min(20),
  by: z.string().min(1),
  date: z.iso.date(),
})

/** A person's decision that an advisory does not touch this product. */
export type AuditException = z.infer<typeof exception>

/** Reads `security/audit.json`. Throws when it is not as it should be: a broken list must not be an empty one. */
export function readAuditExceptions(text: string): AuditException[] {
  const parsed = z.strictObject({ exceptions: z.array(exception) }).safeParse(JSON.parse(text))
  if (!parsed.success) throw new Error(`security/audit.json: ${z.prettifyError(parsed.error)}`)
  return parsed.data.exceptions
}

/** A review ages: after `reviewDays` it has to be made again. */
export function isInForce({ date }: AuditException, reviewDays: number, now: Date): boolean {
  const ageMs = now.getTime() - Date.parse(date)
  return ageMs >= 0 && ageMs <= reviewDays * dayMs
}
