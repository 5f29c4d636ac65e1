import type { Vote } from '../causes.ts'
import { type Findings, known } from '../findings.ts'
import { type MemoryHistory, slopeBytesPerHour } from '../memory-history.ts'
import type { ProcessState } from '../probes/processes.ts'

const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MB`
const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`

/** Processes that are stopped, missing, or that nobody reaches. */
export function processVotes(findings: Findings): Vote[] {
  const processes = known(findings, 'processes')
  if (!processes) return []
  const votes: Vote[] = []
  for (const one of processes.filter(({ state }) => state === 'T' || state === 't')) {
    const isDatabase = one.role === 'database'
    votes.push({
      cause: isDatabase ? 'database-hung' : 'process-stopped',
      weight: 10,
      evidence: `${one.process} (${one.pid}) is stopped: the kernel shows state ${one.state}`,
      subject: { pid: one.pid, process: one.process, startedAt: one.startedAt },
    })
  }
  const has = (role: ProcessState['role']): boolean => processes.some((one) => one.role === role)
  for (const role of ['web', 'worker'] as const)
    if (!has(role))
      votes.push({
        cause: 'process-missing',
        weight: role === 'web' ? 5 : 4,
        evidence: `no process "dam: ${role}" runs`,
      })
  const health = known(findings, 'health')
  if (health && health.endpoints.every(({ status }) => status === null)) {
    const because = health.endpoints[0]?.because ?? ''
    votes.push({
      cause: 'system-down',
      weight: has('web') ? 3 : 1,
      evidence: `${health.address} does not answer: ${because}`,
    })
  }
  for (const one of processes)
    if (one.openFiles !== null && one.mostFiles !== null && one.mostFiles > 0 && one.openFiles > one.mostFiles * 0.9)
      votes.push({
        cause: 'process-leak',
        weight: 5,
        evidence: `${one.process} (${one.pid}) has ${one.openFiles} of ${one.mostFiles} files open`,
        subject: { pid: one.pid, process: one.process, startedAt: one.startedAt },
      })
  const queue = known(findings, 'metrics')?.queue
  if (queue && queue.oldestSeconds > 60)
    votes.push({
      cause: 'queue-backlog',
      weight: Math.min(5, 2 + queue.oldestSeconds / 300),
      evidence: `${queue.waiting} jobs wait, the oldest for ${Math.round(queue.oldestSeconds)} s`,
    })
  return votes
}

/** Growth that no work explains: bytes a second at which a process is suspect. */
const suspiciousGrowth = 3 * 1024 ** 2

/** Who has the memory, and who takes more of it. */
export function memoryVotes(findings: Findings, history: MemoryHistory): Vote[] {
  const votes: Vote[] = []
  const web = known(findings, 'metrics')?.web
  const seconds = known(findings, 'metrics')?.seconds ?? 1
  for (const one of known(findings, 'processes') ?? []) {
    if (!['web', 'worker', 'front', 'keeper'].includes(one.role)) continue
    const subject = { pid: one.pid, process: one.process, startedAt: one.startedAt }
    const heapGrowth = one.role === 'web' && web ? (web.heapBytes - web.heapBytesBefore) / seconds : null
    if (one.growth >= suspiciousGrowth)
      votes.push({
        cause: 'process-leak',
        weight:
          Math.min(8, 4 + one.growth / (8 * 1024 ** 2)) *
          (one.residentBytes > 256 * 1024 ** 2 || one.growth > 5 * 1024 ** 2 ? 1 : 0.7),
        evidence: `${one.process} (${one.pid}) grows by ${megabytes(one.growth)} a second and holds ${megabytes(one.residentBytes)}${heapGrowth === null ? '' : heapGrowth > one.growth / 2 ? '; it is JavaScript heap' : '; it is outside the JavaScript heap (buffers)'}`,
        subject,
      })
    const slope = slopeBytesPerHour(history, one.pid, one.startedAt)
    if (slope && slope.perHour > 50 * 1024 ** 2 && slope.hours >= 0.25)
      votes.push({
        cause: 'process-leak',
        weight: Math.min(6, 2 + slope.perHour / (100 * 1024 ** 2)),
        evidence: `${one.process} (${one.pid}) has grown by ${megabytes(slope.perHour)} an hour over ${slope.hours.toFixed(1)} h, from ${megabytes(slope.firstBytes)} to ${megabytes(one.residentBytes)}`,
        subject,
      })
    if (one.residentBytes > 1.5 * 1024 ** 3)
      votes.push({
        cause: 'process-leak',
        weight: 4,
        evidence: `${one.process} (${one.pid}) holds ${megabytes(one.residentBytes)}`,
        subject,
      })
  }
  votes.push(...memoryOfMachineVotes(findings))
  return votes
}

