import type { Session, User } from '@dam/contract/types'
import { queryOptions } from '@tanstack/react-query'
import { api } from './api.ts'

export const sessionOptions = queryOptions({
  queryKey: ['session'] as const,
  queryFn: async ({ signal }): Promise<Session> => (await api('getSession', {}, { signal })).data,
  staleTime: Number.POSITIVE_INFINITY,
})

const rank = { viewer: 0, editor: 1, administrator: 2 } as const

/** Only what the screen offers; the server decides. */
export function isAtLeast(user: User | null | undefined, role: User['role']): boolean {
  return user ? rank[user.role] >= rank[role] : false
}
