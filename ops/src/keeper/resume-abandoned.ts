import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import path from 'node:path'
import { openDeployment } from '../deployments/deployment-store.ts'
import type { Deployment } from '../deployments/deployment.ts'
import { livingHolder } from '../deployments/lease-store.ts'
import { hostFolders } from '../environments/environment.ts'
import type { Store } from '../store.ts'
import { inheritedEnvironment } from './config.ts'
import { openProcessLog } from './process-log.ts'

const everyMs = 2_000
/** One that was just written down may not have its process yet. */
const patienceMs = 10_000

/** The deployment of an environment that nobody drives although it has not ended and waits for no person. */
export function abandonedDeployment(store: Store, environment: string, now: Date): Deployment | undefined {
  const open = openDeployment(store, environment)
  if (!open || open.state === 'waiting-for-person' || livingHolder(store, environment, now)) return undefined
  return now.getTime() - Date.parse(open.updatedAt) > patienceMs ? open : undefined
}

/** Starts a deployer for a deployment whose own was killed; it finishes or unwinds it. */
export function resumeAbandoned(options: {
  store: Store
  hostDir: string
  name: string
  /** Entry of the command line. */
  deployer: string
  say: (message: string) => void
}): Disposable {
  const { store, hostDir, name, deployer, say } = options
  let isRunning = false
  const look = (): void => {
    if (isRunning) return
    const abandoned = abandonedDeployment(store, name, new Date())
    if (!abandoned) return
    say(`deployment ${abandoned.id} of ${abandoned.tag} is ${abandoned.state} and nobody drives it: resuming`)
    const log = openProcessLog(path.join(hostFolders(hostDir).logs, `deployer-${name}.log`))
    isRunning = true
    const child = spawn(
      process.execPath,
      [deployer, 'deploy', '--resume', name, '--host', hostDir, '--by', 'dam: keeper'],
      {
        cwd: path.dirname(path.dirname(path.dirname(deployer))),
        env: inheritedEnvironment(),
        detached: true,
        stdio: ['ignore', log, log],
      },
    )
    closeSync(log)
    child.once('error', (error) => {
      isRunning = false
      say(`the deployer cannot be started: ${error.message}`)
    })
    child.once('exit', () => (isRunning = false))
    child.unref()
  }
  const timer = setInterval(look, everyMs)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
