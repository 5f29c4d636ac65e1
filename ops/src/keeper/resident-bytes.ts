import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Memory of a process that is in RAM now; 0 when it is gone. */
export function residentBytes(pid: number): number {
  try {
    if (process.platform === 'linux') {
      const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
      return Number(kilobytes ?? 0) * 1024
    }
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1024
  } catch {
    return 0
  }
}
