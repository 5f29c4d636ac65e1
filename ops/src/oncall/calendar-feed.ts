import { randomBytes } from 'node:crypto'
import { hashToken } from '../people/operator-session-store.ts'
import type { Store } from '../store.ts'

/** Makes the token of a feed; an operator has one at most, so that an address that got lost is ended by making another. */
export function createFeed(store: Store, feed: { operatorId: number; person: string | null; now: Date }): string {
  const token = randomBytes(24).toString('base64url')
  store.transaction(() => {
    store.run('delete from calendar_feed where operator_id = ?', feed.operatorId)
    store.run(
      'insert into calendar_feed (token_hash, operator_id, person, created_at) values (?, ?, ?, ?)',
      hashToken(token),
      feed.operatorId,
      feed.person,
      feed.now.toISOString(),
    )
  })
  return token
}

/** Whose shifts a token shows (null: everybody's); undefined for no feed, also of an operator who was deactivated. */
export const findFeed = (store: Store, token: string): { person: string | null } | undefined =>
  store.row<{ person: string | null }>(
    `select f.person from calendar_feed f join operator o on o.id = f.operator_id where f.token_hash = ? and o.active = 1`,
    hashToken(token),
  )
