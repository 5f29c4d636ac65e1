// Drives a deployment of miniature releases as a process of its own, and kills itself where it is told to:
// `node miniature-deployer-main.ts <host folder> <database> <deployment id> [<n> [<bake ms>]]` dies at the n-th event of its time line.
import { runDeployment } from '../deployments/run-deployment.ts'
import { hostFolders } from '../environments/environment.ts'
import { openStore } from '../store.ts'
import { quickPolicy, scratchDeployer } from './scratch-deployer.ts'

const [hostDir = '', databaseUrl = '', id, dieAt = '0', bakeMs = '800'] = process.argv.slice(2)
process.title = 'dam: deployer'
const store = openStore(hostFolders(hostDir).ops)
let events = 0
const deps = scratchDeployer(hostDir, store, {
  databaseUrl,
  policy: quickPolicy(Number(bakeMs)),
  onProgress: ({ status }) => {
    if (status === 'note') return
    events++
    if (events === Number(dieAt)) process.kill(process.pid, 'SIGKILL')
  },
})
const { state } = await runDeployment(deps, Number(id))
console.log(state)
process.exit(0)
