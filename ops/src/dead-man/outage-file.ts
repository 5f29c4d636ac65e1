import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** An outage of the engine that one of the watchers has taken upon itself to tell of. */
export type Outage = { since: string; told: string[] }

const outageFile = (folder: string): string => path.join(folder, 'dead-man.json')
/** So long a watcher may take to tell; after that another one takes over. */
const tellingMs = 60_000

/** True for exactly one of the watchers of a folder: that one tells. Later also for another one, when nobody has told by then. */
export function claimOutage(folder: string, outage: Outage): boolean {
  const file = outageFile(folder)
  try {
    writeFileSync(file, JSON.stringify(outage), { flag: 'wx' })
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const known = readOutage(folder)
  if (known !== null && known.told.length > 0) return false
  try {
    if (Date.now() - statSync(file).mtimeMs < tellingMs) return false
    // Whoever moves it away has it; the others find nothing to move.
    renameSync(file, `${file}.${process.pid}`)
    rmSync(`${file}.${process.pid}`)
    writeFileSync(file, JSON.stringify(outage), { flag: 'wx' })
    return true
  } catch {
    return false
  }
}

/** `told` are the destinations that took it. */
export const noteTold = (folder: string, outage: Outage): void =>
  writeFileSync(outageFile(folder), JSON.stringify(outage))

export function readOutage(folder: string): Outage | null {
  try {
    return JSON.parse(readFileSync(outageFile(folder), 'utf8')) as Outage
  } catch {
    return null
  }
}

/** The outage that is over, for exactly one of the watchers; null for the others, and when there was none. */
export function endOutage(folder: string): Outage | null {
  const file = outageFile(folder)
  const outage = readOutage(folder)
  try {
    renameSync(file, `${file}.${process.pid}`)
    rmSync(`${file}.${process.pid}`)
    return outage
  } catch {
    return null
  }
}
