/**
 * What the front process of an environment says and hears on its control socket (`run/front.sock`, HTTP with JSON bodies):
 * `GET /status` → FrontStatus · `PUT /pointer` {pointer} → FrontStatus, 409 when its token is older than one seen ·
 * `POST /drain` {slot} → DrainResult once nothing is in flight there or the bounds are over · `POST /replace` {entry, cwd} → {pid} ·
 * `GET /outcomes?after=<seq>` → Outcomes.
 */
export type Upstream = { slot: string; tag: string; port: number }

export type Pointer = {
  environment: string
  /** Of the deployment that wrote it; older ones are refused. */
  fencingToken: number
  active: Upstream | null
  /** Still gets the sessions it had, as the live control of a bake. */
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
  connections: number
  inFlight: { slot: string; routeClass: RouteClass; count: number }[]
}

export type DrainResult = { drained: boolean; left: { routeClass: RouteClass; count: number }[]; tookMs: number }

/** Requests that ended within one second, by slot. Every request counts in `total` and in at most one of bad, clientError, throttled, aborted. */
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
  /** Milliseconds until the answer began, by upper bound of `latencyBoundsMs`; the last counts what is above all. */
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
