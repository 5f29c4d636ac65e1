import { ApiError } from '@dam/contract/client'
import { createOpsClient } from '@dam/contract/ops-client'
import type { OpsRouteName } from '@dam/contract/ops-routes'
import type { OpsRequestOf, OpsResponseOf, OpsSession, OperatorRole, OperatorView } from '@dam/contract/ops-types'
import { QueryClient, queryOptions } from '@tanstack/react-query'

export const api = createOpsClient()
export { ApiError }

const awayStatuses = new Set([0, 502, 503, 504])

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => failures < 3 && error instanceof ApiError && awayStatuses.has(error.status),
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 5000),
    },
  },
})

/**
 * A query of an endpoint that only reads. `topic` is what the server names when it has changed; the page is then read again.
 */
export const read = <N extends OpsRouteName>(topic: string, name: N, request: OpsRequestOf<N>) =>
  queryOptions({
    queryKey: [topic, name, request] as const,
    queryFn: async ({ signal }): Promise<OpsResponseOf<N>> => (await api(name, request, { signal })).data,
  })

export const sessionOptions = queryOptions({
  queryKey: ['session'] as const,
  queryFn: async ({ signal }): Promise<OpsSession> => (await api('getOpsSession', {}, { signal })).data,
  staleTime: Number.POSITIVE_INFINITY,
  // A shift begins and ends by itself, and with it what one may do.
  refetchInterval: 60_000,
})

const rank = { viewer: 0, operator: 1, administrator: 2 } as const

/** Only what the screen offers; the server decides. */
export const isAtLeast = (operator: OperatorView | null | undefined, role: OperatorRole): boolean =>
  operator ? rank[operator.role] >= rank[role] : false
