import { setTimeout as sleep } from 'node:timers/promises'
import { recordAudit } from '../audit/audit.ts'
import type { Pointer, Upstream } from '../front/front-api.ts'
import { setVerdict } from '../releases/release-store.ts'
import type { Slot } from './deployment.ts'
import { rolledBackMessage, succeededMessage } from './messages.ts'
import { readPointer, writePointer } from './pointer-store.ts'
import { requireSlot } from './start-steps.ts'
import { findSlot, isInUse, listSlots, setDesired } from './slot-store.ts'
import { type Step, type StepContext, StepFailure } from './step.ts'

export const upstreamOf = ({ id, tag, port }: Slot): Upstream => ({ slot: id, tag, port })

/** Writes where requests should go, under a token of its own. Call inside the transaction of the lease. */
export function point(
  { deps, lease, deployment }: StepContext,
  to: Omit<Pointer, 'environment' | 'fencingToken'>,
): void {
  const pointer = { environment: deployment.environment, fencingToken: lease.nextToken(), ...to }
  writePointer(deps.store, pointer, deps.now())
}

/** Makes the front route as the store says. Throws when it does not agree in time. */
export async function agreeFront({ deps, deployment }: Pick<StepContext, 'deps' | 'deployment'>): Promise<void> {
  const deadline = performance.now() + deps.policy.frontWithinMs
  for (;;) {
    // Read anew each time: a rollback may have pointed elsewhere.
    const pointer = readPointer(deps.store, deployment.environment)
    if (!pointer) return
    try {
      const status = await deps.front.switchTo(pointer)
      if (status.pointer.fencingToken >= pointer.fencingToken) return
    } catch (error) {
      if (performance.now() > deadline) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new StepFailure(`${reason}. See ./dam host status.`)
      }
    }
    await sleep(50)
  }
}

/** warm → cut-over: the store says so first; the front is told next and, if it is dead now, reads it when it is back. */
export const cutOverStep: Step = {
  name: 'cut over',
  onFailure: 'unwind',
  run: (context) => {
    const { deps, deployment } = context
    const fresh = requireSlot(context, deployment.data.newSlot)
    const old = deployment.data.oldSlot == null ? undefined : findSlot(deps.store, deployment.data.oldSlot)
    const maintenance = readPointer(deps.store, deployment.environment)?.maintenance ?? null
    const control =
      old && isInUse(old) ? { upstream: upstreamOf(old), sharePercent: deps.policy.controlSharePercent } : null
    return Promise.resolve({
      state: 'cut-over' as const,
      message: `${fresh.tag} is what the front routes to`,
      also: () =>
        point(context, {
          active: upstreamOf(fresh),
          control,
          maintenance: deployment.data.oldSlot ? maintenance : null,
        }),
    })
  },
}

/** cut-over → baking: requests, then jobs. */
export const switchStep: Step = {
  name: 'switch',
  onFailure: 'roll-back',
  run: async (context) => {
    const { deps, deployment, lease } = context
    await agreeFront(context)
    const cutOverAt = deps.now()
    const { newSlot, oldSlot } = deployment.data
    const control = oldSlot
      ? `${deps.policy.controlSharePercent} % of the sessions stay on ${deployment.previousTag ?? oldSlot}`
      : 'nothing served before'
    return {
      state: 'baking',
      message: control,
      data: {
        cutOverAt: cutOverAt.toISOString(),
        bakeEndsAt: new Date(cutOverAt.getTime() + deps.policy.bake.bakeMs).toISOString(),
      },
      also: () => {
        if (newSlot) setDesired(deps.store, newSlot, { desiredWorker: 'running' }, lease.token)
        if (oldSlot) setDesired(deps.store, oldSlot, { desiredWorker: 'stopped' }, lease.token)
      },
    }
  },
}

