import { createHash, randomBytes } from 'node:crypto'
import type { Store } from '../store.ts'
import type { Locale } from './words.ts'

const hash = (text: string): string => createHash('sha256').update(text).digest('base64')
const hourMs = 3_600_000
const askAgainMs = hourMs
/** Who never confirms is forgotten. */
const unconfirmedMs = 3 * 24 * hourMs
const limits = { address: 8, email: 3, everybody: 300 } as const

/** False when too many tries came from this address, for this e-mail address, or in all, within an hour. */
export function countTry(store: Store, kind: keyof typeof limits, value: string, now: Date): boolean {
  const bucket = hash(`${kind}\n${value.toLowerCase()}`)
  const oldest = new Date(now.getTime() - hourMs).toISOString()
  return store.transaction(() => {
    store.run(
      `insert into status_try (bucket, tries, window_started_at) values (?, 1, ?)
       on conflict (bucket) do update set
         tries = case when window_started_at < ? then 1 else tries + 1 end,
         window_started_at = case when window_started_at < ? then excluded.window_started_at else window_started_at end`,
      bucket,
      now.toISOString(),
      oldest,
      oldest,
    )
    const row = store.row<{ tries: number }>('select tries from status_try where bucket = ?', bucket)
    return (row?.tries ?? 0) <= limits[kind]
  })
}

/**
 * Notes that somebody asked for messages to an address. Gives the tokens for the message that asks for a confirmation, or null when none
 * is to be sent: the address is subscribed already, or was asked within the hour.
 */
export function askSubscription(
  store: Store,
  ask: { email: string; locale: Locale; now: Date },
): { confirm: string; leave: string } | null {
  return store.transaction(() => {
    const known = store.row<{ askedAt: string; confirmedAt: string | null; leave: string }>(
      'select asked_at as askedAt, confirmed_at as confirmedAt, leave_token as leave from status_subscription where email = ?',
      ask.email,
    )
    if (known?.confirmedAt) return null
    if (known && ask.now.getTime() - Date.parse(known.askedAt) < askAgainMs) return null
    const confirm = randomBytes(24).toString('base64url')
    const leave = known?.leave ?? randomBytes(24).toString('base64url')
    store.run(
      `insert into status_subscription (email, locale, confirm_hash, leave_token, asked_at) values (?, ?, ?, ?, ?)
       on conflict (email) do update set locale = excluded.locale, confirm_hash = excluded.confirm_hash, asked_at = excluded.asked_at`,
      ask.email,
      ask.locale,
      hash(confirm),
      leave,
      ask.now.toISOString(),
    )
    return { confirm, leave }
  })
}

/** False for a link that is old, used up or made up. */
export const confirmSubscription = (store: Store, token: string, now: Date): boolean =>
  store.run(
    `update status_subscription set confirmed_at = ? where confirm_hash = ? and confirmed_at is null and asked_at > ?`,
    now.toISOString(),
    hash(token),
    new Date(now.getTime() - unconfirmedMs).toISOString(),
  ) === 1

/** False when there was nothing to end. */
export const endSubscription = (store: Store, leaveToken: string): boolean =>
  store.run('delete from status_subscription where leave_token = ?', leaveToken) === 1

export type Subscriber = { email: string; locale: Locale; leave: string }

export const listSubscribers = (store: Store): Subscriber[] =>
  store.rows<Subscriber>(
    'select email, locale, leave_token as leave from status_subscription where confirmed_at is not null order by id',
  )

export function forgetUnconfirmed(store: Store, now: Date): void {
  store.run(
    'delete from status_subscription where confirmed_at is null and asked_at < ?',
    new Date(now.getTime() - unconfirmedMs).toISOString(),
  )
  store.run('delete from status_try where window_started_at < ?', new Date(now.getTime() - 24 * hourMs).toISOString())
}
