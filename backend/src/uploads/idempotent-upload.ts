import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '@dam/contract'
import { sql, type Querier, type Transaction } from '@dam/platform/database'

/** A repeat with the same key must be the same request: `fingerprint` is over everything that describes it. */
export type IdempotencyKey = { key: string; fingerprint: Buffer }

/** The key was taken by an earlier request between our look and our transaction. */
export class KeyTaken extends Error {}

export function idempotencyKeyOf(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new Problem('idempotency-key-invalid', 'Idempotency-Key takes 1 to 200 visible ASCII characters.')
  }
  return key
}

export const fingerprintOf = (description: unknown): Buffer =>
  createHash('sha256').update(JSON.stringify(description)).digest()

/** The upload that an earlier request with this key began. Throws `idempotency-conflict` when that was another request. */
export async function findKeyed(
  querier: Querier,
  accountId: number,
  idempotency: IdempotencyKey,
): Promise<string | undefined> {
  const row = await querier.row<{ same: boolean; body: { upload?: string } | null }>(sql`
    select request_sha256 = ${idempotency.fingerprint} as same, body from idempotency_key
    where account_id = ${accountId} and key = ${idempotency.key}`)
  if (!row) return undefined
  if (!row.same || row.body?.upload === undefined) {
    throw new Problem(
      'idempotency-conflict',
      'This Idempotency-Key was used for another request. Use a new key for a new file.',
    )
  }
  return row.body.upload
}

/** Binds the key to the upload in the transaction that makes it. Throws `KeyTaken`. */
export async function bindKey(
  tx: Transaction,
  accountId: number,
  idempotency: IdempotencyKey,
  uploadId: string,
): Promise<void> {
  const taken = await tx.run(sql`
    insert into idempotency_key (account_id, key, request_sha256, status, body)
    values (${accountId}, ${idempotency.key}, ${idempotency.fingerprint}, 201, ${JSON.stringify({ upload: uploadId })}::jsonb)
    on conflict do nothing`)
  if (taken === 0) throw new KeyTaken()
}
