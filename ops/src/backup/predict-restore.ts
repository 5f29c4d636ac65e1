import type { Store } from '../store.ts'
import { latestBackup } from './backup-store.ts'
import { listDrills } from './drill/drill-store.ts'

export type RestorePrediction = {
  /** Until the restored database serves; null: nothing was ever measured, so it is unknown. */
  minutes: number | null
  because: string
}

/** How long restoring the newest backup of an environment would take, from the restore drills that were measured on this machine. */
export function predictRestore(store: Store, environment: string): RestorePrediction {
  const backup = latestBackup(store, environment)
  if (!backup) return { minutes: null, because: 'there is no backup to restore' }
  const passed = listDrills(store).filter(({ state }) => state === 'passed')
  const drills = passed.filter((drill) => drill.environment === environment).slice(0, 5)
  // Another environment's data on the same machine tells the pace as well.
  const measured = drills.length > 0 ? drills : passed.slice(0, 5)
  const paces = measured.flatMap(({ report }) => {
    const { all } = report.phasesMs ?? {}
    return all === undefined || !report.databaseBytes ? [] : [{ ms: all, bytes: report.databaseBytes }]
  })
  const slowest = paces.toSorted((a, b) => b.ms / b.bytes - a.ms / a.bytes)[0]
  if (!slowest) return { minutes: null, because: 'no restore drill has passed yet: ./dam drill restore' }
  // Small restores are mostly starting and stopping, so a smaller database than the measured one saves nothing.
  const scale = Math.max(1, (backup.facts.databaseBytes ?? slowest.bytes) / slowest.bytes)
  const minutes = (slowest.ms * scale) / 60_000
  return {
    minutes,
    because: `slowest of the last ${paces.length} restore drills, ${(slowest.ms / 1000).toFixed(0)} s for ${(slowest.bytes / 1e6).toFixed(0)} MB`,
  }
}
