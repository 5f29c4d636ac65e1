import { existsSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import { startDeadMan } from '@dam/ops/src/dead-man/start-dead-man.ts'
import { hostFolders } from '@dam/ops/src/environments/environment.ts'
import { readEnvironments, readHost } from '@dam/ops/src/environments/host.ts'
import { keeperOf } from '@dam/ops/src/environments/host-status.ts'
import { sayUnset } from '@dam/ops/src/notify/describe-channels.ts'
import { LockHeldError, lockHolder, takeExclusiveLock } from '@dam/platform/exclusive-lock'
import { processIdentity } from '@dam/platform/process-identity'
import { root, shellEnvironment } from '../config.ts'
import { CommandFailure } from '../failure.ts'
import { keepChild, type KeptChild } from '../up/child.ts'

export const keeperMain = path.join(root, 'ops/src/keeper/keeper-main.ts')
export const commandMain = path.join(root, 'command/src/main.ts')
export const opsMain = path.join(root, 'ops/src/main.ts')

const lockFile = (hostDir: string): string => path.join(hostFolders(hostDir).ops, 'up.lock')
const keeperStopBoundMs = 120_000
const opsStopBoundMs = 30_000

/** Runs the ops process and a keeper for each environment until asked to stop: SIGTERM stops all, SIGUSR2 leaves DAM serving. */
export async function superviseHost(hostDir: string, options: { showLog: boolean }): Promise<number> {
  process.title = 'dam: host'
  const lock = claim(hostDir)
  const environments = readEnvironments(hostDir)
  // A keeper whose supervisor was killed goes on; it makes room for one that we can speak for.
  for (const { runDir } of environments) if (runDir !== null) await endKeeper(runDir, 'SIGUSR2')
  const child = (name: string, entry: string, args: string[], stopBoundMs: number): KeptChild =>
    keepChild({
      name,
      command: process.execPath,
      args: [entry, ...args],
      cwd: root,
      env: { ...shellEnvironment, DAM_HOST_DIR: hostDir, DAM_LOG_STDOUT: options.showLog ? 'yes' : 'no' },
      showLog: true,
      stopBoundMs,
      say,
    })
  const keepers = environments.map(({ name }) =>
    child(`keeper of ${name}`, keeperMain, [hostDir, name, '--deployer', commandMain], keeperStopBoundMs),
  )
  const ops = existsSync(opsMain) ? child('console', opsMain, [hostDir], opsStopBoundMs) : null
  const { ops: listens } = readHost(hostDir)
  const opsConfig = readOpsConfig({ ...shellEnvironment, DAM_HOST_DIR: hostDir }, listens)
  const deadMan = startDeadMan({
    folder: hostFolders(hostDir).ops,
    config: opsConfig,
    consoleUrl: `http://${opsConfig.opsHost}:${opsConfig.opsPort}`,
    onHanging: () => ops?.replace(),
    say,
  })
  say(`looking after ${environments.map(({ name, publicUrl }) => `${name} (${publicUrl})`).join(' and ')}`)
  if (ops) say(`console at http://${listens.host}:${listens.port}`)
  const messages = sayUnset(opsConfig)
  if (messages !== null) say(messages)
  say('Ctrl-C stops everything; ./dam host stop leaves DAM serving')
  const how = await asked()
  say(how === 'SIGUSR2' ? 'leaving DAM running …' : 'stopping …')
  await deadMan[Symbol.asyncDispose]()
  await ops?.stop()
  await Promise.all(keepers.map((keeper) => keeper.stop(how === 'SIGUSR2' ? 'SIGUSR2' : 'SIGTERM')))
  lock.release()
  say('stopped')
  return 0
}

/** Ends supervisor and keepers; `everything`: the environments as well. */
export async function stopHost(hostDir: string, options: { everything: boolean }): Promise<number> {
  const signal = options.everything ? 'SIGTERM' : 'SIGUSR2'
  const supervisor = lockHolder(lockFile(hostDir))?.['pid']
  if (typeof supervisor === 'number') await endProcess(supervisor, signal, keeperStopBoundMs + opsStopBoundMs)
  for (const { name, runDir } of readEnvironments(hostDir)) {
    if (runDir === null) continue
    const ended = await endKeeper(runDir, signal)
    if (ended) say(`${name}: ${options.everything ? 'stopped' : 'left running without a keeper'}`)
  }
  if (typeof supervisor === 'number') say('./dam host up has ended')
  return 0
}

async function endKeeper(runDir: string, signal: NodeJS.Signals): Promise<boolean> {
  const pid = keeperOf(runDir)
  if (pid === null) return false
  await endProcess(pid, signal, keeperStopBoundMs)
  return true
}

async function endProcess(pid: number, signal: NodeJS.Signals, boundMs: number): Promise<void> {
  const identity = processIdentity(pid)
  if (!identity) return
  process.kill(pid, signal)
  const deadline = performance.now() + boundMs
  while (processIdentity(pid)?.startedAt === identity.startedAt) {
    if (performance.now() > deadline) throw new CommandFailure(`Process ${pid} did not end within ${boundMs / 1000} s.`)
    await sleep(50)
  }
}

const asked = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(name, () => resolve(name))
  })

function claim(hostDir: string) {
  try {
    return takeExclusiveLock(lockFile(hostDir), {})
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    throw new CommandFailure(
      `./dam host up runs already for ${hostDir}: process ${String(error.holder['pid'] ?? 'unknown')}. ./dam host status shows it.`,
    )
  }
}

const say = (message: string): void => console.log(`  ${message}`)
