import { Problem } from '@dam/contract'
import type { OperatorRole } from '@dam/contract/ops-types'
import { hashPassword } from '@dam/platform/password'
import { recordAudit } from '../audit/audit.ts'
import type { Store } from '../store.ts'
import {
  countOtherAdministrators,
  findOperator,
  findOperatorByName,
  insertOperator,
  updateOperator,
  type Operator,
} from './operator-store.ts'
import { deleteSessions } from './operator-session-store.ts'

export type OperatorInput = {
  username: string
  password: string
  role: OperatorRole
  displayName?: string | undefined
  email?: string | undefined
}

/** Throws `already-exists` when the name is taken. */
export async function addOperator(
  store: Store,
  input: OperatorInput,
  deed: { who: string; now: Date },
): Promise<Operator> {
  const passwordHash = await hashPassword(input.password)
  return store.transaction(() => insertWithAudit(store, { ...input, passwordHash }, deed))
}

/** The part of adding an operator that belongs in a transaction. */
export function insertWithAudit(
  store: Store,
  input: Omit<OperatorInput, 'password'> & { passwordHash: string },
  { who, now }: { who: string; now: Date },
): Operator {
  if (findOperatorByName(store, input.username)) {
    throw new Problem('already-exists', `There is an operator ${input.username} already.`, {
      fields: { username: ['This name is taken.'] },
    })
  }
  const id = insertOperator(store, {
    username: input.username,
    displayName: input.displayName ?? '',
    email: input.email ?? '',
    passwordHash: input.passwordHash,
    role: input.role,
    now,
  })
  recordAudit(store, {
    who,
    action: 'operator.added',
    subject: `operator:${input.username}`,
    detail: { role: input.role },
    now,
  })
  return findOperator(store, id) as Operator
}

export type OperatorChange = {
  role?: OperatorRole | undefined
  active?: boolean | undefined
  password?: string | undefined
  displayName?: string | undefined
  email?: string | undefined
}

/** A new role or password, or a closed account, ends every session but `keepSession`. The last administrator stays one. */
export async function changeOperator(
  store: Store,
  id: number,
  change: OperatorChange,
  deed: { who: string; now: Date; keepSession: number | null },
): Promise<Operator> {
  const passwordHash = change.password === undefined ? undefined : await hashPassword(change.password)
  return store.transaction(() => {
    const operator = findOperator(store, id)
    if (!operator) throw new Problem('user-not-found', 'There is no such operator.')
    const loses = (change.role !== undefined && change.role !== 'administrator') || change.active === false
    if (
      loses &&
      operator.role === 'administrator' &&
      operator.active &&
      countOtherAdministrators(store, operator.id) === 0
    ) {
      throw new Problem('last-administrator', 'This is the last administrator. Make somebody else administrator first.')
    }
    updateOperator(store, {
      ...operator,
      role: change.role ?? operator.role,
      active: change.active ?? operator.active,
      displayName: change.displayName ?? operator.displayName,
      email: change.email ?? operator.email,
      passwordHash: passwordHash ?? operator.passwordHash,
    })
    if (change.role !== undefined || change.active === false || passwordHash !== undefined)
      deleteSessions(store, id, deed.keepSession)
    const { password, ...detail } = change
    recordAudit(store, {
      who: deed.who,
      action: 'operator.changed',
      subject: `operator:${operator.username}`,
      detail: { ...detail, ...(password === undefined ? {} : { password: 'changed' }) },
      now: deed.now,
    })
    return findOperator(store, id) as Operator
  })
}