function memoryOfMachineVotes(findings: Findings): Vote[] {
  const machine = known(findings, 'machine')
  if (!machine) return []
  const votes: Vote[] = []
  const used = 1 - machine.availableBytes / machine.totalBytes
  const mine = (known(findings, 'processes') ?? []).reduce((sum, { residentBytes }) => sum + residentBytes, 0)
  if (used > 0.8) {
    const [foreign] = machine.foreign.byMemory
    const isForeign = foreign && foreign.residentBytes > Math.max(mine, machine.totalBytes * 0.2)
    votes.push({
      cause: isForeign ? 'other-process-memory' : 'memory-load',
      weight: isForeign ? 7 : 4,
      evidence: `${Math.round(used * 100)} % of ${gigabytes(machine.totalBytes)} are in use, ${gigabytes(mine)} by DAM${foreign ? `, ${gigabytes(foreign.residentBytes)} by ${foreign.process} (${foreign.pid})` : ''}`,
      ...(isForeign ? { subject: { pid: foreign.pid, process: foreign.process } } : {}),
    })
  }
  const converters = (known(findings, 'processes') ?? []).filter(({ role }) => role === 'converter')
  const converterBytes = converters.reduce((sum, { residentBytes }) => sum + residentBytes, 0)
  if (converterBytes > machine.totalBytes * 0.25)
    votes.push({
      cause: 'converter-load',
      weight: 5,
      evidence: `${converters.length} converters hold ${gigabytes(converterBytes)}`,
    })
  const { limit } = machine
  if (limit && limit.usedBytes > limit.bytes * 0.9)
    votes.push({
      cause: 'memory-load',
      weight: 5,
      evidence: `the control group uses ${gigabytes(limit.usedBytes)} of ${gigabytes(limit.bytes)}, ${limit.kills} processes ended for it so far`,
    })
  const [line] = (machine.outOfMemory ?? []).slice(-1)
  if (line)
    votes.push({
      cause: 'out-of-memory',
      weight: 6,
      evidence: `the kernel within the last hour: ${line.slice(0, 160)}`,
    })
  return votes
}

/** Who has the processors. */
export function processorVotes(findings: Findings): Vote[] {
  const machine = known(findings, 'machine')
  if (!machine || machine.cpu < 0.85) return []
  const mine = (known(findings, 'processes') ?? []).reduce((sum, { cpu }) => sum + cpu, 0)
  const [top] = machine.foreign.byCpu
  const busy = machine.cpu * machine.processors
  if (top && top.cpu > Math.max(mine, busy * 0.4))
    return [
      {
        cause: 'cpu-other-process',
        weight: 5,
        evidence: `the processors are ${Math.round(machine.cpu * 100)} % busy: ${top.process} (${top.pid}) uses ${top.cpu.toFixed(1)}, DAM ${mine.toFixed(1)} of ${machine.processors}`,
        subject: { pid: top.pid, process: top.process },
      },
    ]
  return [
    {
      cause: 'cpu-load',
      weight: mine > busy / 2 ? 4 : 1.5,
      evidence: `the processors are ${Math.round(machine.cpu * 100)} % busy, load ${machine.load.toFixed(1)}: DAM uses ${mine.toFixed(1)} of ${machine.processors}`,
    },
  ]
}

export function diskVotes(findings: Findings): Vote[] {
  const disk = known(findings, 'machine')?.disk
  if (!disk) return []
  const free = disk.freeBytes / disk.totalBytes
  const freeFiles = disk.files === 0 ? 1 : disk.freeFiles / disk.files
  if (free > 0.05 && freeFiles > 0.02) return []
  return [
    {
      cause: 'disk-full',
      weight: free < 0.01 || freeFiles < 0.005 ? 9 : free < 0.03 ? 5 : 3,
      evidence: `${gigabytes(disk.freeBytes)} of ${gigabytes(disk.totalBytes)} are free, ${disk.freeFiles} of ${disk.files} inodes`,
    },
  ]
}
