import { setTimeout as sleep } from 'node:timers/promises'
import { recordAudit } from '../audit/audit.ts'
import { listReleases, setVerdict } from '../releases/release-store.ts'
import { climbable, planRollback, type RollbackPlan } from './plan-rollback.ts'
import { readPointer } from './pointer-store.ts'
import { releaseOf, requireDatabase } from './prepare-steps.ts'
import { appliedMigrations, blockingMigrations, labels, migrateDown, numberBelow } from './schema-access.ts'
import { findSlot, listSlots, setDesired, warmSlot } from './slot-store.ts'
import { requireSlot } from './start-steps.ts'
import { type Step, type StepContext, StepFailure } from './step.ts'
import { agreeFront, point, upstreamOf } from './traffic-steps.ts'

const stopBoundMs = 60_000

/** locked → backed-up: nothing is backed up here; the first rung of the ladder that is possible is taken, or the one a person wants. */
export const chooseRungStep: Step = {
  name: 'choose rung',
  onFailure: 'unwind',
  run: async (context) => {
    const { deps, deployment, note } = context
    const { store } = deps
    const { stamps = {}, forcedRung } = deployment.data
    const plan = await planRollback({
      ...deps,
      environment: deployment.environment,
      to: deployment.tag,
      databaseUrl: requireDatabase(context),
      latestBackup: deps.latestBackup(),
      withinMs: deps.policy.rollbackWithinMs,
    })
    const ladder = plan.rungs.filter(({ name }) => climbable.some((one) => one === name))
    const rung = ladder.find(({ name, isPossible }) =>
      forcedRung === undefined ? isPossible : isPossible && name === forcedRung,
    )
    if (!rung) throw new StepFailure(noRung(plan, forcedRung))
    const skipped = ladder.slice(0, ladder.indexOf(rung)).filter(({ isPossible }) => !isPossible)
    for (const { name, because } of skipped) note(`not by "${name}": ${because}`)
    const warm = rung.name === 'warm' ? warmSlot(store, deployment.environment, deployment.digest) : undefined
    return {
      state: 'backed-up',
      isSkipped: true,
      message: `by "${rung.name}": ${rung.because}`,
      data: {
        rung: rung.name,
        ...(warm ? { newSlot: warm.id } : {}),
        stamps: { ...stamps, decidedAt: stamps.decidedAt ?? deployment.requestedAt },
      },
    }
  },
}

/** Why there is no automatic way back, and what is left. */
function noRung(plan: RollbackPlan, forced: string | undefined): string {
  const found = plan.rungs.find(({ name }) => name === forced)
  if (found) return `rung "${found.name}" is not possible: ${found.because}`
  const left = plan.rungs.filter(({ name, isPossible, command }) => !isAutomatic(name) && isPossible && command)
  return [
    `${plan.to ?? 'the release before'} cannot be started here: ${[...new Set(plan.rungs.filter(({ name }) => isAutomatic(name)).map(({ because }) => because))].join('; ')}.`,
    'What is left, cheapest first:',
    ...left.map(({ title, command }) => `  ${title}: ${command ?? ''}`),
  ].join('\n')
}

const isAutomatic = (name: string): boolean => climbable.some((one) => one === name)

/** backed-up → migrated: what the target cannot run on is undone while nobody writes, behind the maintenance page. */
export const undoMigrationsStep: Step = {
  name: 'undo migrations',
  onFailure: 'unwind',
  run: async (context) => {
    const { deps, deployment, lease, note } = context
    const databaseUrl = requireDatabase(context)
    const applied = await appliedMigrations(databaseUrl)
    const blocking = blockingMigrations(releaseOf(context), applied, listReleases(deps.store)) ?? []
    if (blocking.length === 0) return { state: 'migrated', isSkipped: true, message: 'the schema fits' }
    lease.transaction(() => {
      const pointer = readPointer(deps.store, deployment.environment)
      const maintenance = { mode: 'full' as const, reason: `going back to ${deployment.tag}`, until: null }
      point(context, { active: pointer?.active ?? null, control: null, maintenance })
      context.remember({ isInMaintenance: true })
      for (const slot of listSlots(deps.store, deployment.environment)) {
        setDesired(deps.store, slot.id, { desiredWeb: 'stopped', desiredWorker: 'stopped' }, lease.token)
      }
    })
    await agreeFront(context)
    await untilStopped(context)
    const steps = await migrateDown({ connectionString: databaseUrl, number: numberBelow(blocking), say: note })
    return { state: 'migrated', message: `undone: ${labels(steps)}` }
  },
}

/** started → rolling-back: the decision was made by the person who asked. */
export const pointBackStep: Step = {
  name: 'point back',
  onFailure: 'unwind',
  run: (context) => {
    const { deps, deployment, lease } = context
    const target = requireSlot(context, deployment.data.newSlot)
    return Promise.resolve({
      state: 'rolling-back' as const,
      message: `${target.tag} is what the front routes to`,
      data: { isInMaintenance: false },
      also: () => {
        point(context, { active: upstreamOf(target), control: null, maintenance: null })
        setDesired(deps.store, target.id, { desiredWeb: 'running', desiredWorker: 'running' }, lease.token)
        const now = deps.now()
        const left = deployment.previousDigest
        if (left !== null && left !== deployment.digest && deployment.data.rollback?.isBecauseBad) {
          setVerdict(deps.store, {
            digest: left,
            verdict: 'bad',
            because: `rolled back on ${deployment.environment} by ${deployment.requestedBy}: ${deployment.because}`,
            now,
          })
        }
        recordAudit(deps.store, {
          who: deployment.requestedBy,
          action: 'rollback',
          subject: `deployment:${deployment.id}`,
          now,
        })
      },
    })
  },
}

async function untilStopped({ deps, deployment }: StepContext): Promise<void> {
  const deadline = performance.now() + stopBoundMs
  const running = () =>
    listSlots(deps.store, deployment.environment).filter((slot) => {
      const observed = findSlot(deps.store, slot.id)?.observed
      return (observed?.web.pid ?? null) !== null || (observed?.worker.pid ?? null) !== null
    })
  while (running().length > 0) {
    if (performance.now() > deadline)
      throw new Error(
        `${running()
          .map(({ id }) => id)
          .join(', ')} did not stop. Is the keeper there? ./dam host status`,
      )
    await sleep(100)
  }
}
