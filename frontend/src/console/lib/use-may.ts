import type { OperatorRole } from '@dam/contract/ops-types'
import { useQuery } from '@tanstack/react-query'
import { isAtLeast, sessionOptions } from './api.ts'

/** Whether the person at the screen may do what needs this role. */
export function useMay(role: OperatorRole): boolean {
  return isAtLeast(useQuery(sessionOptions).data?.operator, role)
}
