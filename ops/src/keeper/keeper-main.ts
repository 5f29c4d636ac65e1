// Looks after one environment of a prepared host: `node keeper-main.ts <host folder> <environment> [--memory-bound <MiB>] [--deployer <command>]`.
// SIGTERM stops everything of the environment in order; SIGUSR2 ends only the keeper; after SIGKILL the next one adopts what runs.
import path from 'node:path'
import { parseArgs } from 'node:util'
import { LockHeldError, takeExclusiveLock } from '@dam/platform/exclusive-lock'
import { readOpsConfig, shellEnvironment } from '../config.ts'
import { startDeadMan } from '../dead-man/start-dead-man.ts'
import { hostFolders } from '../environments/environment.ts'
import { environmentOf, readHost } from '../environments/host.ts'
import { openStore } from '../store.ts'
import { keepEnvironment } from './keep-environment.ts'
import { keepFront } from './keep-front.ts'
import { resumeAbandoned } from './resume-abandoned.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    'memory-bound': { type: 'string' },
    'memory-patience': { type: 'string', default: '10' },
    deployer: { type: 'string' },
  },
})
const [hostDir, name] = positionals
if (hostDir === undefined || name === undefined) {
  console.error('Usage: node ops/src/keeper/keeper-main.ts <host folder> <environment> [--memory-bound <MiB>]')
  process.exit(2)
}
process.title = `dam: keeper ${name}`
const say = (message: string): void => console.log(`${new Date().toISOString()} ${message}`)

const { runDir, host, port } = environmentOf(hostDir, name)
if (runDir === null) throw new Error(`${name} has no run folder; a keeper is for the environments of a prepared host.`)
const lock = claim(path.join(runDir, 'keeper.lock'))
const store = openStore(hostFolders(hostDir).ops)
const bound = values['memory-bound']
const keeper = keepEnvironment({
  hostDir,
  name,
  store,
  front: keepFront({ runDir, host, port, say }),
  memoryBoundBytes: bound === undefined ? null : Number(bound) * 1024 ** 2,
  memoryPatienceMs: Number(values['memory-patience']) * 1000,
  say,
})
const { deployer } = values
const resuming = deployer === undefined ? null : resumeAbandoned({ store, hostDir, name, deployer, say })
say(`keeping ${name}`)
const ownOps = readHost(hostDir).ops
const opsConfig = readOpsConfig({ ...shellEnvironment, DAM_HOST_DIR: hostDir }, ownOps)
const deadMan = startDeadMan({
  folder: hostFolders(hostDir).ops,
  config: opsConfig,
  consoleUrl: `http://${opsConfig.opsHost}:${opsConfig.opsPort}`,
  say,
})
process.send?.('ready')

let isEnding = false
const end = (how: 'stop' | 'leave'): void => {
  if (isEnding) return
  isEnding = true
  resuming?.[Symbol.dispose]()
  say(how === 'stop' ? `stopping ${name}` : `leaving ${name} running`)
  Promise.all([keeper[how](), deadMan[Symbol.asyncDispose]()]).then(
    () => {
      lock.release()
      store.close()
      process.exit(0)
    },
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
}
process.on('SIGTERM', () => end('stop'))
process.on('SIGINT', () => end('stop'))
process.on('SIGUSR2', () => end('leave'))
process.on('SIGHUP', () => undefined)

function claim(file: string) {
  try {
    return takeExclusiveLock(file, { since: new Date().toISOString() })
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    console.error(`${String(name)} has a keeper already: process ${String(error.holder['pid'] ?? 'unknown')}.`)
    process.exit(3)
  }
}
