import { expect, test } from 'vitest'
import type { StoredBackup } from './backup-store.ts'
import { expiredBackups, usualRetention } from './retention.ts'

const now = new Date('2025-06-15T12:00:00Z')
const hour = 3_600_000

const backupAt = (at: Date, state: StoredBackup['state'] = 'ok'): StoredBackup => ({
  id: at.toISOString(),
  environment: 'production',
  state,
  startedAt: at.toISOString(),
  endedAt: at.toISOString(),
  folder: '',
  sizeBytes: 0,
  schemaNumber: 1,
  message: '',
  facts: {},
})
const hoursAgo = (hours: number, state?: StoredBackup['state']) =>
  backupAt(new Date(now.getTime() - hours * hour), state)
const keptOf = (backups: StoredBackup[], isNeeded: (backup: StoredBackup) => boolean = () => false): string[] => {
  const expired = new Set(expiredBackups(backups, { now, retention: usualRetention, isNeeded }))
  return backups.map(({ id }) => id).filter((id) => !expired.has(id))
}

test('of two years of hourly backups stay a day of hours, 7 days, 4 weeks and 12 months', () => {
  const backups = Array.from({ length: 2 * 365 * 24 }, (_, hours) => hoursAgo(hours))
  const kept = keptOf(backups)
  expect(kept.filter((id) => Date.parse(id) > now.getTime() - 24 * hour)).toHaveLength(24)
  const days = new Set(kept.map((id) => id.slice(0, 10)))
  for (let day = 9; day <= 15; day++) expect(days).toContain(`2025-06-${String(day).padStart(2, '0')}`)
  // The newest of each week is its Sunday, of each month its last day.
  for (const day of ['2025-06-08', '2025-06-01', '2025-05-25', '2025-05-31', '2024-12-31', '2024-07-31'])
    expect(days).toContain(day)
  expect(days).not.toContain('2024-06-30')
  expect(days.size).toBe(7 + 3 + 11)
})

test('the only verified backup, one that a deployment needs, one that runs, and the newest whole one always stay', () => {
  const [verified, needed, running, whole] = [
    hoursAgo(9000, 'verified'),
    hoursAgo(8000, 'failed'),
    hoursAgo(7000, 'running'),
    hoursAgo(6000),
  ]
  const backups = [
    ...Array.from({ length: 40 }, (_, n) => hoursAgo(100 + 24 * n, 'corrupt')),
    verified,
    needed,
    running,
    whole,
  ]
  expect(keptOf(backups, ({ id }) => id === needed.id)).toEqual([verified.id, needed.id, running.id, whole.id])
})

test('damaged and failed backups fill no place and go after a day', () => {
  const backups = [hoursAgo(1, 'failed'), hoursAgo(30, 'corrupt'), hoursAgo(31)]
  expect(keptOf(backups)).toEqual([backups[0]?.id, backups[2]?.id])
})
