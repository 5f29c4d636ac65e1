import type { ResponseOf } from '@dam/contract/types'
import { queryOptions } from '@tanstack/react-query'
import { api } from './api.ts'

type Maintenance = ResponseOf<'getMaintenance'>
export type MaintenanceWindow = NonNullable<Maintenance['current']>

/** Asked once a minute: a window is told days ahead, and whoever writes during one learns it from the answer. */
export const maintenanceOptions = queryOptions({
  queryKey: ['maintenance'] as const,
  queryFn: async ({ signal }): Promise<Maintenance> => (await api('getMaintenance', {}, { signal })).data,
  refetchInterval: 60_000,
  staleTime: 30_000,
  retry: false,
})
