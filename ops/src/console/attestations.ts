import { recordAudit } from '../audit/audit.ts'
import type { Store } from '../store.ts'

type Attestation = { id: number; item: string; by: string; note: string; at: string; expiresAt: string }

/** What a person vouches for, with an end to it. */
export function addAttestation(
  store: Store,
  input: { subject: string; item: string; note?: string | undefined; hours: number; by: string; now: Date },
): void {
  store.transaction(() => {
    store.run(
      'insert into attestation (subject, item, by_whom, note, at, expires_at) values (?, ?, ?, ?, ?, ?)',
      input.subject,
      input.item,
      input.by,
      input.note ?? '',
      input.now.toISOString(),
      new Date(input.now.getTime() + input.hours * 3_600_000).toISOString(),
    )
    recordAudit(store, {
      who: input.by,
      action: 'attestation.given',
      subject: input.subject,
      detail: { item: input.item },
      now: input.now,
    })
  })
}

/** For a release or a deployment of it, newest first. */
export const listAttestations = (store: Store, tag: string): Attestation[] =>
  store.rows<Attestation>(
    `select a.id, a.item, a.by_whom as "by", a.note, a.at, a.expires_at as "expiresAt" from attestation a
     where a.subject in (select 'release:' || digest from release where tag = ?)
        or a.subject in (select 'deployment:' || d.id from deployment d join release r on r.digest = d.digest where r.tag = ?)
     order by a.id desc limit 100`,
    tag,
    tag,
  )
