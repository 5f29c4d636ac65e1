import type { OperatorRole } from '@dam/contract/ops-types'
import { recordAudit } from '../audit/audit.ts'
import type { Principal } from '../people/operator-session-store.ts'
import type { Policy } from '../policy/policy.ts'
import type { Store } from '../store.ts'
import { readSchedule } from './oncall-store.ts'
import { onCall } from './schedule.ts'

export type Shift = { as: 'primary' | 'secondary'; until: string | null; raises: boolean }

type Person = Pick<Principal, 'username' | 'role' | 'kind'>

/** The shift of somebody who is on call at this moment: the operator's name is the id of a person of the policy. */
export function findShift(store: Store, policy: Policy, person: Person, now: Date): Shift | null {
  if (!policy.people.some(({ id }) => id === person.username)) return null
  const { primary, secondary, until } = onCall(readSchedule(store, policy, now), now)
  const as = primary === person.username ? 'primary' : secondary === person.username ? 'secondary' : null
  // A token keeps its owner's own role: whatever holds it is not the person who was called.
  return as && { as, until, raises: person.role === 'viewer' && person.kind === 'browser' }
}

/**
 * What somebody may do at this moment: their own role, and while they are on call at least an operator's. The first use of a shift's
 * rights is on record.
 */
export function roleInShift(store: Store, policy: Policy, person: Person, now: Date): OperatorRole {
  if (person.role !== 'viewer' || person.kind !== 'browser') return person.role
  const shift = findShift(store, policy, person, now)
  if (!shift?.raises) return person.role
  const subject = `${shift.as} until ${shift.until ?? 'further notice'}`
  store.transaction(() => {
    const isKnown = store.row(
      `select 1 from audit where action = 'shift.rights' and who = ? and subject = ? limit 1`,
      person.username,
      subject,
    )
    if (!isKnown)
      recordAudit(store, { who: person.username, action: 'shift.rights', subject, detail: { role: 'operator' }, now })
  })
  return 'operator'
}
