import { accessSync, constants, mkdirSync } from 'node:fs'
import path from 'node:path'
import { LockHeldError, takeExclusiveLock } from '@dam/platform/exclusive-lock'
import { CommandFailure } from '../failure.ts'

/** Creates the data directory, closed to others, and claims it for this process until it ends. */
export function claimDataFolder(dataDir: string, address: string): Disposable {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandFailure(`DAM cannot use its data directory ${dataDir} (${reason}). Choose another with DAM_DATA.`)
  }
  try {
    const lock = takeExclusiveLock(path.join(dataDir, 'up.lock'), { address })
    return { [Symbol.dispose]: () => lock.release() }
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    const { pid, address: where } = error.holder
    throw new CommandFailure(
      `DAM runs already with the data in ${dataDir}: ${String(where ?? 'starting')}, process ${String(pid ?? 'unknown')}.\nStop that one first, or start a second DAM with data of its own: DAM_DATA=… PORT=… ./dam up`,
    )
  }
}
