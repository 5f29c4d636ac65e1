// `./dam deploy` and `./dam rollback` for miniature releases on staging, as the console starts and asks them.
import { parseArgs } from 'node:util'
import { runningDatabaseUrl } from '../environments/running-database.ts'
import { environmentOf } from '../environments/host.ts'
import { hostFolders } from '../environments/environment.ts'
import { planDeploy } from '../deployments/plan-deploy.ts'
import { planRollback } from '../deployments/plan-rollback.ts'
import { decideWaiting, requestDeploy, requestRollback } from '../deployments/request-deployment.ts'
import { runDeployment } from '../deployments/run-deployment.ts'
import { openStore } from '../store.ts'
import { quickPolicy, scratchDeployer } from './scratch-deployer.ts'

const hostDir = process.env['DAM_HOST_DIR'] ?? ''
const [command = '', ...args] = process.argv.slice(2)
const { values, positionals } = parseArgs({
  args,
  allowPositionals: true,
  options: {
    'dry-run': { type: 'boolean' },
    accept: { type: 'boolean' },
    plan: { type: 'boolean' },
    json: { type: 'boolean' },
    by: { type: 'string', default: '' },
    reason: { type: 'string', default: '' },
  },
})
const [, tag = ''] = positionals
using store = openStore(hostFolders(hostDir).ops)
const databaseUrl = runningDatabaseUrl(environmentOf(hostDir, 'staging'))
if (databaseUrl === null) throw new Error('the database of staging does not run')
const deps = scratchDeployer(hostDir, store, {
  databaseUrl,
  who: values.by,
  policy: quickPolicy(3_000),
  onProgress: ({ step, status, message }) => console.log(`${status} ${step} ${message}`),
})

if (command === 'deploy' && values['dry-run']) console.log(JSON.stringify(await planDeploy(deps, tag)))
else if (command === 'rollback' && values.plan) console.log(JSON.stringify(await planOfRollback()))
else {
  const { state, because } = await runDeployment(deps, begin())
  console.log(state, because)
}
process.exit()

function begin(): number {
  if (values.accept) return decideWaiting(deps, { kind: 'accept', reason: values.reason, bakeMs: 0 }).id
  if (command === 'deploy') return requestDeploy(deps, tag).id
  return requestRollback(deps, { to: null, because: values.reason }).deployment.id
}

function planOfRollback() {
  return planRollback({
    ...deps,
    environment: 'staging',
    to: null,
    databaseUrl,
    latestBackup: deps.latestBackup(),
    withinMs: deps.policy.rollbackWithinMs,
  })
}
