import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { DeployerDeps } from '@dam/ops/src/deployments/deployer-deps.ts'
import { findDeployment } from '@dam/ops/src/deployments/deployment-store.ts'
import { LeaseError, livingHolder } from '@dam/ops/src/deployments/lease-store.ts'
import { planRollback } from '@dam/ops/src/deployments/plan-rollback.ts'
import { requestRollback, RequestRefused } from '@dam/ops/src/deployments/request-deployment.ts'
import { runDeployment } from '@dam/ops/src/deployments/run-deployment.ts'
import type { Deployment } from '@dam/ops/src/deployments/deployment.ts'
import { CommandFailure } from '../failure.ts'
import { openDeployer } from '../deploy/deployer.ts'
import { rollbackPlanText } from '../deploy/plan-text.ts'
import { outcomeText } from '../deploy/outcome.ts'

export const help = `
Usage: ./dam rollback [<environment>] [--to <tag>] [--plan] [--reason "…"]

Goes back from what serves now (production unless named) to the good release before it, or to --to, by the cheapest way there
is. A deployment that runs is asked to stop at its next step and unwinds.

  --plan      every way back, cheapest first: how long it takes, what is lost, whether it is possible; changes nothing
  --to        a release of the ledger        --reason  goes on the record
  --by        who decides                    --json    for a machine       --host <folder>

Without ./dam the last rung is the runbook's: git checkout <tag>; pnpm build.
`

const patienceMs = 300_000

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      to: { type: 'string' },
      plan: { type: 'boolean' },
      reason: { type: 'string', default: 'asked for' },
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
  try {
    if (values.plan) {
      const plan = await planRollback({
        store: deps.store,
        hostDir: deps.hostDir,
        environment,
        to,
        databaseUrl: deps.databaseUrl(),
        latestBackup: deps.latestBackup(),
        withinMs: deps.policy.rollbackWithinMs,
      })
      console.log(values.json ? JSON.stringify(plan, null, 2) : rollbackPlanText(plan))
      return plan.chosen === null ? 1 : 0
    }
    const request = requestRollback(deps, { to, because: values.reason })
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
