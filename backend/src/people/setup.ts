import { randomBytes } from 'node:crypto'
import { Problem, type Role } from '@dam/contract'
import { isUniqueViolation, sql, type Database, type Transaction } from '@dam/platform/database'
import type { Secret } from '@dam/platform/settings'
import { recordAudit } from '../events/record.ts'
import { hasAccounts, insertAccount, type Account } from './account-store.ts'
import { hashPassword } from '@dam/platform/password'
import { hashToken } from './session-store.ts'

/** Makes a new one-time link for creating the first administrator, or gives null when an account exists. Older links stop working. */
export async function ensureSetupLink(database: Database, publicUrl: string): Promise<string | null> {
  if (await hasAccounts(database)) return null
  const token = randomBytes(18).toString('base64url')
  await database.run(sql`
    insert into setup_link (token_hash) values (${hashToken(token)})
    on conflict (singleton) do update set token_hash = excluded.token_hash, created_at = now()`)
  return `${publicUrl}/setup?token=${token}`
}

/** Creates the first administrator from a set-up link. Of two that use the link at once, one gets the account. */
export async function setUp(
  database: Database,
  input: { token: string; username: string; password: string },
): Promise<Account> {
  // Before the costly hash: anybody may ask.
  const known = await database.row(sql`select from setup_link where token_hash = ${hashToken(input.token)}`)
  if (!known) throw (await hasAccounts(database)) ? alreadyDone() : linkInvalid()
  const passwordHash = await hashPassword(input.password)
  return database.transaction(async (tx) => {
    const used = await tx.run(sql`delete from setup_link where token_hash = ${hashToken(input.token)}`)
    if (await hasAccounts(tx)) throw alreadyDone()
    if (used === 0) throw linkInvalid()
    return addAccount(tx, { username: input.username, passwordHash, role: 'administrator', actorId: null })
  })
}

const alreadyDone = (): Problem => new Problem('setup-already-done', 'DAM is set up already. Sign in instead.')
const linkInvalid = (): Problem =>
  new Problem('setup-link-invalid', 'This set-up link is not valid any more. Restart DAM: it prints a new one.')

/** Creates the administrator named in the configuration, unless an account exists. Gives true when it did. */
export async function createConfiguredAdministrator(
  database: Database,
  input: { username: string; password: Secret },
): Promise<boolean> {
  if (await hasAccounts(database)) return false
  const passwordHash = await hashPassword(input.password.reveal())
  return database.transaction(async (tx) => {
    await tx.run(sql`lock table account in share row exclusive mode`)
    if (await hasAccounts(tx)) return false
    await tx.run(sql`delete from setup_link`)
    await addAccount(tx, { username: input.username, passwordHash, role: 'administrator', actorId: null })
    return true
  })
}

export async function addAccount(
  tx: Transaction,
  input: {
    username: string
    passwordHash: string
    role: Role
    displayName?: string
    email?: string | null
    actorId: number | null
  },
): Promise<Account> {
  try {
    const account = await insertAccount(tx, {
      username: input.username,
      displayName: input.displayName ?? '',
      email: input.email ?? null,
      passwordHash: input.passwordHash,
      role: input.role,
    })
    await recordAudit(tx, [
      { actorId: input.actorId, action: 'user.created', object: `user:${account.id}`, detail: { role: account.role } },
    ])
    return account
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw new Problem('already-exists', `There is a user ${input.username} already.`, {
      fields: { username: ['This name is taken.'] },
    })
  }
}
