import type { OperatorRole } from '@dam/contract/ops-types'
import type { Store } from '../store.ts'

export type Operator = {
  id: number
  username: string
  displayName: string
  email: string
  passwordHash: string
  role: OperatorRole
  active: boolean
  createdAt: string
}

const columns = `id, username, display_name as "displayName", email, password_hash as "passwordHash", role, active,
  created_at as "createdAt"`
type Row = Omit<Operator, 'active'> & { active: number }
const present = (row: Row): Operator => ({ ...row, active: row.active === 1 })
const optional = (row: Row | undefined): Operator | undefined => row && present(row)

export const hasOperators = (store: Store): boolean => store.row('select 1 from operator limit 1') !== undefined

export const findOperator = (store: Store, id: number): Operator | undefined =>
  optional(store.row<Row>(`select ${columns} from operator where id = ?`, id))

export const findOperatorByName = (store: Store, username: string): Operator | undefined =>
  optional(store.row<Row>(`select ${columns} from operator where lower(username) = lower(?)`, username))

export const listOperators = (store: Store): Operator[] =>
  store.rows<Row>(`select ${columns} from operator order by lower(username)`).map(present)

export const insertOperator = (
  store: Store,
  operator: Pick<Operator, 'username' | 'displayName' | 'email' | 'passwordHash' | 'role'> & { now: Date },
): number =>
  store.insert(
    'insert into operator (username, display_name, email, password_hash, role, created_at) values (?, ?, ?, ?, ?, ?)',
    operator.username,
    operator.displayName,
    operator.email,
    operator.passwordHash,
    operator.role,
    operator.now.toISOString(),
  )

export function updateOperator(store: Store, operator: Operator): void {
  store.run(
    'update operator set display_name = ?, email = ?, password_hash = ?, role = ?, active = ? where id = ?',
    operator.displayName,
    operator.email,
    operator.passwordHash,
    operator.role,
    operator.active ? 1 : 0,
    operator.id,
  )
}

export const countOtherAdministrators = (store: Store, id: number): number =>
  store.row<{ count: number }>(
    `select count(*) as count from operator where role = 'administrator' and active = 1 and id <> ?`,
    id,
  )?.count ?? 0
