import { createHash } from 'node:crypto'
import { Problem } from '@dam/contract'
import type { Store } from '../store.ts'

/** Tries at signing in allowed for one name from one address, and for one address in all, within the window. */
const limits = { perName: 10, perAddress: 50, windowMs: 15 * 60_000 } as const

const bucketsOf = (username: string, address: string): [[string, number], [string, number]] => [
  [createHash('sha256').update(address).digest('base64'), limits.perAddress],
  [createHash('sha256').update(`${username.toLowerCase()}\n${address}`).digest('base64'), limits.perName],
]

/** Counts this try before the password is looked at, so that parallel guesses count too. Throws `too-many-requests`. */
export function countSignIn(store: Store, username: string, address: string, now: Date): void {
  const oldest = new Date(now.getTime() - limits.windowMs).toISOString()
  for (const [bucket, most] of bucketsOf(username, address)) {
    const row = store.transaction(() => {
      store.run(
        `insert into operator_sign_in (bucket, tries, window_started_at) values (?, 1, ?)
         on conflict (bucket) do update set
           tries = case when window_started_at < ? then 1 else tries + 1 end,
           window_started_at = case when window_started_at < ? then excluded.window_started_at else window_started_at end`,
        bucket,
        now.toISOString(),
        oldest,
        oldest,
      )
      return store.row<{ tries: number; startedAt: string }>(
        'select tries, window_started_at as "startedAt" from operator_sign_in where bucket = ?',
        bucket,
      )
    })
    if (row && row.tries > most) {
      const waitSeconds = Math.ceil((Date.parse(row.startedAt) + limits.windowMs - now.getTime()) / 1000)
      throw new Problem(
        'too-many-requests',
        `Too many failed sign-ins. Try again in ${Math.ceil(waitSeconds / 60)} minutes.`,
        { details: { retry_after: waitSeconds } },
      )
    }
  }
}

/** A successful sign-in clears the name's count and takes its own try off the address's. */
export function clearSignIn(store: Store, username: string, address: string): void {
  const [[everyone], [name]] = bucketsOf(username, address)
  store.run('delete from operator_sign_in where bucket = ?', name)
  store.run('update operator_sign_in set tries = max(tries - 1, 0) where bucket = ?', everyone)
}

export const deleteOldTries = (store: Store, now: Date): number =>
  store.run(
    'delete from operator_sign_in where window_started_at < ?',
    new Date(now.getTime() - 86_400_000).toISOString(),
  )
