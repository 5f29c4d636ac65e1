import { ApiError, createClient } from '@dam/contract/client'
import { fetchOrEarly } from './early-requests.ts'
import { reportReachable, reportUnreachable } from './connection.ts'

/** A gateway in front of a stopped server answers these without a problem body. */
const gatewayStatuses = new Set([502, 504])

const observedFetch: typeof fetch = async (input, init) => {
  try {
    const response = await fetchOrEarly(input, init)
    if (gatewayStatuses.has(response.status)) reportUnreachable()
    else reportReachable()
    return response
  } catch (error) {
    if (!init?.signal?.aborted) reportUnreachable()
    throw error
  }
}

export const api = createClient({ fetch: observedFetch })

export { ApiError }

export function isCode(error: unknown, ...codes: ApiError['code'][]): error is ApiError {
  return error instanceof ApiError && codes.includes(error.code)
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
