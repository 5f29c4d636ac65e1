import { existsSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import {
  type MaintenanceFile,
  maintenanceFile,
  readMaintenanceFile,
  type ShownWindow,
  writeMaintenanceFile,
} from '@dam/platform/maintenance-file'
import type { Environment } from '../environments/environment.ts'
import type { Store } from '../store.ts'
import { comingWindows } from './window-store.ts'
import type { MaintenanceWindow } from './window.ts'

const shown = ({ mode, reason, startsAt, endsAt, enteredAt }: MaintenanceWindow): ShownWindow => ({
  mode,
  reason,
  startsAt: enteredAt ?? startsAt,
  endsAt,
})

/** What users of an environment are shown: what is under way, and the next window that they should know of by now. */
export function shownMaintenance(store: Store, environment: Environment, now: Date): MaintenanceFile {
  const windows = comingWindows(store, now, environment.name)
  const current = windows.find(({ state }) => state === 'active')
  const upcoming = windows.find(({ state, noticeAt }) => state === 'scheduled' && noticeAt <= now.toISOString())
  return {
    format: 1,
    enforcedBy: environment.isLocal ? 'web' : 'front',
    current: current ? shown(current) : null,
    upcoming: upcoming ? shown(upcoming) : null,
  }
}

/** Writes it where the processes of the environment look, when it is not there yet. True when something was written. */
export function publishMaintenance(store: Store, environment: Environment, now: Date): boolean {
  const content = shownMaintenance(store, environment, now)
  const known = readMaintenanceFile(environment.dataDir)
  const isNothing = content.current === null && content.upcoming === null
  if (isDeepStrictEqual(known, content)) return false
  // Most environments never have maintenance: no file says the same.
  if (isNothing && !existsSync(maintenanceFile(environment.dataDir))) return false
  writeMaintenanceFile(environment.dataDir, content)
  return true
}
