import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'

export type HostFigures = {
  /** Shares 0 to 1 of this machine; network in bytes a second, both directions, without loopback; null where the system does not tell. */
  cpu: number | null
  memory: number
  disk: number
  network: number | null
}

/** Looks at this machine; processor and network are means since the last look, null at the first. `folder` is on the disk that counts. */
export function openHostFigures(folder: string): (now: Date) => Promise<HostFigures> {
  let before = { cpu: cpuTimes(), network: networkBytes(), at: Date.now() }
  let isFirst = true
  return async (now) => {
    const current = { cpu: cpuTimes(), network: networkBytes(), at: now.getTime() }
    const busyOf = current.cpu.total - before.cpu.total
    const seconds = (current.at - before.at) / 1_000
    const figures: HostFigures = {
      cpu: isFirst || busyOf <= 0 ? null : 1 - (current.cpu.idle - before.cpu.idle) / busyOf,
      memory: 1 - availableMemory() / totalmem(),
      disk: await diskShare(folder),
      network:
        isFirst || current.network === null || before.network === null || seconds <= 0
          ? null
          : Math.max(0, current.network - before.network) / seconds,
    }
    before = current
    isFirst = false
    return figures
  }
}

function cpuTimes(): { idle: number; total: number } {
  let idle = 0
  let total = 0
  for (const { times } of cpus()) {
    idle += times.idle
    total += times.user + times.nice + times.sys + times.idle + times.irq
  }
  return { idle, total }
}

/** What programs could still get; caches count as free. */
function availableMemory(): number {
  try {
    const [, kilobytes] = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'latin1')) ?? []
    return kilobytes ? Number(kilobytes) * 1_024 : freemem()
  } catch {
    return freemem()
  }
}

function networkBytes(): number | null {
  try {
    return readFileSync('/proc/net/dev', 'latin1')
      .split('\n')
      .map((line) => /^\s*([^:\s]+):\s*(.*)$/.exec(line))
      .filter((match) => match !== null && match[1] !== 'lo')
      .reduce((sum, match) => {
        const columns = (match?.[2] ?? '').trim().split(/\s+/).map(Number)
        return sum + (columns[0] ?? 0) + (columns[8] ?? 0)
      }, 0)
  } catch {
    return null
  }
}

async function diskShare(folder: string): Promise<number> {
  const space = await statfs(folder)
  // As df has it: what only root may use is not there for us.
  const used = space.blocks - space.bfree
  return used + space.bavail === 0 ? 1 : used / (used + space.bavail)
}
