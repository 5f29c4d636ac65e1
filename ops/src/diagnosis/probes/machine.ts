import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { cpus, freemem, loadavg, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { allPids, lookAt, processesOf, ticksPerSecond, titleOf } from './processes.ts'

export type ForeignProcess = { pid: number; process: string; residentBytes: number; cpu: number; growth: number }
export type MachineState = {
  processors: number
  /** Share of the processors busy between the two looks. */
  cpu: number
  load: number
  totalBytes: number
  availableBytes: number
  swapUsedBytes: number
  /** Of the control group, where there is one with a limit. */
  limit: { bytes: number; usedBytes: number; kills: number } | null
  /** Lines of the kernel about processes it ended for want of memory; null where it does not let us read them. */
  outOfMemory: string[] | null
  /** What is not DAM's: most memory, most processor. */
  foreign: { byMemory: ForeignProcess[]; byCpu: ForeignProcess[] }
  disk: { totalBytes: number; freeBytes: number; files: number; freeFiles: number }
}

export async function readMachine(dataDir: string, gapMs: number): Promise<MachineState> {
  const isLinux = process.platform === 'linux'
  const mine = isLinux ? new Set(processesOf(dataDir)) : new Set<number>()
  const looksOf = () =>
    new Map((isLinux ? allPids() : []).filter((pid) => !mine.has(pid)).map((pid) => [pid, lookAt(pid)]))
  const before = { cpu: cpuTimes(), looks: looksOf(), at: performance.now() }
  const kernel = outOfMemoryLines()
  await sleep(gapMs)
  const seconds = (performance.now() - before.at) / 1_000
  const now = cpuTimes()
  const foreign = [...looksOf()].flatMap(([pid, look]): ForeignProcess[] => {
    const then = before.looks.get(pid)
    if (!look || pid === process.pid) return []
    const isSame = then?.startTicks === look.startTicks
    return [
      {
        pid,
        process: look.name,
        residentBytes: look.residentBytes,
        cpu: isSame ? (look.ticks - then.ticks) / ticksPerSecond / seconds : 0,
        growth: isSame ? (look.residentBytes - then.residentBytes) / seconds : 0,
      },
    ]
  })
  const top = (by: 'residentBytes' | 'cpu'): ForeignProcess[] =>
    foreign
      .toSorted((a, b) => b[by] - a[by])
      .slice(0, 5)
      .map((one) => ({ ...one, process: titleOf(one.pid).slice(0, 80) || one.process }))
  const disk = await statfs(dataDir)
  const memory = memoryInfo()
  return {
    processors: cpus().length,
    cpu: now.total > before.cpu.total ? 1 - (now.idle - before.cpu.idle) / (now.total - before.cpu.total) : 0,
    load: loadavg()[0] ?? 0,
    totalBytes: totalmem(),
    availableBytes: memory.available ?? freemem(),
    swapUsedBytes: memory.swapUsed,
    limit: memoryLimit(),
    outOfMemory: await kernel,
    foreign: { byMemory: top('residentBytes'), byCpu: top('cpu') },
    disk: {
      totalBytes: disk.blocks * disk.bsize,
      freeBytes: disk.bavail * disk.bsize,
      files: disk.files,
      freeFiles: disk.ffree,
    },
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

function memoryInfo(): { available: number | null; swapUsed: number } {
  const text = read('/proc/meminfo') ?? ''
  const of = (name: string): number | null => {
    const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]
    return kilobytes === undefined ? null : Number(kilobytes) * 1_024
  }
  return { available: of('MemAvailable'), swapUsed: (of('SwapTotal') ?? 0) - (of('SwapFree') ?? 0) }
}

/** Version 2 of control groups, the group we are in. */
function memoryLimit(): MachineState['limit'] {
  const group = /^0::(.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1]
  if (group === undefined) return null
  const folder = `/sys/fs/cgroup${group === '/' ? '' : group}`
  const most = read(`${folder}/memory.max`)?.trim()
  if (most === undefined || most === 'max') return null
  return {
    bytes: Number(most),
    usedBytes: Number(read(`${folder}/memory.current`) ?? 0),
    kills: Number(/^oom_kill (\d+)$/m.exec(read(`${folder}/memory.events`) ?? '')?.[1] ?? 0),
  }
}

async function outOfMemoryLines(): Promise<string[] | null> {
  try {
    const { stdout } = await promisify(execFile)('dmesg', ['--since', '1 hour ago', '--time-format', 'iso'], {
      timeout: 1_000,
      maxBuffer: 8 * 1024 * 1024,
    })
    return stdout
      .split('\n')
      .filter((line) => /Out of memory|oom-kill|Killed process/i.test(line))
      .slice(-10)
  } catch {
    return null
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
