import type { ProblemBody, ProblemCode } from './problem.ts'
import { apiBase, routes, type RouteName } from './routes.ts'
import type { RequestOf, ResponseOf } from './types.ts'

/** The server answered with a problem, or could not be reached (`code: 'unreachable'`, status 0). */
export class ApiError extends Error {
  readonly status: number
  readonly code: ProblemCode | 'unreachable'
  readonly details: Record<string, unknown>
  readonly fields: Record<string, string[]>
  readonly requestId: string | null

  constructor(status: number, body: Partial<ProblemBody> & Record<string, unknown>) {
    super(body.detail ?? `The server answered ${status}.`)
    this.name = 'ApiError'
    this.status = status
    this.code = body.error?.code ?? (status === 0 ? 'unreachable' : 'internal-error')
    this.details = body.error?.details ?? {}
    this.requestId = body.error?.request_id ?? null
    this.fields = Object.fromEntries(
      Object.entries(body).filter((entry): entry is [string, string[]] => Array.isArray(entry[1])),
    )
  }
}

export type CallOptions = { headers?: Record<string, string>; signal?: AbortSignal }
export type Answer<T> = { data: T; etag: string | null; location: string | null; status: number }

export type Client = <N extends RouteName>(
  name: N,
  request: RequestOf<N>,
  options?: CallOptions,
) => Promise<Answer<ResponseOf<N>>>

type Routes = Record<string, { method: string; path: string }>

/** Path with query of a route of some API. */
function pathIn(
  base: string,
  route: { path: string },
  params: Record<string, unknown> = {},
  query: Record<string, unknown> = {},
): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(String(params[key])))
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== null) search.set(key, String(value))
  return `${base}${path}${search.size > 0 ? `?${search}` : ''}`
}

/** Path with query of one endpoint, for links and for clients other than `createClient`. */
export function pathOf(
  name: RouteName,
  params: Record<string, unknown> = {},
  query: Record<string, unknown> = {},
): string {
  return pathIn(apiBase, routes[name], params, query)
}

export type ClientOptions = { baseUrl?: string; fetch?: typeof fetch; headers?: Record<string, string> }

/** A client typed by the contract. Throws `ApiError`. */
export const createClient = (options: ClientOptions = {}): Client => createClientOf(apiBase, routes, options) as Client

/** A client of the API whose routes these are; the caller states its type. */
export function createClientOf(base: string, table: Routes, options: ClientOptions) {
  const send = options.fetch ?? fetch
  return async (name: string, request: unknown, call: CallOptions = {}): Promise<Answer<unknown>> => {
    const route = table[name]
    if (!route) throw new Error(`There is no route ${name}.`)
    const { params, query, body } = request as {
      params?: Record<string, unknown>
      query?: Record<string, unknown>
      body?: unknown
    }
    let response: Response
    try {
      response = await send((options.baseUrl ?? '') + pathIn(base, route, params, query), {
        method: route.method,
        headers: {
          Accept: 'application/json',
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...options.headers,
          ...call.headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(call.signal ? { signal: call.signal } : {}),
      })
    } catch (error) {
      if (call.signal?.aborted) throw error
      throw new ApiError(0, { detail: 'The server cannot be reached. Check the connection and try again.' })
    }
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    const data: unknown = isJson && text ? JSON.parse(text) : undefined
    if (!response.ok)
      throw new ApiError(response.status, (data ?? {}) as Partial<ProblemBody> & Record<string, unknown>)
    return {
      data,
      etag: response.headers.get('etag'),
      location: response.headers.get('location'),
      status: response.status,
    }
  }
}
