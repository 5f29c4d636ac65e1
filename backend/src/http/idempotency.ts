import { createHash } from 'node:crypto'
import { Problem } from '@dam/contract'
import { sql, type Database } from '@dam/platform/database'

export type Remembered = { status: number; body: unknown }

/**
 * Runs `work` once for each key of an account: a repeat gets the first answer, a repeat while the first still runs and the same key
 * with another request are refused. Keys are kept a day. Failures are not remembered, so that they can be tried again.
 */
export async function once(
  database: Database,
  request: { accountId: number; key: string; route: string; body: unknown },
  work: () => Promise<Remembered>,
): Promise<Remembered> {
  if (!/^[\x21-\x7e]{1,200}$/.test(request.key)) {
    throw new Problem('idempotency-key-invalid', 'Idempotency-Key takes 1 to 200 visible ASCII characters.')
  }
  const fingerprint = createHash('sha256')
    .update(`${request.route}\n${JSON.stringify(request.body ?? null)}`)
    .digest()
  const taken = await database.run(sql`
    insert into idempotency_key as k (account_id, key, request_sha256) values (${request.accountId}, ${request.key}, ${fingerprint})
    on conflict (account_id, key) do update set created_at = now(), request_sha256 = excluded.request_sha256
      where k.status is null and k.created_at < now() - interval '5 minutes'`)
  if (taken === 0) {
    const known = await database.row<{ same: boolean; status: number | null; body: unknown }>(sql`
      select request_sha256 = ${fingerprint} as same, status, body from idempotency_key
      where account_id = ${request.accountId} and key = ${request.key}`)
    if (known && !known.same)
      throw new Problem('idempotency-conflict', 'This Idempotency-Key was used for another request.')
    if (known?.status == null) {
      throw new Problem('idempotency-conflict', 'The first request with this Idempotency-Key is still running.', {
        details: { retry_after: 2 },
      })
    }
    return { status: known.status, body: known.body ?? undefined }
  }
  try {
    const answer = await work()
    await database.run(sql`
      update idempotency_key set status = ${answer.status}, body = ${answer.body === undefined ? null : JSON.stringify(answer.body)}::jsonb
      where account_id = ${request.accountId} and key = ${request.key}`)
    return answer
  } catch (error) {
    await database.run(
      sql`delete from idempotency_key where account_id = ${request.accountId} and key = ${request.key}`,
    )
    throw error
  }
}

export const deleteOldIdempotencyKeys = (database: Database): Promise<number> =>
  database.run(sql`delete from idempotency_key where created_at < now() - interval '1 day'`)
