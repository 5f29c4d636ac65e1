import { verifyPassword } from '@dam/platform/password'
import { isAtLeast } from '../people/authenticate.ts'
import { findPrincipal } from '../people/operator-session-store.ts'
import { hasOperators, listOperators, type Operator } from '../people/operator-store.ts'
import type { Store } from '../store.ts'

/** Who vouches, and how sure we are of it. */
export type Voucher = {
  name: string
  /** False: nobody is registered as an operator, so the name is only claimed. */
  isAuthenticated: boolean
}

/** How an operator proves to be themselves: a token of theirs, or their password, asked for when it is needed. */
export type Proof = { token: string } | { askPassword: (username: string) => Promise<string> }

/** Follows a name that nobody has proved. */
export const claimedNote = ' (name as claimed, no operators are registered)'

export const voucherText = ({ name, isAuthenticated }: Voucher): string =>
  isAuthenticated ? name : `${name}${claimedNote}`

/**
 * The person behind `--by`. Where operators are registered it must be an active operator or administrator who proves it; where
 * there are none, the name is taken as claimed and the record says so. Throws, saying what to do.
 */
export async function identifyVoucher(store: Store, given: { by: string; proof: Proof }, now: Date): Promise<Voucher> {
  const by = given.by.trim()
  if (by === '') throw new Error('Say who decides this: --by <name>.')
  if (!hasOperators(store)) return { name: by, isAuthenticated: false }
  const operator = operatorCalled(store, by)
  if (!operator?.active) {
    throw new Error(`There is no active operator "${by}". --by must be one of the people of ./dam operator list.`)
  }
  const { username, role } = operator
  if (!isAtLeast(role, 'operator')) {
    throw new Error(`${username} may look but not decide (role ${role}). Ask an operator or administrator.`)
  }
  if (!(await isProved(store, operator, given.proof, now))) {
    throw new Error(`This does not prove to be ${username}. Their token (./dam operator token) or password does.`)
  }
  return { name: username, isAuthenticated: true }
}

async function isProved(store: Store, operator: Operator, proof: Proof, now: Date): Promise<boolean> {
  if ('token' in proof) {
    const principal = findPrincipal(store, proof.token, now)
    return principal?.id === operator.id && principal.kind === 'token'
  }
  return verifyPassword(await proof.askPassword(operator.username), operator.passwordHash)
}

function operatorCalled(store: Store, name: string): Operator | undefined {
  const wanted = name.trim().toLowerCase()
  return listOperators(store).find(({ username, email }) =>
    [username, email].some((one) => one !== '' && one.toLowerCase() === wanted),
  )
}

/** Every name one person goes by: as written, and for an operator also username, display name and address. */
export function namesOf(store: Store, person: string): string[] {
  const operator = operatorCalled(store, person)
  const names = operator ? [person, operator.username, operator.displayName, operator.email] : [person]
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
