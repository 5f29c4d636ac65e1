import type { Store } from '../store.ts'
import type { ProcessState } from './probes/processes.ts'

export type MemoryReading = { pid: number; startedAt: string; at: number; residentBytes: number }
export type MemoryHistory = readonly MemoryReading[]

const keptMs = 7 * 86_400_000

/** Notes the memory of each process, so that its slope since its start is known when somebody asks. */
export function noteMemory(store: Store, environment: string, processes: readonly ProcessState[], now: Date): void {
  store.transaction(() => {
    for (const { pid, startedAt, process, residentBytes, role } of processes)
      if (role !== 'other' && role !== 'converter' && role !== 'database')
        store.run(
          'insert into process_memory (environment, pid, started_at, process, at, resident_bytes) values (?, ?, ?, ?, ?, ?) on conflict do nothing',
          environment,
          pid,
          startedMinute(startedAt),
          process,
          now.getTime(),
          residentBytes,
        )
    store.run('delete from process_memory where at < ?', now.getTime() - keptMs)
  })
}

export const readMemoryHistory = (store: Store, environment: string): MemoryHistory =>
  store.rows<MemoryReading>(
    'select pid, started_at as startedAt, at, resident_bytes as residentBytes from process_memory where environment = ? order by at',
    environment,
  )

/** The kernel's start times differ by a second from look to look. */
const startedMinute = (startedAt: string): string => startedAt.slice(0, 15)

/** By least squares over what was noted of a process since it started; null with fewer than five readings. */
export function slopeBytesPerHour(
  history: MemoryHistory,
  pid: number,
  startedAt: string,
): { perHour: number; hours: number; firstBytes: number } | null {
  const readings = history.filter((one) => one.pid === pid && one.startedAt === startedMinute(startedAt))
  const [first] = readings
  const last = readings.at(-1)
  if (!first || !last || readings.length < 5) return null
  const hours = (at: number): number => (at - first.at) / 3_600_000
  const meanX = readings.reduce((sum, { at }) => sum + hours(at), 0) / readings.length
  const meanY = readings.reduce((sum, { residentBytes }) => sum + residentBytes, 0) / readings.length
  let [above, below] = [0, 0]
  for (const { at, residentBytes } of readings) {
    above += (hours(at) - meanX) * (residentBytes - meanY)
    below += (hours(at) - meanX) ** 2
  }
  return below === 0 ? null : { perHour: above / below, hours: hours(last.at), firstBytes: first.residentBytes }
}
