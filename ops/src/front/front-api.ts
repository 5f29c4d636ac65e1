/**
 * What the front process of an environment says and hears on its control socket (`run/front.sock`, HTTP with JSON bodies):
 * `GET /status` → FrontStatus · `PUT /pointer` {pointer} → FrontStatus, 409 when its token is older than one seen ·
 * `POST /drain` {slot, boundsMs?} → DrainResult once nothing is in flight there or the bounds are over, 409 while it is routed to ·
 * `POST /replace` {entry, cwd, program?} → {pid} once the new process serves · `GET /outcomes?after=<seq>&from=<second>` → Outcomes.
 * A refusal is {error}.
 */
export type Upstream = { slot: string; tag: string; port: number }

export type Pointer = {
  environment: string
  /** Of the deployment that wrote it; older ones are refused. */
  fencingToken: number
  active: Upstream | null
  /**
   * Still gets the sessions it had, as the live control of a bake. With a share of 0 it is asked only for the hashed files that the
   * active release does not have, so that pages loaded from it still find theirs.
   */
  control: { upstream: Upstream; sharePercent: number } | null
  /** Answered by the front itself: read-only lets safe methods through, full answers everything with the page. */
  maintenance: { mode: 'read-only' | 'full'; reason: string; until: string | null } | null
}

/** What a request is waited for when its slot is drained: page 10 s, api 30 s, upload 120 s; streams are told to reconnect. */
export type RouteClass = 'page' | 'api' | 'upload' | 'render' | 'stream'

export type FrontStatus = {
  pid: number
  startedAt: string
  pointer: Pointer
  /** Why the pointer could not be read at the start; then nothing is active until one is written. */
  pointerProblem: string | null
  /** Open connections of clients. */
  connections: number
  /** Errors of the front itself since its start; each is in its log. */
  unexpectedErrors: number
  /** Of this process and of those it replaced that still finish what they have. */
  inFlight: { slot: string; routeClass: RouteClass; count: number }[]
}

/** How long a drain waits for each class, milliseconds. */
export type DrainBounds = Record<RouteClass, number>

export const usualDrainBounds: DrainBounds = {
  page: 10_000,
  api: 30_000,
  render: 30_000,
  upload: 120_000,
  // What is left of them after they were ended: their last bytes on the way.
  stream: 10_000,
}

export type DrainResult = { drained: boolean; left: { routeClass: RouteClass; count: number }[]; tookMs: number }

/** The slot of what the front answers itself. */
export const frontSlot = 'front'

/**
 * Requests that ended within one second (event streams: began), by slot. Every request counts in `total` and in at most one of
 * bad, clientError, throttled, aborted, refused.
 */
export type OutcomeBucket = {
  /** Unix seconds. */
  second: number
  slot: string
  tag: string
  routeClass: RouteClass
  /** Health probes and journeys of ours, marked with the environment's secret. */
  isSynthetic: boolean
  total: number
  /** 5xx, or no answer. */
  bad: number
  /** Answered, but slower than 2 s (uploads and renders: their own budget). */
  slow: number
  /** 4xx but 429. */
  clientError: number
  /** 429. */
  throttled: number
  /** The client left first (499). */
  aborted: number
  /**
   * Of `bad` and of `slow`: those of a client (session or token) whose last answer on the same path was of that kind too, within five
   * minutes. One broken page that asks fifty times is one observation to the judge. Absent: not told apart.
   */
  repeatedBad?: number
  repeatedSlow?: number
  /** Answered 503 by the front because of maintenance; slot is `front`. Absent: none. */
  refused?: number
  /**
   * Milliseconds from the end of the request's body until the answer began, of what was answered, by upper bound of `latencyBoundsMs`;
   * the last counts what is above all.
   */
  latency: number[]
}

export const latencyBoundsMs = [10, 25, 50, 100, 250, 500, 1000, 2000, 5000, 10_000] as const

export type BadRequest = {
  at: string
  slot: string
  tag: string
  method: string
  /** Without its query. */
  path: string
  /** 0: no answer. */
  status: number
  durationMs: number
  requestId: string | null
}

/** `seq` grows with every change; ask with it to get only buckets that changed since. An hour is kept. */
export type Outcomes = { seq: number; buckets: OutcomeBucket[]; badRequests: BadRequest[] }
