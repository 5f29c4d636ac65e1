import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'

/** A window as users see it. Instants are ISO-8601 UTC. */
export type ShownWindow = { mode: 'read-only' | 'full'; reason: string; startsAt: string; endsAt: string }

/** What operations tell the processes of an environment about maintenance, in `<DAM_DATA>/maintenance.json`. */
export type MaintenanceFile = {
  format: 1
  /** Who refuses requests: the front process in front of the web process, or the web process itself. */
  enforcedBy: 'front' | 'web'
  current: ShownWindow | null
  /** The next window that users have been told of. */
  upcoming: ShownWindow | null
}

export const noMaintenance: MaintenanceFile = { format: 1, enforcedBy: 'web', current: null, upcoming: null }

export const maintenanceFile = (dataDir: string): string => path.join(dataDir, 'maintenance.json')

/** Null when it is not there or cannot be read as one. */
export function readMaintenanceFile(dataDir: string): MaintenanceFile | null {
  try {
    return parse(JSON.parse(readFileSync(maintenanceFile(dataDir), 'utf8')) as unknown)
  } catch {
    return null
  }
}

/** Replaces the file: a reader sees the one before or this one, also after a power cut. Creates the folder. */
export function writeMaintenanceFile(dataDir: string, content: MaintenanceFile): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = maintenanceFile(dataDir)
  const fresh = `${file}.${process.pid}.new`
  const fd = openSync(fresh, 'w', 0o600)
  try {
    writeSync(fd, `${JSON.stringify(content)}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(fresh, file)
}

const lookEveryMs = 1_000

/**
 * The file as it is now, looked at once a second. What cannot be read is as what was read last: a file half restored by hand ends no
 * maintenance. A file that was removed means none.
 */
export function followMaintenanceFile(dataDir: string): Disposable & { now(): MaintenanceFile } {
  let stamp = ''
  let known = noMaintenance
  const look = (): void => {
    const stats = statSync(maintenanceFile(dataDir), { throwIfNoEntry: false })
    const next = stats ? `${stats.mtimeMs} ${stats.size} ${stats.ino}` : 'missing'
    if (next === stamp) return
    stamp = next
    known = stats ? (readMaintenanceFile(dataDir) ?? known) : noMaintenance
  }
  look()
  const timer = setInterval(() => {
    try {
      look()
    } catch {
      // The folder cannot be looked at now; what is known stays.
    }
  }, lookEveryMs)
  timer.unref()
  return { now: () => known, [Symbol.dispose]: () => clearInterval(timer) }
}

function parse(value: unknown): MaintenanceFile | null {
  if (typeof value !== 'object' || value === null) return null
  const { format, enforcedBy, current, upcoming } = value as Record<string, unknown>
  if (format !== 1 || (enforcedBy !== 'front' && enforcedBy !== 'web')) return null
  const [now, next] = [current ?? null, upcoming ?? null]
  if (!isWindow(now) || !isWindow(next)) return null
  return { format, enforcedBy, current: now, upcoming: next }
}

function isWindow(value: unknown): value is ShownWindow | null {
  if (value === null) return true
  if (typeof value !== 'object') return false
  const { mode, reason, startsAt, endsAt } = value as Record<string, unknown>
  return (
    (mode === 'read-only' || mode === 'full') &&
    typeof reason === 'string' &&
    [startsAt, endsAt].every((at) => typeof at === 'string' && !Number.isNaN(Date.parse(at)))
  )
}
