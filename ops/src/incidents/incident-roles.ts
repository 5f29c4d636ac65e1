import type { Store } from '../store.ts'
import { addIncidentEvent, listIncidentEvents } from './incident-store.ts'

export const roles = ['commander', 'scribe'] as const
export type Role = (typeof roles)[number]
export const isRole = (text: string): text is Role => roles.some((role) => role === text)

/** The newest assignment of a role counts; the time line keeps the earlier ones. */
export const assignRole = (
  store: Store,
  incidentId: number,
  assignment: { role: Role; person: string; who: string; now: Date },
): void =>
  addIncidentEvent(store, incidentId, {
    kind: 'role',
    who: assignment.who,
    message: `${assignment.person} is ${assignment.role}`,
    detail: { role: assignment.role, person: assignment.person },
    now: assignment.now,
  })

export const listRoles = (store: Store, incidentId: number): Map<string, string> =>
  new Map(
    listIncidentEvents(store, incidentId)
      .filter(({ kind }) => kind === 'role')
      .map(({ detail }) => detail as { role: string; person: string })
      .map(({ role, person }) => [role, person] as const),
  )
