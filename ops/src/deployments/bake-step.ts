import { setTimeout as sleep } from 'node:timers/promises'
import { openIncident } from '../incidents/incident-store.ts'
import { nextLookOverBoundMs } from '../judge/bake-policy.ts'
import { readSyntheticSecret } from '../environments/synthetic-secret.ts'
import { type Look, watchRelease } from '../judge/watch-release.ts'
import { getDeployment } from './deployment-store.ts'
import { newestSecond, onlyNewSeconds } from './judge-trace.ts'
import { waitingMessage } from './messages.ts'
import { getRelease } from '../releases/release-store.ts'
import { requireDatabase } from './prepare-steps.ts'
import { decideRollback } from './roll-back.ts'
import { findSlot, isInUse } from './slot-store.ts'
import { requireSlot } from './start-steps.ts'
import type { Step, StepContext, StepResult } from './step.ts'
import { verifyRelease } from './verify-release.ts'

const alarmEveryMs = 250
/** Of the trace in an incident that every look opens anew; the deployment has all of it. */
const evidenceSeconds = 60

/** baking → baking (decided as good), rolling-back or waiting-for-person: the judge looks until it knows. */
export const bakeStep: Step = {
  name: 'bake',
  onFailure: 'roll-back',
  run: async (context) => {
    const { deps, deployment } = context
    const fresh = requireSlot(context, deployment.data.newSlot)
    const old = deployment.data.oldSlot ? findSlot(deps.store, deployment.data.oldSlot) : undefined
    const cutOverAt = new Date(deployment.data.cutOverAt ?? deployment.updatedAt)
    const controlSlot = old && isInUse(old) ? old.id : null
    using watch = watchRelease({
      front: deps.front,
      readSlot: (id) => findSlot(deps.store, id),
      freshSlot: fresh.id,
      controlSlot,
      cutOverAt,
      connectionString: requireDatabase(context),
      syntheticSecret: readSyntheticSecret(deps.environment.runDir),
      policy: deps.policy.bake,
      databaseOutages: deployment.data.databaseOutages ?? [],
    })
    let endsAt = new Date(deployment.data.bakeEndsAt ?? cutOverAt.getTime() + deps.policy.bake.bakeMs)
    let isToppedUp = deployment.data.isExtended ?? false
    const own: { journeys: Promise<void> | null } = { journeys: null }
    let hasWaited = false
    let recordedUntil = 0
    let outageUntil = deployment.data.databaseOutages?.at(-1)?.until
    const topUp = (): void => {
      own.journeys ??= deps
        .topUp()
        .catch((error: unknown) => context.note(`a journey of our own failed: ${String(error)}`))
        .finally(() => (own.journeys = null))
    }
    for (;;) {
      const wish = getDeployment(deps.store, deployment.id).data.rollback
      if (wish) return decideRollback(context, wish, deps.now())
      if (isToppedUp) topUp()
      const now = deps.now()
      const judged = await watch.look(now, { endsAt, isToppedUp })
      if (judged.databaseOutages.at(-1)?.until !== outageUntil) {
        outageUntil = judged.databaseOutages.at(-1)?.until
        context.remember({ databaseOutages: [...judged.databaseOutages] })
      }
      recordLook(context, { ...judged, trace: onlyNewSeconds(judged.trace, recordedUntil) })
      recordedUntil = Math.max(recordedUntil, newestSecond(judged.trace))
      const { judgement } = judged
      if (judgement.verdict === 'bad') {
        const reason = { trigger: judgement.because, because: judgement.detail, by: 'dam: judge' }
        return decideRollback(context, reason, now)
      }
      if (judgement.verdict === 'good') {
        const problem = await verifyRelease(context, getRelease(deps.store, deployment.digest))
        // A person's wish to go back came first.
        if (context.signal.aborted) continue
        if (problem !== null) return waitForPerson(context, problem)
        return {
          state: 'baking',
          because: judgement.because,
          message: judgement.because,
          data: { isDecidedGood: true },
        }
      }
      if (judgement.verdict === 'environment') openEnvironmentIncident(context, judged)
      if (now >= endsAt) {
        // What we asked last may be what decides.
        if (own.journeys && !hasWaited) {
          hasWaited = true
          await own.journeys
          continue
        }
        if (isToppedUp || judgement.verdict === 'environment') return waitForPerson(context, reasonOf(judged))
        isToppedUp = true
        endsAt = new Date(now.getTime() + deps.policy.extendMs)
        context.remember({ isExtended: true, bakeEndsAt: endsAt.toISOString() })
        context.note(`${judgement.because}: the bake goes on until ${endsAt.toISOString()}, with journeys of our own`)
      }
      const usual = deps.policy.nextLookAfterMs(now.getTime() - cutOverAt.getTime())
      await untilNextLook(context, fresh.id, isOverBound(judged) ? Math.min(usual, nextLookOverBoundMs) : usual)
    }
  },
}

/** A process that died, or a person's wish, is not left waiting for the next look. */
async function untilNextLook({ deps, signal }: StepContext, slotId: string, afterMs: number): Promise<void> {
  const crashes = (): number => {
    const observed = findSlot(deps.store, slotId)?.observed
    return (observed?.web.crashes ?? 0) + (observed?.worker.crashes ?? 0)
  }
  const before = crashes()
  const due = performance.now() + afterMs
  while (performance.now() < due && crashes() === before && !signal.aborted) {
    await sleep(Math.min(alarmEveryMs, Math.max(0, due - performance.now())))
  }
}

/** Bad but for the patience with hiccups. */
const isOverBound = ({ judgement, trace }: Look): boolean =>
  judgement.verdict === 'inconclusive' && Math.max(trace.errors.sum.now, trace.slowness.sum.now) >= trace.badAt

function recordLook({ note }: StepContext, look: Look): void {
  const { judgement, trace, unknown } = look
  const missing = unknown.length > 0 ? ` (unknown: ${unknown.join('; ')})` : ''
  note(`${judgement.verdict}: ${reasonOf(look)}${missing}`, { look: { judgement, trace, unknown } })
}

const reasonOf = ({ judgement }: Look): string => (judgement.verdict === 'bad' ? judgement.detail : judgement.because)

function waitForPerson({ deps, deployment }: StepContext, because: string): StepResult {
  return {
    state: 'waiting-for-person',
    because,
    message: because,
    also: () => deps.notify(waitingMessage(deployment, because, deps.now()), 'waiting'),
  }
}

/** Both releases are bad: nobody is helped by going back, somebody has to look. */
function openEnvironmentIncident({ deps, deployment, lease }: StepContext, { judgement, trace }: Look): void {
  if (judgement.verdict !== 'environment') return
  const { environment, id: deploymentId } = deployment
  const title = `${environment}: old and new release are both failing`
  const now = deps.now()
  lease.transaction(() => {
    openIncident(deps.store, {
      environment,
      severity: 'P0',
      title,
      cause: judgement.because,
      dedupKey: `environment:${environment}`,
      openedBy: 'dam: judge',
      deploymentId,
      evidence: { trace: onlyNewSeconds(trace, newestSecond(trace) - evidenceSeconds), judgement },
      now,
    })
  })
}
