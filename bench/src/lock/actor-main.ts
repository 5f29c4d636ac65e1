// Does one thing to the staging of a scratch host at a given moment, as a process of its own:
// `node actor-main.ts <host folder> <database> <moment> deploy <tag> | drive <deployment> | roll-back | maintenance`
import { setTimeout as sleep } from 'node:timers/promises'
import { LeaseError } from '@dam/ops/src/deployments/lease-store.ts'
import { setMaintenancePage } from '@dam/ops/src/deployments/maintenance-page.ts'
import { RequestRefused, requestDeploy, requestRollback } from '@dam/ops/src/deployments/request-deployment.ts'
import { runDeployment } from '@dam/ops/src/deployments/run-deployment.ts'
import { hostFolders } from '@dam/ops/src/environments/environment.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { quickPolicy, scratchDeployer } from '@dam/ops/src/testing/scratch-deployer.ts'

/** What became of it. */
export type ActorSaid = { outcome: 'ran'; state: string } | { outcome: 'refused' | 'fenced'; because: string }

const [hostDir = '', databaseUrl = '', moment = '0', deed, subject = ''] = process.argv.slice(2)
process.title = 'dam: deployer'
const store = openStore(hostFolders(hostDir).ops)
const deps = scratchDeployer(hostDir, store, { databaseUrl, policy: quickPolicy(800), who: `process ${process.pid}` })

async function act(): Promise<string> {
  switch (deed) {
    case 'deploy':
      return (await runDeployment(deps, requestDeploy(deps, subject).id)).state
    case 'drive':
      return (await runDeployment(deps, Number(subject))).state
    case 'roll-back': {
      const request = requestRollback(deps, { to: null, because: 'the bench wants it' })
      // The deployer that runs goes back by itself.
      return request.kind === 'pre-empts' ? 'pre-empted' : (await runDeployment(deps, request.deployment.id)).state
    }
    case 'maintenance':
      await setMaintenancePage(deps, { reason: 'the bench wants it' })
      return 'shown'
    default:
      throw new Error(`There is nothing called ${String(deed)} to do.`)
  }
}

let said: ActorSaid
await sleep(Math.max(0, Number(moment) - Date.now()))
try {
  said = { outcome: 'ran', state: await act() }
} catch (error) {
  if (error instanceof RequestRefused) said = { outcome: 'refused', because: error.message }
  else if (error instanceof LeaseError)
    said = { outcome: /taken over/.test(error.message) ? 'fenced' : 'refused', because: error.message }
  else throw error
}
process.send?.(said)
if (process.connected) process.disconnect()
process.exit(0)
