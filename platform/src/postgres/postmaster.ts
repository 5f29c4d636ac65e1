import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity, type ProcessIdentity } from '../process-identity.ts'

/** What postmaster.pid says. `ready` is true once the server accepts connections. */
export type PidFile = { pid: number; port: number | null; socketDir: string | null; ready: boolean }

export function readPidFile(clusterDir: string): PidFile | null {
  let lines: string[]
  try {
    lines = readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return null
  }
  const pid = Number(lines[0])
  const port = Number(lines[3])
  return {
    pid: Number.isInteger(pid) ? Math.abs(pid) : 0,
    port: Number.isInteger(port) && port > 0 ? port : null,
    socketDir: lines[4]?.trim() || null,
    ready: lines[7]?.trim() === 'ready',
  }
}

/**
 * The server of this cluster that postmaster.pid names, or null when it is gone: the number is free, a zombie's,
 * or has been given to a program that is not PostgreSQL on this very cluster.
 */
export function livingPostmaster(clusterDir: string): (PidFile & { identity: ProcessIdentity }) | null {
  const file = readPidFile(clusterDir)
  if (!file) return null
  const identity = processIdentity(file.pid)
  return identity && servesCluster(identity, clusterDir) ? { ...file, identity } : null
}

function servesCluster(identity: ProcessIdentity, clusterDir: string): boolean {
  // A backend's program may be unreadable from outside its user namespace; then its command line decides.
  const program = identity.program ?? identity.commandLine
  if (!/postgres( |$)/.test(program)) return false
  return identity.directory === null ? identity.commandLine.includes(clusterDir) : identity.directory === clusterDir
}

/** Processes of this cluster that outlived their postmaster and keep its shared memory. Linux only: they show by folder. */
export function strayProcesses(clusterDir: string): ProcessIdentity[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processIdentity(Number(name)))
    .filter((identity) => identity !== null)
    .filter((identity) => servesCluster(identity, clusterDir))
}

export type StopBounds = { fastMs: number; immediateMs: number; killMs: number }

const usualBounds: StopBounds = { fastMs: 8_000, immediateMs: 3_000, killMs: 2_000 }

/**
 * Ends a server: SIGINT lets it write everything out; one that hangs gets SIGQUIT (it recovers at its next start),
 * and one that hangs even then SIGKILL together with what it left behind. Returns how far that went.
 */
export async function stopPostmaster(
  postmaster: ProcessIdentity,
  clusterDir: string,
  bounds: StopBounds = usualBounds,
): Promise<'fast' | 'immediate' | 'killed'> {
  const alive = () => processIdentity(postmaster.pid)?.startedAt === postmaster.startedAt
  const endedWithin = async (limitMs: number) => {
    const deadline = performance.now() + limitMs
    while (alive()) {
      if (performance.now() > deadline) return false
      await sleep(10)
    }
    return true
  }
  const steps = [
    { signal: 'SIGINT', limitMs: bounds.fastMs, outcome: 'fast' },
    { signal: 'SIGQUIT', limitMs: bounds.immediateMs, outcome: 'immediate' },
  ] as const
  for (const step of steps) {
    signal(postmaster.pid, step.signal)
    if (await endedWithin(step.limitMs)) return step.outcome
  }
  signal(postmaster.pid, 'SIGKILL')
  await endedWithin(bounds.killMs)
  for (const stray of strayProcesses(clusterDir)) signal(stray.pid, 'SIGKILL')
  return 'killed'
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
