import type { Store } from '../store.ts'
import { acquireLease, advanceToken, assertHolding, LeaseError, releaseLease, renewLease } from './lease-store.ts'

const heartbeatMs = 5_000

/** The lease of an environment while this process works on it. */
export type HeldLease = Disposable & {
  readonly token: number
  /** Aborts when the lease was lost. */
  readonly lost: AbortSignal
  /** A transaction that is refused, with LeaseError, once somebody else has the lease. */
  transaction<T>(work: () => T): T
  /** Only inside `transaction`. */
  nextToken(): number
}

/** Takes the lease and renews it until disposed. Throws LeaseError that says who has it. */
export function holdLease(
  store: Store,
  options: { environment: string; who: string; purpose: string; now: () => Date },
): HeldLease {
  const { environment, now } = options
  let token = acquireLease(store, { ...options, now: now() })
  const lost = new AbortController()
  const beat = setInterval(() => {
    if (!renewLease(store, environment, token, now())) {
      lost.abort(new LeaseError(`The lock of ${environment} was taken over; this process stops.`))
    }
  }, heartbeatMs)
  beat.unref()
  return {
    get token() {
      return token
    },
    lost: lost.signal,
    transaction: (work) => {
      const before = token
      try {
        return store.transaction(() => {
          assertHolding(store, environment, token)
          return work()
        })
      } catch (error) {
        token = before
        throw error
      }
    },
    nextToken: () => (token = advanceToken(store, environment, token)),
    [Symbol.dispose]: () => {
      clearInterval(beat)
      releaseLease(store, environment, token)
    },
  }
}
