import { createHash } from 'node:crypto'
import type { Store } from '../store.ts'

/** Who vouches, and how sure we are of it. */
export type Voucher = {
  name: string
  /** False: nobody is registered as an operator, so the name is only claimed. */ isAuthenticated: boolean
}

/**
 * The person behind `--by`. Where operators are registered it must be an active operator or administrator whose token this is;
 * where there are none, the name is taken as claimed and the record says so. Throws, saying what to do.
 */
export function identifyVoucher(store: Store, given: { by: string; token: string | null }, now: Date): Voucher {
  const by = given.by.trim()
  if (by === '') throw new Error('Say who decides this: --by <name>.')
  if (store.row('select 1 from operator limit 1') === undefined) return { name: by, isAuthenticated: false }
  const operator = store.row<{ id: number; username: string; email: string; role: string; active: number }>(
    "select id, username, email, role, active from operator where lower(username) = lower(?) or (email <> '' and lower(email) = lower(?))",
    by,
    by,
  )
  if (!operator || operator.active !== 1) {
    throw new Error(`There is no active operator "${by}". --by must be one of the people of the console.`)
  }
  if (operator.role !== 'operator' && operator.role !== 'administrator') {
    throw new Error(
      `${operator.username} may look but not decide (role ${operator.role}). Ask an operator or administrator.`,
    )
  }
  if (given.token === null)
    throw new Error(`Prove to be ${operator.username}: --token <token>, made by them in the console.`)
  const session = store.row(
    `select 1 from operator_session where token_hash = ? and operator_id = ? and kind = 'token' and expires_at > ?`,
    createHash('sha256').update(given.token).digest('hex'),
    operator.id,
    now.toISOString(),
  )
  if (!session) throw new Error(`This is no valid token of ${operator.username}. They can make one in the console.`)
  return { name: operator.username, isAuthenticated: true }
}

/** Every name one person goes by: as written, and for an operator also username, display name and address. */
export function namesOf(store: Store, person: string): string[] {
  const operator = store.row<{ username: string; display_name: string; email: string }>(
    "select username, display_name, email from operator where lower(username) = lower(?) or (email <> '' and lower(email) = lower(?))",
    person.trim(),
    person.trim(),
  )
  const names = operator ? [person, operator.username, operator.display_name, operator.email] : [person]
  return names.filter((name) => name.trim() !== '')
}

/** Whether two sets of names have one person in common: equal without case, or the one is the local part of the other's address. */
export function areSamePerson(names: readonly string[], others: readonly string[]): boolean {
  const spelled = new Set(names.flatMap(spellings))
  return others.flatMap(spellings).some((name) => spelled.has(name))
}

function spellings(name: string): string[] {
  const text = name.trim().toLowerCase().replace(/\s+/g, ' ')
  const address = /<([^<>]+)>$/.exec(text)?.[1] ?? (text.includes('@') ? text : null)
  const shown = text.replace(/\s*<[^<>]*>$/, '')
  return [shown, ...(address ? [address, address.split('@')[0] ?? ''] : [])].filter((one) => one !== '')
}
