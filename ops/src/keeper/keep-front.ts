import { spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { processIdentity } from '@dam/platform/process-identity'
import { hostFolders } from '../environments/environment.ts'
import type { FrontStatus } from '../front/front-api.ts'
import { inheritedEnvironment } from './config.ts'
import { type FrontControl, FrontError, frontControl } from './front-control.ts'
import type { FrontKeeping } from './keep-environment.ts'
import { boundProcessLog, openProcessLog } from './process-log.ts'

const entry = fileURLToPath(new URL('../front/front-main.ts', import.meta.url))
const patienceMs = 10_000
const stopBoundMs = 20_000

/** Keeps the front process of an environment: it outlives every keeper, and the one that answers its control socket is it. */
export function keepFront(options: {
  hostDir: string
  name: string
  runDir: string
  say: (message: string) => void
}): FrontKeeping {
  const { hostDir, name, runDir, say } = options
  const control = frontControl(runDir)
  const logFile = path.join(hostFolders(hostDir).logs, `front-${name}.log`)
  let known: FrontStatus | undefined
  let startedAt = -Infinity
  let failures = 0

  const start = (): void => {
    startedAt = performance.now()
    const log = openProcessLog(logFile)
    try {
      const child = spawn(process.execPath, ['--max-semi-space-size=4', entry, hostDir, name], {
        cwd: '/',
        env: inheritedEnvironment(),
        detached: true,
        stdio: ['ignore', log, log],
      })
      child.once('error', (error) => say(`the front of ${name} cannot be started: ${error.message}`))
      child.once('exit', (code, signal) => {
        failures++
        say(`the front of ${name} ended (${signal ?? `code ${code}`}); what it said is in ${logFile}`)
      })
      child.unref()
    } finally {
      closeSync(log)
    }
  }

  return {
    ensure: async () => {
      boundProcessLog(logFile)
      try {
        known = await control.status()
        failures = 0
      } catch (error) {
        if (!(error instanceof FrontError)) throw error
        // Busy, or starting: two of them would fight for the socket.
        const isAlive = known !== undefined && processIdentity(known.pid) !== null
        const waitMs = failures === 0 ? patienceMs : Math.min(200 * 2 ** failures, patienceMs)
        if (isAlive || performance.now() - startedAt < (failures === 0 ? patienceMs : waitMs)) return
        start()
      }
    },
    agree: async (pointer) => {
      if (known && !isDeepStrictEqual(known.pointer, pointer)) known = await repair(control, pointer, say)
    },
    stop: async () => {
      const { pid } = await control.status().catch(() => known ?? { pid: 0 })
      const identity = processIdentity(pid)
      if (!identity) return
      const isAlive = () => processIdentity(pid)?.startedAt === identity.startedAt
      process.kill(pid, 'SIGTERM')
      const deadline = performance.now() + stopBoundMs
      while (isAlive() && performance.now() < deadline) await sleep(20)
      if (isAlive()) process.kill(pid, 'SIGKILL')
    },
  }
}

/** The store is the truth. A 409 means that a newer pointer got there first: the next look compares again. */
async function repair(
  control: FrontControl,
  pointer: FrontStatus['pointer'],
  say: (message: string) => void,
): Promise<FrontStatus | undefined> {
  try {
    const status = await control.putPointer(pointer)
    say(`the front routes to ${pointer.active?.slot ?? 'nothing'} again, as the store says`)
    return status
  } catch (error) {
    if (error instanceof FrontError && error.status === 409) return undefined
    throw error
  }
}
