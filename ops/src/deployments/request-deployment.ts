import { recordAudit } from '../audit/audit.ts'
import { previousGoodRelease, resolveRelease, setVerdict } from '../releases/release-store.ts'
import { type Release, versionOfTag } from '../releases/release.ts'
import type { Store } from '../store.ts'
import type { Deployment } from './deployment.ts'
import type { DeployerDeps } from './deployer-deps.ts'
import {
  addDeploymentEvent,
  getDeployment,
  insertDeployment,
  openDeployment,
  updateDeployment,
} from './deployment-store.ts'
import { readFreeze } from './freeze-store.ts'
import { type LeaseHolder, livingHolder, requestPreemption } from './lease-store.ts'
import { startedMessage } from './messages.ts'
import { readPointer } from './pointer-store.ts'
import { findSlot } from './slot-store.ts'

/** What was asked cannot be done now; the message says why and what can be. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused'
}

type Requester = Pick<DeployerDeps, 'store' | 'environment' | 'who' | 'now' | 'notify'>

/** The release that serves, as the store has it; null before the first deployment. */
export function activeRelease(store: Store, environment: string): Release | null {
  const slot = readPointer(store, environment)?.active?.slot
  const digest = slot === undefined ? undefined : findSlot(store, slot)?.digest
  return digest === undefined ? null : resolveRelease(store, digest)
}

/** Writes a deployment down. Throws RequestRefused. Nothing has happened yet: drive it with `runDeployment`. */
export function requestDeploy(deps: Requester, tag: string, asked: { bakeMs?: number } = {}): Deployment {
  const { store, environment, who } = deps
  if (versionOfTag(tag) === null)
    throw new RequestRefused(`"${tag.slice(0, 60)}" is not the tag of a release; one looks like v1.2.3.`)
  return store.transaction(() => {
    const now = deps.now()
    refuseSecond(store, environment.name, now)
    const release = resolveRelease(store, tag)
    refuseVerdict(release)
    const freeze = readFreeze(store, environment.name)
    if (freeze) {
      throw new RequestRefused(
        `${environment.name} is frozen since ${freeze.at}: ${freeze.because}. A person lifts it: ./dam deploy --unfreeze ${environment.name} --reason "…"`,
      )
    }
    const previous = activeRelease(store, environment.name)
    if (previous?.digest === release.digest)
      throw new RequestRefused(`${tag} is what ${environment.name} serves already.`)
    const deployment = insertDeployment(store, {
      kind: 'deploy',
      environment: environment.name,
      digest: release.digest,
      previousDigest: previous?.digest ?? null,
      because: '',
      requestedBy: who,
      data: asked,
      now,
    })
    addDeploymentEvent(store, deployment.id, {
      state: 'requested',
      step: 'request',
      status: 'done',
      message: `by ${who}`,
      now,
    })
    recordAudit(store, {
      who,
      action: 'deploy',
      subject: `deployment:${deployment.id}`,
      detail: { tag, environment: environment.name },
      now,
    })
    deps.notify(startedMessage(deployment, now), 'started')
    return deployment
  })
}

export type RollbackRequest =
  /** The deployment that runs unwinds or goes back by itself; nothing else has to be driven unless its process is dead. */
  | { kind: 'pre-empts'; deployment: Deployment; holder: LeaseHolder | null }
  | { kind: 'requested'; deployment: Deployment }

/**
 * Writes down that an environment goes back: to the release `to`, or to the one before. A deployment that has not ended is asked to
 * unwind at its next step. Throws RequestRefused.
 */
export function requestRollback(
  deps: Requester,
  options: { to: string | null; because: string; rung?: string | undefined },
): RollbackRequest {
  const { store, environment, who } = deps
  const { because, rung } = options
  return store.transaction(() => {
    const now = deps.now()
    const open = openDeployment(store, environment.name)
    if (open?.kind === 'deploy' && (options.to === null || options.to === open.previousTag)) {
      if (rung !== undefined && rung !== 'warm') {
        throw new RequestRefused(
          `Deployment ${open.id} of ${open.tag} has not ended; it goes back by the process of ${open.previousTag ?? 'nothing'} that is warm: ./dam rollback ${environment.name} without --rung.`,
        )
      }
      const rollback = open.data.rollback ?? { trigger: 'person' as const, because, by: who }
      updateDeployment(store, open.id, { data: { rollback } }, now)
      requestPreemption(store, environment.name, who)
      recordAudit(store, { who, action: 'rollback', subject: `deployment:${open.id}`, detail: { because }, now })
      return {
        kind: 'pre-empts',
        deployment: getDeployment(store, open.id),
        holder: livingHolder(store, environment.name, now),
      }
    }
    if (open) refuseSecond(store, environment.name, now)
    const active = activeRelease(store, environment.name)
    const target =
      options.to === null
        ? active && previousGoodRelease(store, environment.name, active.digest)
        : resolveRelease(store, options.to)
    if (!target) {
      throw new RequestRefused(
        `${environment.name} has no earlier release that was good. ./dam releases lists what there is; name one with --to.`,
      )
    }
    if (target.digest === active?.digest)
      throw new RequestRefused(`${target.tag} is what ${environment.name} serves already.`)
    if (target.verdict === 'quarantined') refuseVerdict(target)
    const deployment = insertDeployment(store, {
      kind: 'rollback',
      environment: environment.name,
      digest: target.digest,
      previousDigest: active?.digest ?? null,
      because,
      requestedBy: who,
      data: {
        rollback: { trigger: 'person', because, by: who, isBecauseBad: options.to === null },
        ...(rung === undefined ? {} : { forcedRung: rung }),
        stamps: { detectedAt: now.toISOString(), decidedAt: now.toISOString() },
      },
      now,
    })
    addDeploymentEvent(store, deployment.id, {
      state: 'requested',
      step: 'request',
      status: 'done',
      message: `by ${who}: ${because}`,
      now,
    })
    recordAudit(store, {
      who,
      action: 'rollback',
      subject: `deployment:${deployment.id}`,
      detail: { to: target.tag, because },
      now,
    })
    return { kind: 'requested', deployment }
  })
}

