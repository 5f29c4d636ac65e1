import type { Role } from '@dam/contract'
import { syntheticUsername } from '@dam/contract/synthetic'
import { sql, type Querier, type Transaction } from '@dam/platform/database'

export type Account = {
  id: number
  username: string
  displayName: string
  email: string | null
  passwordHash: string
  role: Role
  active: boolean
  createdAt: Date
  lastSeenAt: Date | null
}

const columns = sql`id, username, display_name as "displayName", email, password_hash as "passwordHash", role, active,
  created_at as "createdAt", last_seen_at as "lastSeenAt"`

export const findAccount = (db: Querier, id: number): Promise<Account | undefined> =>
  db.row<Account>(sql`select ${columns} from account where id = ${id}`)

export const findAccountByName = (db: Querier, username: string): Promise<Account | undefined> =>
  db.row<Account>(sql`select ${columns} from account where lower(username) = lower(${username})`)

export async function listAccounts(
  db: Querier,
  limit: number,
  offset: number,
): Promise<{ total: number; accounts: Account[] }> {
  const [accounts, counted] = await Promise.all([
    db.rows<Account>(sql`select ${columns} from account order by lower(username) limit ${limit} offset ${offset}`),
    db.row<{ total: number }>(sql`select count(*) as total from account`),
  ])
  return { total: counted?.total ?? 0, accounts }
}

export const hasAccounts = async (db: Querier): Promise<boolean> =>
  (
    await db.row<{ yes: boolean }>(
      sql`select exists (select 1 from account where username <> ${syntheticUsername}) as yes`,
    )
  )?.yes ?? false

export async function insertAccount(
  tx: Transaction,
  account: { username: string; displayName: string; email: string | null; passwordHash: string; role: Role },
): Promise<Account> {
  const row = await tx.row<Account>(sql`
    insert into account (username, display_name, email, password_hash, role)
    values (${account.username}, ${account.displayName}, ${account.email}, ${account.passwordHash}, ${account.role})
    returning ${columns}`)
  if (!row) throw new Error('insert into account returned no row')
  return row
}

export const updateAccount = (
  tx: Transaction,
  id: number,
  change: {
    displayName?: string | undefined
    email?: string | null | undefined
    role?: Role | undefined
    active?: boolean | undefined
    passwordHash?: string | undefined
  },
): Promise<Account | undefined> =>
  tx.row<Account>(sql`
    update account set
      display_name = coalesce(${change.displayName ?? null}, display_name),
      email = case when ${change.email !== undefined} then ${change.email ?? null} else email end,
      role = coalesce(${change.role ?? null}, role),
      active = coalesce(${change.active ?? null}, active),
      password_hash = coalesce(${change.passwordHash ?? null}, password_hash)
    where id = ${id} returning ${columns}`)

/** Active administrators other than `id`; locks them, so that two removals cannot both be the last but one. */
export const countOtherAdministrators = async (tx: Transaction, id: number): Promise<number> =>
  (
    await tx.rows(
      sql`select id from account where role = 'administrator' and active and username <> ${syntheticUsername} order by id for update`,
    )
  ).filter((row) => (row as { id: number }).id !== id).length
