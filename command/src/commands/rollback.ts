import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { DeployerDeps } from '@dam/ops/src/deployments/deployer-deps.ts'
import { findDeployment } from '@dam/ops/src/deployments/deployment-store.ts'
import { LeaseError, livingHolder } from '@dam/ops/src/deployments/lease-store.ts'
import { setMaintenancePage } from '@dam/ops/src/deployments/maintenance-page.ts'
import { planRollback, type RollbackPlan, type RungName, rungNames } from '@dam/ops/src/deployments/plan-rollback.ts'
import { requestRollback, RequestRefused } from '@dam/ops/src/deployments/request-deployment.ts'
import { runDeployment } from '@dam/ops/src/deployments/run-deployment.ts'
import type { Deployment } from '@dam/ops/src/deployments/deployment.ts'
import { buildRelease } from '@dam/ops/src/releases/build-release.ts'
import { root } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { stepPrinter } from '../release/step-printer.ts'
import { openDeployer } from '../deploy/deployer.ts'
import { rollbackPlanText } from '../deploy/plan-text.ts'
import { outcomeText } from '../deploy/outcome.ts'

export const help = `
Usage: ./dam rollback [<environment>] [--to <tag>] [--rung <name>] [--plan] [--reason "…"]

Goes back from what serves now (production unless named) to the good release before it, or to --to, by the cheapest way there
is. A deployment that runs is asked to stop at its next step and unwinds.

  --plan      every way back, cheapest first: how long it takes, what is lost, whether it is possible; changes nothing
  --to        any release of the ledger     --reason  goes on the record
  --rung      just this way:  warm             the process that is still there during a bake
                              start, install   from its folder, or from its artifact first
                              down             the same after undoing migrations, behind the maintenance page
                              rebuild          build its tag again, then install; the same bytes or nothing
                              maintenance-page answer 503 with the reason; --lift lets people in again
                              flag, restore    say what there is
  --by        who decides                    --json    for a machine       --host <folder>

Without ./dam the last rung is the runbook's: git checkout <tag>; pnpm build; ./dam up.
`

const patienceMs = 300_000

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      plan: { type: 'boolean' },
      rung: { type: 'string' },
      lift: { type: 'boolean', default: false },
      reason: { type: 'string' },
      by: { type: 'string' },
      json: { type: 'boolean', default: false },
      host: { type: 'string' },
    },
  })
  if (positionals.length > 1) throw new CommandFailure('Usage: ./dam rollback [<environment>] [--to <tag>]')
  const [environment = 'production'] = positionals
  using deployer = openDeployer({ host: values.host, environment, by: values.by, isQuiet: values.json })
  const { deps } = deployer
  const to = values.to ?? null
  const rung = rungNamed(values.rung)
  try {
    if (values.lift && rung !== 'maintenance-page')
      throw new CommandFailure('--lift belongs to --rung maintenance-page.')
    if (rung === 'maintenance-page') {
      await setMaintenancePage(deps, { reason: values.lift ? null : (values.reason ?? 'DAM is being restored') })
      console.log(
        values.lift
          ? `${environment} lets people in again.`
          : `${environment} shows the maintenance page. What serves behind it keeps running; let people in again: ./dam rollback ${environment} --rung maintenance-page --lift`,
      )
      return 0
    }
    const plan = await planOf(deps, to)
    if (values.plan) {
      console.log(values.json ? JSON.stringify(plan, null, 2) : rollbackPlanText(plan))
      return plan.chosen === null ? 1 : 0
    }
    if (rung === 'flag' || rung === 'restore') {
      const { because, command, title } = plan.rungs.find(({ name }) => name === rung) ?? {}
      throw new CommandFailure(
        `${title ?? rung}: ${because ?? 'unknown'}.${command ? ` It asks before it does: ${command}` : ''}`,
      )
    }
    if (rung === 'rebuild') {
      if (plan.to === null) throw new CommandFailure('There is no release to go back to; name one with --to.')
      await buildRelease({ hostDir: deployer.hostDir, checkout: root, tag: plan.to, say: stepPrinter().say })
    }
    const request = requestRollback(deps, {
      to,
      because: values.reason ?? 'asked for',
      rung: rung === 'rebuild' ? 'install' : rung,
    })
    const ended =
      request.kind === 'requested'
        ? await runDeployment(deps, request.deployment.id)
        : await preempt(deps, request.deployment.id)
    console.log(values.json ? JSON.stringify(ended, null, 2) : outcomeText(deps.store, ended))
    const isBack =
      ended.state === 'verified' || ended.state === 'frozen' || (ended.kind === 'deploy' && ended.state === 'failed')
    return isBack ? 0 : 1
  } catch (error) {
    if (error instanceof RequestRefused || error instanceof LeaseError) throw new CommandFailure(error.message)
    throw error
  }
}

const planOf = (deps: DeployerDeps, to: string | null): Promise<RollbackPlan> =>
  planRollback({
    ...deps,
    environment: deps.environment.name,
    to,
    databaseUrl: deps.databaseUrl(),
    latestBackup: deps.latestBackup(),
    withinMs: deps.policy.rollbackWithinMs,
  })

function rungNamed(text: string | undefined): RungName | undefined {
  const rung = rungNames.find((name) => name === text)
  if (text === undefined || rung) return rung
  throw new CommandFailure(`There is no rung "${text}". There is: ${rungNames.join(', ')}`)
}

/** Waits while the deployment's own process takes it back; does it here as soon as that process is not there. */
async function preempt(deps: DeployerDeps, id: number): Promise<Deployment> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const deployment = findDeployment(deps.store, id)
    if (deployment && deployment.endedAt !== null) return deployment
    const holder = livingHolder(deps.store, deps.environment.name, new Date())
    if (!holder) {
      try {
        return await runDeployment(deps, id)
      } catch (error) {
        if (!(error instanceof LeaseError)) throw error
      }
    } else if (performance.now() > deadline) {
      throw new CommandFailure(
        `${holder.who} (process ${holder.pid}) has not stopped within ${patienceMs / 60_000} minutes. Take the lock: ./dam deploy --break-lock ${deps.environment.name} --reason "…", then ./dam rollback again.`,
      )
    }
    await sleep(200)
  }
}