/** A person ends the wait for a verdict: the release stays, or is watched for as long again. Throws RequestRefused. */
export function decideWaiting(
  deps: Requester,
  decision: { kind: 'accept' | 'extend'; reason: string; bakeMs: number },
): Deployment {
  const { store, environment, who } = deps
  const { reason } = decision
  if (reason.trim() === '') throw new RequestRefused('The decision needs a reason: --reason "…"')
  return store.transaction(() => {
    const now = deps.now()
    const open = openDeployment(store, environment.name)
    if (open?.state !== 'waiting-for-person') {
      throw new RequestRefused(
        `No deployment of ${environment.name} waits for a person.${open ? ` Deployment ${open.id} is ${open.state}.` : ''}`,
      )
    }
    const isAccepted = decision.kind === 'accept'
    const data = isAccepted
      ? { isDecidedGood: true, accepted: { by: who, reason } }
      : { bakeEndsAt: new Date(now.getTime() + decision.bakeMs).toISOString() }
    const because = isAccepted ? `accepted by ${who}: ${reason}` : open.because
    updateDeployment(store, open.id, { state: 'baking', because, data }, now)
    addDeploymentEvent(store, open.id, {
      state: 'baking',
      step: decision.kind,
      status: 'done',
      message: `${who}: ${reason}`,
      now,
    })
    recordAudit(store, {
      who,
      action: `deploy.${decision.kind}`,
      subject: `deployment:${open.id}`,
      detail: { reason },
      now,
    })
    return getDeployment(store, open.id)
  })
}

/** A person takes a release out of quarantine. */
export function liftQuarantine(
  store: Store,
  options: { tag: string; who: string; reason: string; now: Date },
): Release {
  const { tag, who, reason, now } = options
  if (reason.trim() === '') throw new RequestRefused('Lifting a quarantine needs a reason: --reason "…"')
  return store.transaction(() => {
    const release = resolveRelease(store, tag)
    if (release.verdict !== 'quarantined' && release.verdict !== 'bad')
      throw new RequestRefused(`${tag} is ${release.verdict}, not in quarantine.`)
    recordAudit(store, {
      who,
      action: 'quarantine.lift',
      subject: `release:${release.digest}`,
      detail: { reason },
      now,
    })
    return setVerdict(store, { digest: release.digest, verdict: 'unknown', because: reason, now, releasedBy: who })
  })
}

function refuseVerdict({ tag, verdict, verdictBecause }: Release): void {
  if (verdict !== 'quarantined' && verdict !== 'bad') return
  throw new RequestRefused(
    `${tag} is ${verdict}: ${verdictBecause}. Deploy a newer release; a person who knows better lifts it: ./dam deploy --lift-quarantine ${tag} --reason "…"`,
  )
}

function refuseSecond(store: Store, environment: string, now: Date): void {
  const open = openDeployment(store, environment)
  const holder = livingHolder(store, environment, now)
  if (!open && !holder) return
  const what = open
    ? `deployment ${open.id} of ${open.tag} by ${open.requestedBy}, since ${open.requestedAt}, is ${open.state}`
    : ''
  if (holder) {
    throw new RequestRefused(
      `${environment} is locked by ${holder.who} (process ${holder.pid} on ${holder.host}), ${holder.purpose} since ${holder.since}${what ? `: ${what}` : ''}. Wait for it, or go back: ./dam rollback ${environment}`,
    )
  }
  const next =
    open?.state === 'waiting-for-person'
      ? `It waits for a person: ./dam deploy --accept ${environment} --reason "…", or ./dam rollback ${environment}`
      : `Nobody works on it: ./dam deploy --resume ${environment}, or ./dam rollback ${environment}`
  throw new RequestRefused(`${environment} has a deployment that has not ended: ${what}. ${next}`)
}
