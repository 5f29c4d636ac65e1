import { existsSync } from 'node:fs'
import path from 'node:path'
import { type Environment, hostFolders } from '../environments/environment.ts'
import type { Slot } from '../deployments/deployment.ts'
import { inheritedEnvironment } from './config.ts'
import { type KeptProcess, keepProcess } from './kept-process.ts'
import { slotLogFile } from './process-log.ts'

export type SlotProcesses = { web: KeptProcess; worker: KeptProcess }

/** As `./dam up` starts them: young garbage is collected early, old garbage not before there is some. */
const nodeFlags = {
  web: ['--max-semi-space-size=2', '--initial-old-space-size=96'],
  worker: ['--max-semi-space-size=2'],
} as const
const nativeEnvironment = { UV_THREADPOOL_SIZE: '16', MALLOC_ARENA_MAX: '2' }
const stopBoundMs = 32_000
const workerIsUpAfterMs = 2_000

export type SlotOptions = {
  hostDir: string
  runDir: string
  slot: Slot
  /** Asked at every start, so that changed settings reach the next process. */
  environment: () => Environment
  databaseUrl: () => string
  memoryBoundBytes: number | null
  memoryPatienceMs: number
  say: (message: string) => void
}

/** The two processes of a slot, adopted where they run already. */
export function keepSlot(options: SlotOptions): SlotProcesses {
  const { slot, runDir, hostDir } = options
  const keep = (role: 'web' | 'worker'): KeptProcess => {
    const mark = `${slot.id}-${role}`
    return keepProcess(
      {
        name: `${slot.id} ${role} (${slot.tag})`,
        command: nodeOf(slot.releaseDir),
        args: [...nodeFlags[role], path.join(slot.releaseDir, 'backend/src/main.ts'), role],
        cwd: slot.releaseDir,
        env: () => ({ ...slotEnvironment(options.environment(), slot, options.databaseUrl()), DAM_PROCESS: mark }),
        mark: `DAM_PROCESS=${mark}`,
        pidFile: path.join(runDir, `${mark}.process`),
        logFile: slotLogFile(hostFolders(hostDir).logs, slot.id),
        stopBoundMs,
        memoryBoundBytes: options.memoryBoundBytes,
        memoryPatienceMs: options.memoryPatienceMs,
        isUp: (upForMs) => (role === 'web' ? answersReady(slot.port) : Promise.resolve(upForMs > workerIsUpAfterMs)),
        say: options.say,
      },
      slot.observed?.[role],
    )
  }
  return { web: keep('web'), worker: keep('worker') }
}

const slotEnvironment = (environment: Environment, slot: Slot, databaseUrl: string): Record<string, string> => ({
  ...inheritedEnvironment(),
  ...nativeEnvironment,
  ...environment.settings,
  HOST: '127.0.0.1',
  PORT: String(slot.port),
  DAM_DATA: environment.dataDir,
  DATABASE_URL: databaseUrl,
  DAM_PUBLIC_URL: environment.publicUrl,
  DAM_TRUST_PROXY: 'yes',
  DAM_LOG_STDOUT: 'no',
  DAM_SLOT: slot.id,
})

/** The Node.js a release was built for comes with it. */
function nodeOf(releaseDir: string): string {
  const own = path.join(releaseDir, 'toolchain/node_modules', `node-${process.platform}-${process.arch}`, 'bin/node')
  return existsSync(own) ? own : process.execPath
}

async function answersReady(port: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(1_000) })
  await response.body?.cancel()
  return response.ok
}
