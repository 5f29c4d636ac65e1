import { monitorEventLoopDelay } from 'node:perf_hooks'
import { readFile, statfs } from 'node:fs/promises'
import { cpus, loadavg, totalmem, freemem } from 'node:os'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Satisfaction } from '../feedback/feedback-store.ts'
import { releaseName, type Release } from './release.ts'

export type UploadOutcome = 'stored' | 'duplicate' | 'rejected' | 'failed' | 'cancelled'

/** One function for each thing that happens; each feeds the metrics. */
export type Signals = {
  requestDone(request: { method: string; route: string; status: number; durationMs: number }): void
  refusedInMaintenance(): void
  uploadDone(outcome: UploadOutcome, sizeBytes: number): void
  searchDone(outcome: 'found' | 'empty' | 'failed', durationMs: number): void
  cacheRead(cache: 'shared' | 'renditions' | 'summaries', hit: boolean, times?: number): void
  queryDone(durationMs: number): void
  errorLogged(code: string): void
  /** Prometheus text. */
  render(): Promise<string>
}

export type SignalSources = {
  release: Release
  dataDir: string
  activeUsers: () => number
  pool: () => { total: number; idle: number; waiting: number; max: number }
  queue: () => Promise<{ waiting: number; running: number; failed: number; oldestSeconds: number }>
  databaseUp: () => Promise<boolean>
  storageUp: () => Promise<boolean>
  satisfaction: () => Promise<Satisfaction>
  cacheUp: () => boolean
  workers: () => Promise<{ id: string; rssBytes: number; cpuSeconds: number }[]>
}

