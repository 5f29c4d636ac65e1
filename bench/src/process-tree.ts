import { readdirSync, readFileSync } from 'node:fs'

export type ProcessFacts = {
  pid: number
  parent: number
  /** What it is known as: up, web, worker, converter, postgres, exiftool, or the name of the program. */
  role: string
  /** CPU it used itself, and CPU of its descendants that have ended, milliseconds. */
  ownCpuMs: number
  endedCpuMs: number
}

const tickMs = 10 // USER_HZ is 100 on every Linux.

/** The process and everything below it that is alive. Linux only. */
export function readTree(rootPid: number): ProcessFacts[] {
  const children = new Map<number, Stat[]>()
  let root: Stat | undefined
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readStat(Number(name))
    if (!stat) continue
    if (stat.pid === rootPid) root = stat
    const siblings = children.get(stat.parent)
    if (siblings) siblings.push(stat)
    else children.set(stat.parent, [stat])
  }
  if (!root) throw new Error(`Process ${rootPid} is gone.`)
  const found: ProcessFacts[] = []
  const walk = (stat: Stat, parentRole: string): void => {
    const role = roleOf(stat, parentRole)
    found.push({
      pid: stat.pid,
      parent: stat.parent,
      role,
      ownCpuMs: stat.ownTicks * tickMs,
      endedCpuMs: stat.endedTicks * tickMs,
    })
    for (const child of children.get(stat.pid) ?? []) walk(child, role)
  }
  walk(root, '')
  return found
}

/**
 * CPU that the tree has used so far by role, milliseconds, user and system together. What an ended process used is in
 * its parent's account: it is given to the role such children have.
 */
export function cpuByRole(rootPid: number): Map<string, number> {
  const sums = new Map<string, number>()
  const add = (role: string, ms: number): void => void sums.set(role, (sums.get(role) ?? 0) + ms)
  for (const { role, ownCpuMs, endedCpuMs } of readTree(rootPid)) {
    add(role, ownCpuMs)
    add(endedRole[role] ?? role, endedCpuMs)
  }
  return sums
}

const endedRole: Record<string, string> = { worker: 'converter' }

export const total = (sums: ReadonlyMap<string, number>): number =>
  [...sums.values()].reduce((sum, value) => sum + value, 0)

export function difference(
  after: ReadonlyMap<string, number>,
  before: ReadonlyMap<string, number>,
): Map<string, number> {
  return new Map([...after].map(([role, value]) => [role, value - (before.get(role) ?? 0)]))
}

/** Memory of one process with shared pages divided among their users, bytes; 0 when it is gone or not ours to see. */
export function pssBytes(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

type Stat = { pid: number; parent: number; name: string; ownTicks: number; endedTicks: number }

function readStat(pid: number): Stat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  const end = text.lastIndexOf(')')
  const fields = text
    .slice(end + 2)
    .split(' ')
    .map(Number)
  const field = (number: number): number => fields[number - 3] ?? 0
  return {
    pid,
    parent: field(4),
    name: text.slice(text.indexOf('(') + 1, end),
    ownTicks: field(14) + field(15),
    endedTicks: field(16) + field(17),
  }
}

function roleOf({ pid, name }: Stat, parentRole: string): string {
  if (parentRole === 'postgres') return 'postgres'
  let command: string
  try {
    command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ')
  } catch {
    return name
  }
  const title = /^dam: (\w+)/.exec(command)?.[1]
  if (title) return title
  if (/(^|\/)postgres( |$)/.test(command)) return 'postgres'
  if (/exiftool/.test(command)) return 'exiftool'
  return parentRole === 'worker' ? 'converter' : name
}
