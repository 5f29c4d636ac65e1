import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

/** A process that runs now. `startedAt` tells it apart from a later one that was given the same number. */
export type ProcessIdentity = {
  pid: number
  /** Opaque; equal only for the same process since the same boot. */
  startedAt: string
  /** Absolute path of the program, without the kernel's " (deleted)"; null when it may not be read. */
  program: string | null
  /** Working directory; null when it may not be read (always on macOS). */
  directory: string | null
  /** Arguments joined by spaces. */
  commandLine: string
}

/** What runs under `pid`, or null when nothing does. A zombie, dead but not yet reaped, counts as nothing. */
export function processIdentity(pid: number): ProcessIdentity | null {
  if (!Number.isInteger(pid) || pid <= 0) return null
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid)
}

function fromProc(pid: number): ProcessIdentity | null {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  // The name stands in brackets and may itself hold brackets and spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return null
  return {
    pid,
    startedAt: `${bootId()}/${fields[19] ?? ''}`,
    program: attempt(() => readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '')),
    directory: attempt(() => readlinkSync(`/proc/${pid}/cwd`)),
    commandLine: attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()) ?? '',
  }
}

function fromPs(pid: number): ProcessIdentity | null {
  const ps = (columns: string) =>
    attempt(() => execFileSync('ps', ['-o', columns, '-p', String(pid)], { encoding: 'utf8' }).trim())
  const line = ps('stat=,lstart=')
  if (!line || line.startsWith('Z')) return null
  return {
    pid,
    startedAt: line.replace(/^\S+\s+/, ''),
    program: ps('comm='),
    directory: null,
    commandLine: ps('command=') ?? '',
  }
}

function attempt<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}

let knownBootId: string | undefined
const bootId = (): string =>
  (knownBootId ??= attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ?? '')
