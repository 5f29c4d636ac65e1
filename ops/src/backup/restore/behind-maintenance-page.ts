import { setTimeout as sleep } from 'node:timers/promises'
import { holdLease } from '../../deployments/held-lease.ts'
import { readPointer, writePointer } from '../../deployments/pointer-store.ts'
import { type FrontClient, FrontUnreachable } from '../../front/front-client.ts'
import type { Pointer } from '../../front/front-api.ts'
import { assertNoDeployment, type Switch } from '../../maintenance/switch-environment.ts'

/** What is written from here on would be lost with the database that is replaced, so nothing is taken on. */
const reason = 'A backup is being restored'

/**
 * Runs `work` while the front of the environment answers 503 with the reason, after requests in flight have ended, and under the
 * environment's lock. The page goes when `work` is done or has changed nothing (it threw); it stays when `work` resolves with `stays`.
 * Killed in between, it stays until the next restore or a person lifts it. Where there is no front or nothing is served, `work` just runs.
 */
export async function behindMaintenancePage<T extends { stays: boolean }>(
  place: Switch & { drainMs?: number },
  work: () => Promise<T>,
): Promise<T> {
  const { store, environment, front, who, now } = place
  if (environment.isLocal || !front) return work()
  assertNoDeployment(store, environment)
  // A front that does not run lets nobody in; the keeper starts it with the pointer as it is then.
  const isRunning = await front.status().then(
    () => true,
    (error: unknown) => {
      if (error instanceof FrontUnreachable) return false
      throw error
    },
  )
  using lease = holdLease(store, { environment: environment.name, who, purpose: 'restores a backup', now })
  const before = readPointer(store, environment.name)
  if (!before?.active || !isRunning) return work()
  const show = async (maintenance: Pointer['maintenance']): Promise<void> => {
    const pointer = lease.transaction(() => {
      const next = { ...before, fencingToken: lease.nextToken(), maintenance }
      writePointer(store, next, now())
      return next
    })
    await front.switchTo(pointer)
  }
  let stays = false
  try {
    await show({ mode: 'full', reason, until: null })
    await untilQuiet(front, place.drainMs ?? 10_000)
    const result = await work()
    stays = result.stays
    return result
  } finally {
    if (!stays) await show(before.maintenance?.reason === reason ? null : before.maintenance)
  }
}

/** Streams never end by themselves, and what is in flight too long is cut with its connection to the database: an error, not a loss. */
async function untilQuiet(front: FrontClient, withinMs: number): Promise<void> {
  for (const until = performance.now() + withinMs; performance.now() < until; await sleep(50)) {
    const { inFlight } = await front.status()
    if (!inFlight.some(({ routeClass, count }) => routeClass !== 'stream' && count > 0)) return
  }
}
