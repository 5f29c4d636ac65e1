import { setTimeout as sleep } from 'node:timers/promises'
import { canListen } from '../environments/port.ts'
import { hostFolders } from '../environments/environment.ts'
import { lastWords, slotLogFile } from '../keeper/process-log.ts'
import type { Release } from '../releases/release.ts'
import type { DeployPolicy } from './deploy-policy.ts'
import type { Slot } from './deployment.ts'
import { releaseOf } from './prepare-steps.ts'
import { createSlot, findSlot, portsInUse, setDesired } from './slot-store.ts'
import { type Step, type StepContext, StepFailure } from './step.ts'

const warmWithinMs = 3_000

/** migrated → started: on a private port, until it says three times that it can serve as this very release. */
export const startStep: Step = {
  name: 'start',
  onFailure: 'unwind',
  run: async (context) => {
    const { slot, readyAfterMs } = await readySlot(context)
    return {
      state: 'started',
      message: `${slot.id} on port ${slot.port}, ready after ${(readyAfterMs / 1000).toFixed(1)} s`,
      data: { newSlot: slot.id },
    }
  },
}

/** started → warm */
export const warmUpStep: Step = {
  name: 'warm up',
  onFailure: 'unwind',
  run: async (context) => {
    const slot = requireSlot(context, context.deployment.data.newSlot)
    const journey = await context.deps.warmUp({ baseUrl: `http://127.0.0.1:${slot.port}`, release: releaseOf(context) })
    const failed = journey.steps.find(({ ok }) => !ok)
    if (!journey.ok) {
      throw new StepFailure(
        `the warm-up journey failed at "${failed?.name ?? 'its start'}": ${failed?.message ?? 'unknown'}`,
      )
    }
    return { state: 'warm', message: `${journey.steps.length} steps`, detail: { journey } }
  },
}

/** A warm process that does not answer at once is given up for a new one, unless a person wants just it. */
async function readySlot(context: StepContext): Promise<{ slot: Slot; readyAfterMs: number }> {
  const { deployment, deps, note } = context
  const { rung, forcedRung } = deployment.data
  const slot = await ensureSlot(context)
  if (rung !== 'warm') return { slot, readyAfterMs: await untilReady(context, slot, deps.policy.ready) }
  try {
    // It has proved itself; going back to it must not wait.
    return {
      slot,
      readyAfterMs: await untilReady(context, slot, { ...deps.policy.ready, times: 1, withinMs: warmWithinMs }),
    }
  } catch (error) {
    if (!(error instanceof StepFailure) || forcedRung !== undefined) throw error
    note(`not by "warm": ${error.message}; starting another process`)
    const other = await newSlot(context, 'start')
    return { slot: other, readyAfterMs: await untilReady(context, other, deps.policy.ready) }
  }
}

/** The slot of this deployment: made now, or found when a killed deployer had made it. */
async function ensureSlot(context: StepContext): Promise<Slot> {
  const { deps, deployment } = context
  const known = deployment.data.newSlot === undefined ? undefined : findSlot(deps.store, deployment.data.newSlot)
  return known && known.desiredWeb === 'running' ? known : newSlot(context)
}

async function newSlot(context: StepContext, rung?: string): Promise<Slot> {
  const { deps, deployment, lease } = context
  const { store } = deps
  const release = releaseOf(context)
  const dir = await folderToStart(context, release)
  for (;;) {
    const port = await freePort(context)
    const slot = lease.transaction(() => {
      if (portsInUse(store).has(port)) return null
      const created = createSlot(
        store,
        {
          environment: deployment.environment,
          digest: release.digest,
          tag: release.tag,
          releaseDir: dir,
          port,
          fencingToken: lease.token,
        },
        deps.now(),
      )
      // Nobody else works on what the warm-up uploads when this is the first release.
      if (!deployment.data.oldSlot) setDesired(store, created.id, { desiredWorker: 'running' }, lease.token)
      context.remember({ newSlot: created.id, ...(rung === undefined ? {} : { rung }) })
      return created
    })
    if (slot) return slot
  }
}

/** On the way back, a folder whose files are as the ledger has them will do when the artifact is lost or was changed. */
async function folderToStart({ deps, deployment, note }: StepContext, release: Release): Promise<string> {
  try {
    return (await deps.installRelease(release, note)).dir
  } catch (error) {
    const { intactFolder } = deployment.kind === 'rollback' ? await deps.conditionOf(release) : { intactFolder: null }
    if (intactFolder === null) throw error
    note(`${error instanceof Error ? error.message : String(error)} Starting it from its folder, which is unchanged.`)
    return intactFolder
  }
}

async function freePort({ deps }: StepContext): Promise<number> {
  const used = portsInUse(deps.store)
  const { first, last } = deps.slotPorts
  for (let port = first; port <= last; port++) {
    if (!used.has(port) && (await canListen('127.0.0.1', port))) return port
  }
  throw new StepFailure(`No port from ${first} to ${last} is free for a new process. Widen slotPorts in host.json.`)
}

/** Milliseconds it took. Ends early when the process dies or turns out to be another release. */
async function untilReady(context: StepContext, slot: Slot, ready: DeployPolicy['ready']): Promise<number> {
  const { deps, signal } = context
  const { times, everyMs, withinMs } = ready
  const begin = performance.now()
  let answers = 0
  let last = 'it has not answered'
  while (answers < times) {
    signal.throwIfAborted()
    const observed = findSlot(deps.store, slot.id)?.observed
    if (observed && observed.web.crashes > 0) {
      throw new StepFailure(
        `the web process of ${slot.tag} ended at its start (${observed.web.lastExit ?? 'unknown'}). Its last words:\n${lastWords(slotLogFile(hostFolders(deps.hostDir).logs, slot.id), 2_000).trim()}`,
      )
    }
    if (performance.now() - begin > withinMs) {
      throw new StepFailure(
        `${slot.tag} was not ready within ${withinMs / 1000} s: ${observed ? last : `the keeper of ${slot.environment} does not start it; see ./dam host status`}`,
      )
    }
    const answer = await askReady(slot.port)
    last = answer.message
    if (answer.release !== null && answer.release !== slot.tag) {
      throw new StepFailure(`the process on port ${slot.port} says it is ${answer.release}, expected ${slot.tag}`)
    }
    answers = answer.isReady ? answers + 1 : 0
    if (answers < times) await sleep(answers > 0 ? everyMs : Math.min(200, everyMs), undefined, { signal })
  }
  return performance.now() - begin
}

/** One answer of `/readyz`; `release` is what the process says it is. */
export async function askReady(port: number): Promise<{ isReady: boolean; release: string | null; message: string }> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(1_000) })
    await response.body?.cancel()
    const release = response.headers.get('x-dam-release')
    return {
      isReady: response.status === 200 && release !== null,
      release: response.status === 200 ? release : null,
      message: `/readyz answered ${response.status}${release === null ? ' without naming its release' : ''}`,
    }
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'TimeoutError'
    return {
      isReady: false,
      release: null,
      message: isLate ? '/readyz did not answer within 1 s' : 'nothing listens there',
    }
  }
}

export function requireSlot({ deps }: Pick<StepContext, 'deps'>, id: string | null | undefined): Slot {
  const slot = id == null ? undefined : findSlot(deps.store, id)
  if (!slot) throw new StepFailure(`The slot ${id ?? 'of this deployment'} is not in the store.`)
  return slot
}
