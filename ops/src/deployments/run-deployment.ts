import { setTimeout as sleep } from 'node:timers/promises'
import { bakeStep } from './bake-step.ts'
import type { Deployment, DeploymentData, DeploymentState } from './deployment.ts'
import { addDeploymentEvent, getDeployment, updateDeployment } from './deployment-store.ts'
import { withBake } from './deploy-policy.ts'
import type { DeployerDeps, Progress } from './deployer-deps.ts'
import { type HeldLease, holdLease } from './held-lease.ts'
import { LeaseError } from './lease-store.ts'
import { backupStep, gatesStep, lockStep, migrateStep } from './prepare-steps.ts'
import { decideRollback } from './roll-back.ts'
import { chooseRungStep, pointBackStep, undoMigrationsStep } from './rollback-steps.ts'
import { startStep, warmUpStep } from './start-steps.ts'
import type { Step, StepContext, StepResult } from './step.ts'
import { cutOverStep, finishStep, restoreStep, switchStep } from './traffic-steps.ts'
import { unwind } from './unwind.ts'
import { verifyRollbackStep } from './verify-steps.ts'

const retryEveryMs = 1_000
const wishEveryMs = 250

const deploySteps: Partial<Record<DeploymentState, Step>> = {
  requested: gatesStep,
  gated: lockStep,
  locked: backupStep,
  'backed-up': migrateStep,
  migrated: startStep,
  started: warmUpStep,
  warm: cutOverStep,
  'cut-over': switchStep,
  baking: bakeStep,
  'rolling-back': restoreStep,
  'rolled-back': verifyRollbackStep,
}

const rollbackSteps: Partial<Record<DeploymentState, Step>> = {
  requested: lockStep,
  locked: chooseRungStep,
  'backed-up': undoMigrationsStep,
  migrated: startStep,
  started: pointBackStep,
  'rolling-back': restoreStep,
  'rolled-back': verifyRollbackStep,
}

/** Requests go to the new release, or may. */
const hasTraffic = new Set<DeploymentState>(['cut-over', 'baking', 'waiting-for-person'])

export function nextStep({ kind, state, endedAt, data }: Deployment): Step | undefined {
  if (endedAt !== null) return undefined
  if (kind === 'rollback') return rollbackSteps[state]
  if (data.isDecidedGood && state === 'baking') return finishStep
  return deploySteps[state]
}

/**
 * Drives a deployment, new or left by a killed process, until it has ended or waits for a person. Whenever this process dies, the
 * next call goes on from the last step that was committed. Throws LeaseError when somebody else works on it, or took it over.
 */
export async function runDeployment(given: DeployerDeps, id: number): Promise<Deployment> {
  const { store, now } = given
  const { environment, kind, tag, data } = getDeployment(store, id)
  // Whoever resumes it keeps to what was asked for.
  const deps = data.bakeMs === undefined ? given : { ...given, policy: withBake(given.policy, data.bakeMs) }
  const purpose = `${kind === 'deploy' ? 'deploys' : 'goes back to'} ${tag}`
  using lease = holdLease(store, { environment, who: deps.who, purpose, now })
  for (;;) {
    const deployment = getDeployment(store, id)
    const wish = deployment.data.rollback
    if (deployment.endedAt === null && deployment.kind === 'deploy' && wish) {
      if (hasTraffic.has(deployment.state)) {
        await perform(
          {
            name: 'decide',
            onFailure: 'retry',
            run: (context) => Promise.resolve(decideRollback(context, wish, now())),
          },
          deps,
          lease,
          deployment,
        )
        continue
      }
      if (deployment.state !== 'rolling-back' && deployment.state !== 'rolled-back') {
        return unwind(deps, lease, deployment, `stopped by ${wish.by}: ${wish.because}`)
      }
    }
    const step = nextStep(deployment)
    if (!step) return deployment
    await perform(step, deps, lease, deployment)
  }
}

async function perform(step: Step, deps: DeployerDeps, lease: HeldLease, deployment: Deployment): Promise<void> {
  const { store } = deps
  const begin = performance.now()
  const event = (
    status: Progress['status'],
    state: DeploymentState,
    message: string,
    detail: Record<string, unknown> = {},
  ): void => {
    const seconds = status === 'started' || status === 'note' ? null : (performance.now() - begin) / 1000
    addDeploymentEvent(store, deployment.id, {
      state,
      step: step.name,
      status,
      message,
      detail: { ...detail, ...(seconds === null ? {} : { seconds: Number(seconds.toFixed(3)) }) },
      now: deps.now(),
    })
    deps.progress({ step: step.name, status, message, seconds })
  }
  using wish = watchForWish(deps, deployment)
  const context: StepContext = {
    deps,
    lease,
    deployment,
    signal: AbortSignal.any([lease.lost, wish.signal]),
    note: (message, detail) => event('note', deployment.state, message, detail),
    remember: (data: Partial<DeploymentData>) =>
      void lease.transaction(() => updateDeployment(store, deployment.id, { data }, deps.now())),
  }
  const commit = (result: StepResult): void =>
    lease.transaction(() => {
      result.also?.()
      updateDeployment(store, deployment.id, { ...result, data: result.data ?? {} }, deps.now())
      event(result.isSkipped ? 'skipped' : 'done', result.state, result.message ?? '', result.detail)
    })
  try {
    lease.transaction(() => event('started', deployment.state, ''))
    commit(await step.run(context))
  } catch (error) {
    if (error instanceof LeaseError || lease.lost.aborted) throw lease.lost.aborted ? lease.lost.reason : error
    const message = error instanceof Error ? error.message : String(error)
    // The wish is looked at by our caller.
    if (wish.signal.aborted) return
    lease.transaction(() => event('failed', deployment.state, message))
    if (step.onFailure === 'unwind') await unwind(deps, lease, deployment, message)
    else if (step.onFailure === 'roll-back') {
      commit(
        decideRollback(
          context,
          { trigger: 'health-check', because: `${step.name}: ${message}`, by: 'dam: deployer' },
          deps.now(),
        ),
      )
    } else await sleep(retryEveryMs)
  }
}

/** Aborts when a person wants this deployment rolled back while a step before the bake runs. */
function watchForWish(deps: DeployerDeps, deployment: Deployment): Disposable & { signal: AbortSignal } {
  const controller = new AbortController()
  const isWatched = deployment.kind === 'deploy' && deployment.data.rollback === undefined
  const timer = isWatched
    ? setInterval(() => {
        if (getDeployment(deps.store, deployment.id).data.rollback)
          controller.abort(new Error('a person wants it rolled back'))
      }, wishEveryMs)
    : undefined
  return { signal: controller.signal, [Symbol.dispose]: () => clearInterval(timer) }
}
