import { createHash } from 'node:crypto'
import { Problem } from '@dam/contract'
import { sql, type Querier } from '@dam/platform/database'

/** Failed sign-ins allowed for one account name from one address, and for one address in all, within the window. */
export const signInLimits = { perAccount: 10, perAddress: 100, windowMinutes: 15 } as const

/** The address comes first: once it is over its limit, made-up names add no more rows. */
const bucketsOf = (username: string, address: string): [[string, number], [string, number]] => [
  [createHash('sha256').update(address).digest('base64'), signInLimits.perAddress],
  [createHash('sha256').update(`${username.toLowerCase()}\n${address}`).digest('base64'), signInLimits.perAccount],
]

/** Counts this try before the password is looked at, so that parallel guesses count too. Throws `too-many-requests`. */
export async function countSignIn(db: Querier, username: string, address: string): Promise<void> {
  for (const [bucket, most] of bucketsOf(username, address)) {
    const row = await db.row<{ failures: number; waitSeconds: number }>(sql`
      insert into sign_in_failure as f (bucket, failures, window_started_at) values (${bucket}, 1, now())
      on conflict (bucket) do update set
        failures = case when f.window_started_at < now() - make_interval(mins => ${signInLimits.windowMinutes}) then 1 else f.failures + 1 end,
        window_started_at = case when f.window_started_at < now() - make_interval(mins => ${signInLimits.windowMinutes}) then now() else f.window_started_at end
      returning failures, ceil(extract(epoch from window_started_at + make_interval(mins => ${signInLimits.windowMinutes}) - now()))::int as "waitSeconds"`)
    if (row && row.failures > most) {
      throw new Problem(
        'too-many-requests',
        `Too many failed sign-ins. Try again in ${Math.ceil(row.waitSeconds / 60)} minutes.`,
        {
          details: { retry_after: row.waitSeconds },
        },
      )
    }
  }
}

/** A successful sign-in clears the account's count and takes its own try off the address's. */
export async function clearSignIn(db: Querier, username: string, address: string): Promise<void> {
  const [[everyone], [account]] = bucketsOf(username, address)
  await db.run(sql`delete from sign_in_failure where bucket = ${account}`)
  await db.run(sql`update sign_in_failure set failures = greatest(failures - 1, 0) where bucket = ${everyone}`)
}

export const deleteOldSignInFailures = (db: Querier): Promise<number> =>
  db.run(sql`delete from sign_in_failure where window_started_at < now() - interval '1 day'`)
