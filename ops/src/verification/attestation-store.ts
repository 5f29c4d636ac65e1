import { recordAudit } from '../audit/audit.ts'
import type { Store } from '../store.ts'

/** What a person vouches for. `subject`: such as `environment:staging`. */
export type Attestation = { item: string; by: string; note: string; at: string; expiresAt: string }

/** The newest of each item that still holds at `now`; what was said before `from`, of another release, does not count. */
export const validAttestations = (
  store: Store,
  subject: string,
  now: Date,
  from: Date | null = null,
): Map<string, Attestation> =>
  new Map(
    store
      .rows<Attestation>(
        `select item, by_whom as "by", note, at, expires_at as expiresAt from attestation
         where subject = ? and expires_at > ? and at >= ? order by id`,
        subject,
        now.toISOString(),
        from?.toISOString() ?? '',
      )
      .map((row) => [row.item, row]),
  )

/** Records it with its audit row. Refuses one without a name or a note: nobody could ask later. */
export function attest(
  store: Store,
  subject: string,
  attestation: { item: string; by: string; note: string; expiresAt: Date },
  now: Date,
): void {
  const { item, by, note, expiresAt } = attestation
  if (by.trim() === '' || note.trim() === '')
    throw new Error('An attestation needs who gives it (--by) and what was seen (--note).')
  if (expiresAt <= now) throw new Error('An attestation must expire in the future, such as --expires 7d.')
  store.transaction(() => {
    store.run(
      'insert into attestation (subject, item, by_whom, note, at, expires_at) values (?, ?, ?, ?, ?, ?)',
      subject,
      item,
      by,
      note,
      now.toISOString(),
      expiresAt.toISOString(),
    )
    recordAudit(store, {
      who: by,
      action: 'attested',
      subject,
      detail: { item, note, expiresAt: expiresAt.toISOString() },
      now,
    })
  })
}
