import { parseArgs } from 'node:util'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { activeWindow } from '@dam/ops/src/maintenance/window-store.ts'
import type { Store } from '@dam/ops/src/store.ts'
import { breakLease, LeaseError } from '@dam/ops/src/deployments/lease-store.ts'
import { liftFreeze } from '@dam/ops/src/deployments/freeze-store.ts'
import { openDeployment } from '@dam/ops/src/deployments/deployment-store.ts'
import {
  decideWaiting,
  liftQuarantine,
  requestDeploy,
  RequestRefused,
} from '@dam/ops/src/deployments/request-deployment.ts'
import { runDeployment } from '@dam/ops/src/deployments/run-deployment.ts'
import { planDeploy } from '@dam/ops/src/deployments/plan-deploy.ts'
import { CommandFailure } from '../failure.ts'
import { openDeployer, type OpenDeployer } from '../deploy/deployer.ts'
import { deployPlanText } from '../deploy/plan-text.ts'
import { exitCodeOf, outcomeText } from '../deploy/outcome.ts'
import { policyFile } from '../watch/watch-place.ts'

export const help = `
Usage: ./dam deploy [--dry-run] [--bake <duration>] <environment> <tag>

Brings a release to an environment of this host: gates, lock, backup, migrations, a new process on a private port, readiness,
a warm-up journey, cut-over, and a bake during which a judge watches it beside the old release. A bad release is rolled back
by itself, at once. Killing this command loses nothing; Ctrl-C says how to leave it running and how to stop it.

  ./dam deploy staging v1.2.0                    deploy
  ./dam deploy --dry-run production v1.2.0       the plan and every gate; changes nothing
  ./dam deploy --resume production               go on with one whose process was killed
  ./dam deploy --accept production --reason "…"  keep a release that waits for a person; --extend watches on
  ./dam deploy --unfreeze production --reason "…"      after too many rollbacks in a day
  ./dam deploy --lift-quarantine v1.2.0 --reason "…"   let a release be deployed again that was rolled back
  ./dam deploy --break-lock production --reason "…"    take the lock from whoever holds it

  --bake 30s    another length of the bake     --by <name>  who decides (default: the user at this terminal)
  --json        the result for a machine       --host <folder>

Exit code: 0 good, 1 not deployed (users saw nothing), 2 rolled back, 3 waits for a person.
`

const decisions = ['resume', 'accept', 'extend', 'unfreeze', 'break-lock'] as const

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean' },
      resume: { type: 'boolean' },
      accept: { type: 'boolean' },
      extend: { type: 'boolean' },
      unfreeze: { type: 'boolean' },
      'break-lock': { type: 'boolean' },
      'lift-quarantine': { type: 'boolean' },
      reason: { type: 'string', default: '' },
      by: { type: 'string' },
      bake: { type: 'string' },
      json: { type: 'boolean' },
      host: { type: 'string' },
    },
  })
  const { json = false, reason, host, bake, by } = values
  const open = (environment: string): OpenDeployer => openDeployer({ host, environment, bake, by, isQuiet: json })
  const [first, tag] = positionals
  if (first === undefined)
    throw new CommandFailure('Usage: ./dam deploy <environment> <tag>, such as ./dam deploy staging v1.0.0')
  try {
    if (values['lift-quarantine']) {
      using deployer = open('staging')
      const release = liftQuarantine(deployer.deps.store, {
        tag: first,
        who: deployer.deps.who,
        reason,
        now: new Date(),
      })
      console.log(`${release.tag} may be deployed again.`)
      return 0
    }
    using deployer = open(first)
    const decision = decisions.find((name) => values[name])
    if (decision) return await decide(decision, deployer, first, { reason, json })
    if (tag === undefined)
      throw new CommandFailure(`Name the release: ./dam deploy ${first} v1.0.0. ./dam releases lists them.`)
    if (values['dry-run']) {
      const plan = await planDeploy(deployer.deps, tag)
      console.log(json ? JSON.stringify(plan, null, 2) : deployPlanText(plan))
      return plan.canRun ? 0 : 1
    }
    refuseOutsideMaintenance(deployer.deps.store, first)
    const asked = bake === undefined ? {} : { bakeMs: deployer.deps.policy.bake.bakeMs }
    return await drive(deployer, requestDeploy(deployer.deps, tag, asked).id, json)
  } catch (error) {
    if (error instanceof RequestRefused || error instanceof LeaseError) throw new CommandFailure(error.message)
    throw error
  }
}

/** Where the policy wants it so, production takes a deployment only while it is in maintenance. */
function refuseOutsideMaintenance(store: Store, environment: string): void {
  const { maintenance } = readPolicy(policyFile()).policy
  if (environment !== 'production' || !maintenance.deployOnlyInside || activeWindow(store, environment)) return
  throw new RequestRefused(
    'The policy lets production be deployed to only while it is in maintenance (maintenance.deployOnlyInside). Begin it: ./dam maintenance start',
  )
}

async function decide(
  decision: (typeof decisions)[number],
  deployer: OpenDeployer,
  environment: string,
  { reason, json }: { reason: string; json: boolean },
): Promise<number> {
  const { deps } = deployer
  const { store, who } = deps
  switch (decision) {
    case 'unfreeze':
      console.log(
        liftFreeze(store, { environment, who, reason, now: new Date() })
          ? `${environment} takes deployments again.`
          : `${environment} is not frozen.`,
      )
      return 0
    case 'break-lock': {
      const holder = breakLease(store, { environment, who, reason, now: new Date() })
      console.log(
        holder
          ? `The lock of ${holder.who} (process ${holder.pid}) is broken; its next step is refused.`
          : `Nobody held the lock of ${environment}.`,
      )
      return 0
    }
    case 'accept':
    case 'extend':
      return drive(deployer, decideWaiting(deps, { kind: decision, reason, bakeMs: deps.policy.bake.bakeMs }).id, json)
    case 'resume': {
      const open = openDeployment(store, environment)
      if (!open) throw new CommandFailure(`${environment} has no deployment to resume. ./dam deployments lists them.`)
      return drive(deployer, open.id, json)
    }
  }
}

async function drive({ deps }: OpenDeployer, id: number, json: boolean): Promise<number> {
  explainInterruption(deps.environment.name, id)
  const deployment = await runDeployment(deps, id)
  console.log(json ? JSON.stringify(deployment, null, 2) : outcomeText(deps.store, deployment))
  return exitCodeOf(deployment)
}

// npm passes the terminal's Ctrl-C on to a program that the terminal has told already: one press can arrive twice.
const samePressMs = 700

/** Ctrl-C asks what is meant: a deployment is not over because its terminal is. */
function explainInterruption(environment: string, id: number): void {
  let askedAt: number | undefined
  process.on('SIGINT', () => {
    if (askedAt !== undefined && performance.now() - askedAt > samePressMs) process.exit(130)
    if (askedAt !== undefined) return
    askedAt = performance.now()
    console.error(`
Deployment ${id} goes on. What do you want?
  leave it    Ctrl-C again: the keeper of ${environment} takes over within seconds; ./dam deployments ${id} shows how it goes
  stop it     ./dam rollback ${environment} in another terminal: it unwinds, or goes back, at its next step`)
  })
}
