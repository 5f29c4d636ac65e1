import type { StoredBackup } from './backup-store.ts'

export type Retention = {
  /** Everything this young stays. */
  hours: number
  /** The newest of each of so many days, weeks (from Monday) and months, UTC, that have one. */
  daily: number
  weekly: number
  monthly: number
}

export const usualRetention: Retention = { hours: 24, daily: 7, weekly: 4, monthly: 12 }

/**
 * Ids of the backups of one environment that may go. Only whole ones fill a place. Stays in any case: the newest verified one, the newest
 * whole one, what `isNeeded` says, and what runs.
 */
export function expiredBackups(
  backups: readonly StoredBackup[],
  options: { now: Date; retention: Retention; isNeeded: (backup: StoredBackup) => boolean },
): string[] {
  const { now, retention, isNeeded } = options
  const newestFirst = backups.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
  const whole = newestFirst.filter(({ state }) => state === 'ok' || state === 'verified')
  const kept = new Set<string>()
  const keep = (backup: StoredBackup | undefined): void => void (backup && kept.add(backup.id))
  keep(whole[0])
  keep(whole.find(({ state }) => state === 'verified'))
  for (const backup of newestFirst) {
    const ageMs = now.getTime() - Date.parse(backup.startedAt)
    if (backup.state === 'running' || isNeeded(backup) || ageMs < retention.hours * 3_600_000) keep(backup)
  }
  for (const [count, periodOf] of [
    [retention.daily, dayOf],
    [retention.weekly, weekOf],
    [retention.monthly, monthOf],
  ] as const) {
    const newestOf = new Map<string, StoredBackup>()
    for (const backup of whole) {
      const period = periodOf(new Date(backup.startedAt))
      if (!newestOf.has(period)) newestOf.set(period, backup)
    }
    for (const backup of [...newestOf.values()].slice(0, count)) keep(backup)
  }
  return newestFirst.filter(({ id, state }) => state !== 'deleted' && !kept.has(id)).map(({ id }) => id)
}

const dayOf = (at: Date): string => at.toISOString().slice(0, 10)
const monthOf = (at: Date): string => at.toISOString().slice(0, 7)
const weekOf = (at: Date): string => dayOf(new Date(at.getTime() - ((at.getUTCDay() + 6) % 7) * 86_400_000))