export function createSignals(sources: SignalSources): Signals {
  const registry = new Registry()
  const registers = [registry]
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30]

  const requests = new Counter({
    name: 'dam_http_requests_total',
    help: 'Requests by route template, method and status',
    labelNames: ['method', 'route', 'status'],
    registers,
  })
  const durations = new Histogram({
    name: 'dam_http_request_duration_seconds',
    help: 'Time to answer by route template',
    labelNames: ['method', 'route'],
    buckets,
    registers,
  })
  const errors = new Counter({
    name: 'dam_http_errors_total',
    help: 'Requests answered with 5xx by route template',
    labelNames: ['method', 'route'],
    registers,
  })
  const errorRatio = new Gauge({
    name: 'dam_http_error_ratio',
    help: 'Share of requests answered with 5xx over the last five minutes',
    registers,
  })
  const refused = new Counter({
    name: 'dam_maintenance_refused_total',
    help: 'Requests answered 503 because of maintenance; they are in no other figure',
    registers,
  })
  const uploads = new Counter({
    name: 'dam_uploads_total',
    help: 'Uploads by outcome',
    labelNames: ['outcome'],
    registers,
  })
  const uploadBytes = new Counter({ name: 'dam_upload_bytes_total', help: 'Bytes of stored uploads', registers })
  const uploadRatio = new Gauge({
    name: 'dam_upload_success_ratio',
    help: 'Share of ended uploads that were stored (cancelled ones do not count), since start',
    registers,
  })
  const searches = new Counter({
    name: 'dam_searches_total',
    help: 'Searches by outcome',
    labelNames: ['outcome'],
    registers,
  })
  const searchDurations = new Histogram({
    name: 'dam_search_duration_seconds',
    help: 'Time to search',
    buckets,
    registers,
  })
  const searchRatio = new Gauge({
    name: 'dam_search_success_ratio',
    help: 'Share of searches that found something, since start',
    registers,
  })
  const cacheReads = new Counter({
    name: 'dam_cache_reads_total',
    help: 'Cache look-ups by result',
    labelNames: ['cache', 'result'],
    registers,
  })
  const queries = new Histogram({
    name: 'dam_database_query_duration_seconds',
    help: 'Time of database statements, waiting for a connection included',
    buckets,
    registers,
  })
  const logged = new Counter({
    name: 'dam_errors_logged_total',
    help: 'ERROR lines by code',
    labelNames: ['code'],
    registers,
  })
  for (const outcome of ['stored', 'duplicate', 'rejected', 'failed', 'cancelled']) uploads.inc({ outcome }, 0)
  for (const outcome of ['found', 'empty', 'failed']) searches.inc({ outcome }, 0)
  for (const cache of ['shared', 'renditions', 'summaries'])
    for (const result of ['hit', 'miss']) cacheReads.inc({ cache, result }, 0)

  // Looked up once: finding a series by its labels costs more than counting in it.
  const readsOf = (cache: string) => ({
    hit: cacheReads.labels({ cache, result: 'hit' }),
    miss: cacheReads.labels({ cache, result: 'miss' }),
  })
  const reads = { shared: readsOf('shared'), renditions: readsOf('renditions'), summaries: readsOf('summaries') }
  type Series = { requests: ReturnType<typeof requests.labels>; durations: ReturnType<typeof durations.labels> }
  const known = new Map<string, Series>()
  const seriesOf = (method: string, route: string, status: number): Series => {
    const key = `${status}${method}${route}`
    const series = known.get(key) ?? {
      requests: requests.labels({ method, route, status }),
      durations: durations.labels({ method, route }),
    }
    known.set(key, series)
    return series
  }

  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  gauge('dam_build_info', 'Release that runs', ['version', 'commit', 'release', 'node']).set(
    {
      version: sources.release.version,
      commit: sources.release.commit,
      release: releaseName(sources.release),
      node: process.version,
    },
    1,
  )
  const satisfaction = gauge(
    'dam_satisfaction_ratio',
    'Share of people whose last rating in 30 days is 4 or 5 of 5; NaN when nobody rated',
  )
  const satisfactionPeople = gauge('dam_satisfaction_people', 'People who rated in the last 30 days')
  const activeUsers = gauge('dam_active_users', 'Users with a request in the last five minutes')
  const up = gauge('dam_dependency_up', '1 where the dependency answers', ['dependency'])
  const pool = gauge('dam_database_pool_connections', 'Database connections by state', ['state'])
  const queueJobs = gauge('dam_queue_jobs', 'Background jobs by state', ['state'])
  const queueAge = gauge('dam_queue_oldest_seconds', 'Age of the oldest job that waits and is due')
  const cpuRatio = gauge('dam_host_cpu_ratio', 'Share of the processors busy since the last look')
  const load = gauge('dam_host_load1', 'Load average of one minute')
  const memory = gauge('dam_host_memory_bytes', 'Memory of the machine', ['state'])
  const network = new Counter({
    name: 'dam_host_network_bytes_total',
    help: 'Bytes over the network interfaces of the machine since it started, without loopback; no row where the system does not tell',
    labelNames: ['direction'],
    registers,
  })
  const disk = gauge('dam_disk_bytes', 'Space of the file system that holds the data folder', ['state'])
  const processMemory = gauge('dam_process_resident_memory_bytes', 'Resident memory by process', ['process'])
  const processCpu = gauge('dam_process_cpu_seconds', 'Processor time by process since its start', ['process'])
  const heap = gauge('dam_process_heap_used_bytes', 'JavaScript heap in use')
  const uptime = gauge('dam_process_uptime_seconds', 'Time since the web process started')
  const lag = gauge('dam_event_loop_lag_seconds', 'Event-loop delay since the last look', ['position'])

  const loop = monitorEventLoopDelay({ resolution: 20 })
  loop.enable()
  const counted = { stored: 0, ended: 0, found: 0, searched: 0 }
  const recent = slidingRatio(5)
  let lastCpu = cpuTimes()

  const look = async (): Promise<void> => {
    activeUsers.set(sources.activeUsers())
    errorRatio.set(recent.ratio())
    uploadRatio.set(counted.ended === 0 ? 1 : counted.stored / counted.ended)
    searchRatio.set(counted.searched === 0 ? 1 : counted.found / counted.searched)
    const connections = sources.pool()
    pool.set({ state: 'in_use' }, connections.total - connections.idle)
    pool.set({ state: 'idle' }, connections.idle)
    pool.set({ state: 'waiting' }, connections.waiting)
    pool.set({ state: 'max' }, connections.max)
    const cpu = cpuTimes()
    const total = cpu.total - lastCpu.total
    if (total > 0) cpuRatio.set(1 - (cpu.idle - lastCpu.idle) / total)
    lastCpu = cpu
    load.set(loadavg()[0] ?? 0)
    memory.set({ state: 'total' }, totalmem())
    memory.set({ state: 'free' }, freemem())
    memory.set({ state: 'available' }, await availableMemory())
    network.reset()
    const traffic = await networkBytes()
    if (traffic !== null) {
      network.inc({ direction: 'receive' }, traffic.received)
      network.inc({ direction: 'transmit' }, traffic.sent)
    }
    const own = process.memoryUsage()
    processMemory.set({ process: 'web' }, own.rss)
    heap.set(own.heapUsed)
    const used = process.cpuUsage()
    processCpu.set({ process: 'web' }, (used.user + used.system) / 1e6)
    uptime.set(process.uptime())
    lag.set({ position: '0.5' }, loop.percentile(50) / 1e9)
    lag.set({ position: '0.99' }, loop.percentile(99) / 1e9)
    lag.set({ position: '1' }, loop.max / 1e9)
    loop.reset()
    const space = await statfs(sources.dataDir)
    disk.set({ state: 'total' }, space.blocks * space.bsize)
    disk.set({ state: 'free' }, space.bavail * space.bsize)
    disk.set({ state: 'used' }, (space.blocks - space.bfree) * space.bsize)
    up.set({ dependency: 'cache' }, sources.cacheUp() ? 1 : 0)
    const [databaseUp, storageUp] = await Promise.all([sources.databaseUp(), sources.storageUp().catch(() => false)])
    up.set({ dependency: 'storage' }, storageUp ? 1 : 0)
    up.set({ dependency: 'database' }, databaseUp ? 1 : 0)
    queueJobs.reset()
    queueAge.reset()
    satisfaction.set(Number.NaN)
    if (!databaseUp) return
    const [queue, workers, rated] = await Promise.all([sources.queue(), sources.workers(), sources.satisfaction()])
    satisfaction.set(rated.ratio ?? Number.NaN)
    satisfactionPeople.set(rated.people)
    queueJobs.set({ state: 'waiting' }, queue.waiting)
    queueJobs.set({ state: 'running' }, queue.running)
    queueJobs.set({ state: 'failed' }, queue.failed)
    queueAge.set(queue.oldestSeconds)
    for (const worker of workers) {
      processMemory.set({ process: worker.id }, worker.rssBytes)
      processCpu.set({ process: worker.id }, worker.cpuSeconds)
    }
  }

  return {
    requestDone: ({ method, route, status, durationMs }) => {
      const series = seriesOf(method, route, status)
      series.requests.inc()
      series.durations.observe(durationMs / 1000)
      recent.add(status >= 500)
      if (status >= 500) errors.inc({ method, route })
    },
    refusedInMaintenance: () => refused.inc(),
    uploadDone: (outcome, sizeBytes) => {
      uploads.inc({ outcome })
      if (outcome === 'cancelled') return
      counted.ended++
      if (outcome !== 'stored' && outcome !== 'duplicate') return
      counted.stored++
      if (outcome === 'stored') uploadBytes.inc(sizeBytes)
    },
    searchDone: (outcome, durationMs) => {
      searches.inc({ outcome })
      searchDurations.observe(durationMs / 1000)
      counted.searched++
      if (outcome === 'found') counted.found++
    },
    cacheRead: (cache, hit, times = 1) => reads[cache][hit ? 'hit' : 'miss'].inc(times),
    queryDone: (durationMs) => queries.observe(durationMs / 1000),
    errorLogged: (code) => logged.inc({ code }),
    render: async () => {
      await look()
      return registry.metrics()
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

/** What programs could still get; caches count as free. */
async function availableMemory(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'latin1').catch(() => '')
  const kilobytes = /^MemAvailable:\s+(\d+) kB/m.exec(text)?.[1]
  return kilobytes === undefined ? freemem() : Number(kilobytes) * 1_024
}

async function networkBytes(): Promise<{ received: number; sent: number } | null> {
  const text = await readFile('/proc/net/dev', 'latin1').catch(() => null)
  if (text === null) return null
  const sum = { received: 0, sent: 0 }
  for (const [, name, columns] of text.matchAll(/^\s*([^:\s]+):\s*(.*)$/gm)) {
    if (name === 'lo' || columns === undefined) continue
    const counts = columns.trim().split(/\s+/).map(Number)
    sum.received += counts[0] ?? 0
    sum.sent += counts[8] ?? 0
  }
  return sum
}

/** Share of true among what was added within the last `minutes`, in steps of ten seconds. */
function slidingRatio(minutes: number) {
  const steps = minutes * 6
  const slots = Array.from({ length: steps }, () => ({ step: -1, bad: 0, all: 0 }))
  const now = (): number => Math.floor(performance.now() / 10_000)
  return {
    add: (bad: boolean): void => {
      const step = now()
      const slot = slots[step % steps] as (typeof slots)[number]
      if (slot.step !== step) Object.assign(slot, { step, bad: 0, all: 0 })
      slot.all++
      if (bad) slot.bad++
    },
    ratio: (): number => {
      const since = now() - steps
      const live = slots.filter((slot) => slot.step > since)
      const all = live.reduce((sum, slot) => sum + slot.all, 0)
      return all === 0 ? 0 : live.reduce((sum, slot) => sum + slot.bad, 0) / all
    },
  }
}
