import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

export const heartbeatFile = (folder: string): string => path.join(folder, 'heartbeat.json')

/** Says that the engine lives and owes nothing. `folder` is that of the operations' store. */
export function writeHeartbeat(folder: string, now: Date): void {
  const file = heartbeatFile(folder)
  writeFileSync(`${file}.new`, `${JSON.stringify({ at: now.toISOString(), pid: process.pid })}\n`)
  renameSync(`${file}.new`, file)
}

/** As it was written, to be compared with what was there before; null when there is none. */
export function readHeartbeat(folder: string): string | null {
  try {
    return readFileSync(heartbeatFile(folder), 'utf8')
  } catch {
    return null
  }
}
