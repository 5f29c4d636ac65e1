import type { DrainBounds, DrainResult, FrontStatus, RouteClass } from './front-api.ts'

/** A request under way. */
export type Exchange = {
  slot: string
  tag: string
  routeClass: RouteClass
  isSynthetic: boolean
  /** Session or token; null for neither. */
  client: string | null
  method: string
  /** Without its query. */
  path: string
  /** Milliseconds of the monotonic clock. */
  startedAt: number
  /** When the last byte of the request was here; null before. */
  bodyEndedAt: number | null
  /** When the answer began; null before. */
  answeredAt: number | null
  /** Ends the request from our side, so that the client sees an ordinary end. Only streams have it. */
  end: (() => void) | null
  /** Of the answer, where it names one. */
  requestId: string | null
  /** Gives up on the answer. */
  giveUp: (() => void) | null
}

export type InFlightCounts = FrontStatus['inFlight']

/** What is under way here, and what the processes that this one replaced have reported. */
export type InFlight = {
  add(exchange: Exchange): void
  remove(exchange: Exchange): void
  all(): Iterable<Exchange>
  counts(): InFlightCounts
  total(): number
  /** Ends the event streams of a slot, or all. */
  endStreams(slot: string | null): void
  /** Latest report of a replaced process; an empty one when it is gone. */
  reported(by: object, counts: InFlightCounts): void
}

export function createInFlight(): InFlight {
  const exchanges = new Set<Exchange>()
  const reports = new Map<object, InFlightCounts>()
  const counts = (): InFlightCounts => {
    const found = new Map<string, InFlightCounts[number]>()
    const add = (slot: string, routeClass: RouteClass, count: number): void => {
      const key = `${slot} ${routeClass}`
      const entry = found.get(key)
      if (entry) entry.count += count
      else found.set(key, { slot, routeClass, count })
    }
    for (const { slot, routeClass } of exchanges) add(slot, routeClass, 1)
    for (const report of reports.values())
      for (const { slot, routeClass, count } of report) add(slot, routeClass, count)
    return [...found.values()]
  }
  return {
    add: (exchange) => exchanges.add(exchange),
    remove: (exchange) => exchanges.delete(exchange),
    all: () => exchanges,
    counts,
    total: () => counts().reduce((sum, { count }) => sum + count, 0),
    endStreams: (slot) => {
      for (const exchange of exchanges) if (slot === null || exchange.slot === slot) exchange.end?.()
    },
    reported: (by, report) => {
      if (report.length === 0) reports.delete(by)
      else reports.set(by, report)
    },
  }
}

const lookEveryMs = 25

/** Ends the slot's streams and waits for each class of request as long as its bound; `left` is what is still under way then. */
export async function drainSlot(inFlight: InFlight, slot: string, bounds: DrainBounds): Promise<DrainResult> {
  const startedAt = performance.now()
  const now = (): { routeClass: RouteClass; count: number }[] =>
    inFlight
      .counts()
      .filter((entry) => entry.slot === slot)
      .map(({ routeClass, count }) => ({ routeClass, count }))
  inFlight.endStreams(slot)
  for (;;) {
    const left = now()
    const tookMs = Math.round(performance.now() - startedAt)
    if (left.every(({ routeClass }) => tookMs >= bounds[routeClass]))
      return { drained: left.length === 0, left, tookMs }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
    // One that began its answer only now.
    inFlight.endStreams(slot)
  }
}
