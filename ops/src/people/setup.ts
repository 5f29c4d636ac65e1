import { randomBytes } from 'node:crypto'
import { Problem } from '@dam/contract'
import { hashPassword } from '@dam/platform/password'
import type { Secret } from '@dam/platform/settings'
import type { Store } from '../store.ts'
import { insertWithAudit } from './change-operator.ts'
import { hasOperators, type Operator } from './operator-store.ts'
import { hashToken } from './operator-session-store.ts'

/** Makes a new one-time link for creating the first administrator, or gives null when an operator exists. Older links stop working. */
export function ensureSetupLink(store: Store, publicUrl: string, now: Date): string | null {
  if (hasOperators(store)) return null
  const token = randomBytes(18).toString('base64url')
  store.run(
    `insert into operator_setup_link (singleton, token_hash, created_at) values (1, ?, ?)
     on conflict (singleton) do update set token_hash = excluded.token_hash, created_at = excluded.created_at`,
    hashToken(token),
    now.toISOString(),
  )
  return `${publicUrl}/setup?token=${token}`
}

/** Creates the first administrator from a set-up link. Of two that use the link at once, one gets the account. */
export async function setUp(
  store: Store,
  input: { token: string; username: string; password: string },
  now: Date,
): Promise<Operator> {
  const isKnown = () => store.row('select 1 from operator_setup_link where token_hash = ?', hashToken(input.token))
  // Before the costly hash: anybody may ask.
  if (!isKnown()) throw hasOperators(store) ? alreadyDone() : linkInvalid()
  const passwordHash = await hashPassword(input.password)
  return store.transaction(() => {
    if (hasOperators(store)) throw alreadyDone()
    if (!isKnown()) throw linkInvalid()
    store.run('delete from operator_setup_link')
    return insertWithAudit(
      store,
      { username: input.username, passwordHash, role: 'administrator' },
      { who: 'set-up link', now },
    )
  })
}

const alreadyDone = (): Problem => new Problem('setup-already-done', 'The console is set up already. Sign in instead.')
const linkInvalid = (): Problem =>
  new Problem(
    'setup-link-invalid',
    'This set-up link is not valid any more. ./dam operator add --role administrator <name> creates one without a link.',
  )

/** Creates the administrator named in the configuration, unless an operator exists. Gives true when it did. */
export async function createConfiguredAdministrator(
  store: Store,
  input: { username: string; password: Secret },
  now: Date,
): Promise<boolean> {
  if (hasOperators(store)) return false
  const passwordHash = await hashPassword(input.password.reveal())
  return store.transaction(() => {
    if (hasOperators(store)) return false
    store.run('delete from operator_setup_link')
    insertWithAudit(store, { username: input.username, passwordHash, role: 'administrator' }, { who: 'settings', now })
    return true
  })
}
