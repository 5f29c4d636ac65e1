import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

export type ExclusiveLock = { release(): void }

/** Another living process holds the lock; `holder` is what that process wrote about itself. */
export class LockHeldError extends Error {
  override readonly name = 'LockHeldError'
  readonly holder: Record<string, unknown>

  constructor(path: string, holder: Record<string, unknown>) {
    super(`${path} is locked by process ${String(holder['pid'] ?? 'unknown')}`)
    this.holder = holder
  }
}

/**
 * Takes the lock at `path` or throws LockHeldError at once.
 * The kernel holds it (SQLite's file lock), so it ends with the process however the process ends, and a reused
 * process number cannot look like the holder. `holder` is written beside it for the message of the one who comes second.
 */
export function takeExclusiveLock(path: string, holder: Record<string, unknown>): ExclusiveLock {
  const file = new DatabaseSync(path)
  try {
    file.exec('pragma journal_mode = memory; pragma locking_mode = exclusive; begin exclusive')
  } catch (error) {
    file.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) {
      throw new LockHeldError(path, readHolder(path))
    }
    throw error
  }
  writeFileSync(`${path}.holder`, `${JSON.stringify({ pid: process.pid, ...holder })}\n`, { mode: 0o600 })
  return {
    release: () => {
      if (!file.isOpen) return
      rmSync(`${path}.holder`, { force: true })
      file.close()
    },
  }
}

/** What the holder wrote when the lock at `path` is held now, else null. Takes and gives back the lock to find out. */
export function lockHolder(path: string): Record<string, unknown> | null {
  try {
    takeExclusiveLock(path, {}).release()
    return null
  } catch (error) {
    if (error instanceof LockHeldError) return error.holder
    return null
  }
}

function readHolder(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(`${path}.holder`, 'utf8')) as Record<string, unknown>
  } catch {
    return {}
  }
}
