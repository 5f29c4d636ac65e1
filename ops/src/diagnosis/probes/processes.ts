import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { livingPostmaster } from '@dam/platform/postgres/postmaster'
import { postgresLayout } from '@dam/platform/postgres/layout'
import { NotThere } from '../probe.ts'

export type ProcessState = {
  pid: number
  /** As `ps` shows it: `dam: web`, `dam: worker production-3`, `postgres`. */
  process: string
  role: 'web' | 'worker' | 'front' | 'keeper' | 'database' | 'converter' | 'other'
  /** Kernel's letter: T is stopped, D waits for a disk, Z is dead. */
  state: string
  residentBytes: number
  /** Bytes a second between the two looks. */
  growth: number
  /** Processors in use between the two looks. */
  cpu: number
  openFiles: number | null
  mostFiles: number | null
  startedAt: string
}

type Look = {
  pid: number
  residentBytes: number
  ticks: number
  state: string
  startTicks: number
  name: string
  parent: number
}

export const ticksPerSecond = 100

/** All processes of an environment, by the data folder they were started with. Looks twice. */
export async function readProcesses(dataDir: string, gapMs: number): Promise<ProcessState[]> {
  if (process.platform !== 'linux') throw new NotThere('processes are read from /proc, which only Linux has')
  const mine = processesOf(dataDir)
  const before = new Map(mine.map((pid) => [pid, lookAt(pid)]))
  const startedAt = performance.now()
  await sleep(gapMs)
  const seconds = (performance.now() - startedAt) / 1_000
  const bootMs = bootTimeMs()
  return mine.flatMap((pid) => {
    const then = before.get(pid)
    const now = lookAt(pid)
    if (!then || !now || then.startTicks !== now.startTicks) return []
    const name = titleOf(pid) || now.name
    return [
      {
        pid,
        process: name,
        role: roleOf(name),
        state: now.state,
        residentBytes: now.residentBytes,
        growth: (now.residentBytes - then.residentBytes) / seconds,
        cpu: (now.ticks - then.ticks) / ticksPerSecond / seconds,
        openFiles: attempt(() => readdirSync(`/proc/${pid}/fd`).length),
        mostFiles: attempt(() =>
          Number(/^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))?.[1] ?? 0),
        ),
        startedAt: new Date(bootMs + (now.startTicks / ticksPerSecond) * 1_000).toISOString(),
      },
    ]
  })
}

/** Numbers of the processes whose DAM_DATA is that folder, their children, and the built-in database. */
export function processesOf(dataDir: string): number[] {
  const folder = attempt(() => realpathSync(dataDir)) ?? dataDir
  const all = allPids()
  const found = new Set<number>()
  for (const pid of all) {
    const environment = attempt(() => readFileSync(`/proc/${pid}/environ`, 'latin1')) ?? ''
    const data = /(?:^|\0)DAM_DATA=([^\0]*)/.exec(environment)?.[1]
    if (data === undefined || !/^dam: (web|worker|front|keeper|converter)/.test(titleOf(pid))) continue
    if (data === dataDir || attempt(() => realpathSync(data)) === folder) found.add(pid)
  }
  const postmaster = attempt(() => livingPostmaster(postgresLayout(folder).clusterDir))
  if (postmaster) found.add(postmaster.pid)
  const parents = new Map(all.map((pid) => [pid, lookAt(pid)?.parent ?? 0]))
  for (let grew = true; grew;) {
    grew = false
    for (const [pid, parent] of parents)
      if (!found.has(pid) && found.has(parent)) {
        found.add(pid)
        grew = true
      }
  }
  return [...found]
}

export const allPids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

export const titleOf = (pid: number): string =>
  (attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').replaceAll('\0', ' ').trim().slice(0, 200)

function roleOf(title: string): ProcessState['role'] {
  const [, role] = /^dam: (web|worker|front|keeper|converter)/.exec(title) ?? []
  if (role) return role as ProcessState['role']
  return /postgres/.test(title) ? 'database' : 'other'
}

export function lookAt(pid: number): Look | null {
  return attempt(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return {
      pid,
      name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
      state: fields[0] ?? '',
      parent: Number(fields[1] ?? 0),
      ticks: Number(fields[11] ?? 0) + Number(fields[12] ?? 0),
      startTicks: Number(fields[19] ?? 0),
      residentBytes: Number(resident ?? 0) * 1_024,
    }
  })
}

/** When a process started, to about a hundredth of a second; null when it is gone. */
export function startedAtOf(pid: number): string | null {
  const look = lookAt(pid)
  return look && new Date(bootTimeMs() + (look.startTicks / ticksPerSecond) * 1_000).toISOString()
}

function bootTimeMs(): number {
  const seconds = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]
  return Number(seconds ?? 0) * 1_000
}

function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
