import { spawn } from 'node:child_process'
import { chownSync, closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity, type ProcessIdentity } from '../process-identity.ts'
import { assertOurs, type PostgresLayout, socketDir } from './layout.ts'
import { keepLogSmall } from './server-log.ts'
import { livingPostmaster, readPidFile, signal, strayProcesses } from './postmaster.ts'
import type { PostgresPrograms } from './programs.ts'
import { commandFor, type RunAs, serverEnvironment } from './run-as.ts'
import { accessText, type PostgresSettings, settingsText } from './settings.ts'

export type PostgresLog = { info(message: string): void; warn(message: string): void }

export type ServerPlan = {
  layout: PostgresLayout
  programs: PostgresPrograms
  runAs: RunAs
  durability: PostgresSettings['durability']
  port: number
  log: PostgresLog
}

export type Server = { identity: ProcessIdentity; port: number; socketDir: string }

/** The server did not come up; `because` decides whether another try can help. */
export class ServerStartError extends Error {
  override readonly name = 'ServerStartError'
  readonly because: 'port-taken' | 'socket-refused' | 'memory-in-use' | 'pid-file' | 'other'

  constructor(because: ServerStartError['because'], logTail: string, logFile: string) {
    super(`The database did not start. The end of ${logFile}:\n${logTail}`)
    this.because = because
  }
}

const memoryPatienceMs = 15_000

/** Starts the server and waits until it accepts connections, through the troubles that pass by themselves. */
export async function startServer(plan: ServerPlan): Promise<Server> {
  const startedAt = performance.now()
  let short = false
  for (;;) {
    try {
      return await startOnce(plan, short)
    } catch (error) {
      if (!(error instanceof ServerStartError)) throw error
      if (error.because === 'socket-refused' && !short) {
        short = true
        continue
      }
      const waitedMs = performance.now() - startedAt
      const passes = error.because === 'memory-in-use' || error.because === 'pid-file'
      if (!passes || waitedMs > memoryPatienceMs) throw error
      if (waitedMs > 1_000 && !livingPostmaster(plan.layout.clusterDir)) {
        for (const stray of strayProcesses(plan.layout.clusterDir)) {
          plan.log.warn(`ending process ${stray.pid}, left behind by a database server that was killed`)
          signal(stray.pid, 'SIGKILL')
        }
      }
      await sleep(200)
    }
  }
}

async function startOnce(plan: ServerPlan, short: boolean): Promise<Server> {
  const { layout, runAs, port } = plan
  const dir = socketDir(layout, { short })
  assertOurs(dir, runAs.kind === 'dropped' ? runAs.uid : (process.getuid?.() ?? 0))
  const settings = settingsText({
    port,
    socketDir: dir,
    durability: plan.durability,
    programsVersion: plan.programs.version,
  })
  writeForServer(plan, 'postgresql.conf', settings)
  writeForServer(plan, 'pg_hba.conf', accessText)
  keepLogSmall(layout.logFile)

  const log = openSync(layout.logFile, 'a', 0o600)
  const logStart = statSync(layout.logFile).size
  const command = commandFor(runAs, join(plan.programs.binDir, 'postgres'), ['-D', layout.clusterDir])
  // In a session of its own: Ctrl-C in the terminal must reach us only, we stop it last.
  const child = spawn(command.program, command.args, {
    ...command.options,
    cwd: '/',
    env: serverEnvironment,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  let ended: string | undefined
  child.once('error', (error) => (ended = error.message))
  child.once('exit', (code, signalName) => (ended = `ended with ${signalName ?? code}`))
  child.unref()

  let saidAt = performance.now()
  for (;;) {
    await sleep(10)
    const file = readPidFile(layout.clusterDir)
    if (file?.ready && file.pid === child.pid) {
      const identity = processIdentity(file.pid)
      if (identity) return { identity, port, socketDir: dir }
    }
    if (ended !== undefined) {
      const text = readFileSync(layout.logFile, 'utf8').slice(logStart).trim()
      throw new ServerStartError(reasonIn(text), [text, ended].filter(Boolean).join('\n'), layout.logFile)
    }
    if (performance.now() - saidAt > 10_000) {
      saidAt = performance.now()
      plan.log.info('the database is still recovering what it had not written when it was stopped')
    }
  }
}

function reasonIn(log: string): ServerStartError['because'] {
  if (/pre-existing shared memory block/.test(log)) return 'memory-in-use'
  if (/lock file "postmaster\.pid" (already exists|is empty)/.test(log)) return 'pid-file'
  if (/could not bind IPv4 address|could not create any TCP\/IP sockets/.test(log)) return 'port-taken'
  if (/Unix-domain socket|Unix address|lock file "[^"]*\.s\.PGSQL/.test(log)) return 'socket-refused'
  return 'other'
}

function writeForServer(plan: ServerPlan, name: string, text: string): void {
  const path = join(plan.layout.clusterDir, name)
  writeFileSync(path, text, { mode: 0o600 })
  if (plan.runAs.kind === 'dropped') chownSync(path, plan.runAs.uid, plan.runAs.gid)
}