/** baking, decided as good → good: everybody on the new release, the old processes end when their last request has. */
export const finishStep: Step = {
  name: 'finish',
  onFailure: 'retry',
  run: async (context) => {
    const { deps, deployment, lease } = context
    const fresh = requireSlot(context, deployment.data.newSlot)
    const old = deployment.data.oldSlot ? findSlot(deps.store, deployment.data.oldSlot) : undefined
    lease.transaction(() => {
      const { maintenance = null } = readPointer(deps.store, deployment.environment) ?? {}
      // A share of 0: pages loaded from the old release still find their files while it drains.
      const control = old && isInUse(old) ? { upstream: upstreamOf(old), sharePercent: 0 } : null
      point(context, { active: upstreamOf(fresh), control, maintenance })
    })
    await agreeFront(context)
    lease.transaction(() => {
      const { maintenance = null } = readPointer(deps.store, deployment.environment) ?? {}
      point(context, { active: upstreamOf(fresh), control: null, maintenance })
    })
    await agreeFront(context)
    await retireOthers(context, fresh.id)
    return {
      state: 'good',
      isEnded: true,
      because: deployment.because,
      message: deployment.because,
      also: () => {
        const now = deps.now()
        setVerdict(deps.store, {
          digest: deployment.digest,
          verdict: 'good',
          because: `baked on ${deployment.environment}: ${deployment.because}`,
          now,
        })
        recordAudit(deps.store, { who: deps.who, action: 'deploy.good', subject: `deployment:${deployment.id}`, now })
        deps.notify(succeededMessage(deployment, now), 'succeeded')
      },
    }
  },
}

/** rolling-back → rolled-back: the pointer is in the store already; the front follows, then the jobs. */
export const restoreStep: Step = {
  name: 'restore traffic',
  onFailure: 'retry',
  run: async (context) => {
    const { deps, deployment, lease } = context
    await agreeFront(context)
    const restoredAt = deps.now()
    const { stamps = {} } = deployment.data
    const seconds = stamps.decidedAt ? (restoredAt.getTime() - Date.parse(stamps.decidedAt)) / 1000 : 0
    const [back, away] = sidesOf(context)
    return {
      state: 'rolled-back',
      message: `${seconds.toFixed(2)} s after the decision`,
      data: { stamps: { ...stamps, restoredAt: restoredAt.toISOString() }, restoreSeconds: seconds },
      also: () => {
        if (back) setDesired(deps.store, back, { desiredWorker: 'running' }, lease.token)
        if (away) setDesired(deps.store, away, { desiredWorker: 'stopped' }, lease.token)
        deps.notify(rolledBackMessage(deployment, restoredAt), 'rolled-back')
      },
    }
  },
}

/** Slot that serves after a rollback, and the one that does not any more. */
export const sidesOf = ({ deployment }: Pick<StepContext, 'deployment'>): [string | null, string | null] => {
  const { newSlot = null, oldSlot = null } = deployment.data
  return deployment.kind === 'rollback' ? [newSlot, oldSlot] : [oldSlot, newSlot]
}

/** Ends every slot of the environment but `kept`, each after its last request. */
export async function retireOthers(context: StepContext, kept: string | null): Promise<void> {
  const { deps, deployment, lease, note } = context
  for (const slot of listSlots(deps.store, deployment.environment)) {
    if (slot.id === kept || !isInUse(slot)) continue
    if (slot.desiredWeb === 'running' && (slot.observed?.web.pid ?? null) !== null) {
      const { drained, left, tookMs } = await deps.front.drain(slot.id)
      const rest = left.map(({ routeClass, count }) => `${count} ${routeClass}`).join(', ')
      note(`${slot.id} drained in ${(tookMs / 1000).toFixed(1)} s${drained ? '' : `, cutting off ${rest}`}`)
    }
    lease.transaction(() =>
      setDesired(deps.store, slot.id, { desiredWeb: 'stopped', desiredWorker: 'stopped' }, lease.token),
    )
  }
}
