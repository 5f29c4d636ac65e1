import type { Store } from '../store.ts'
import { listBackups } from './backup-store.ts'
import { listDrills } from './drill/drill-store.ts'

type Metric = { name: string; help: string; values: { environment: string; value: number }[] }

/**
 * Ages, durations and sizes as Prometheus text, from the store. An environment that never had a backup or a drill has no such series:
 * rules on age must alert on absence as well.
 */
export function backupMetrics(store: Store, environments: readonly string[], now: Date): string {
  const metrics: Metric[] = [
    metric('dam_backup_age_seconds', 'Since the start of the newest backup that is whole.'),
    metric(
      'dam_backup_verified_age_seconds',
      'Since the start of the newest backup that was read back or restored in a drill and found right.',
    ),
    metric('dam_backup_size_bytes', 'Of the files of the newest backup, without originals.'),
    metric('dam_backup_originals_bytes', 'Of the originals the newest backup refers to.'),
    metric('dam_backup_duration_seconds', 'Of the newest backup.'),
    metric('dam_backup_missing_originals', 'Originals that the live store had lost when the newest backup was made.'),
    metric('dam_backups_corrupt', 'Backups that were found to be damaged.'),
    metric('dam_restore_drill_age_seconds', 'Since the end of the newest restore drill that passed.'),
    metric('dam_restore_drill_duration_seconds', 'Of the newest restore drill that passed.'),
    metric('dam_restore_drill_failed', '1 when the newest restore drill failed.'),
  ]
  const ageOf = (moment: string | null | undefined) =>
    moment ? (now.getTime() - Date.parse(moment)) / 1000 : undefined
  for (const environment of environments) {
    const backups = listBackups(store, environment)
    const newest = backups.find(({ state }) => state === 'ok' || state === 'verified')
    const verified = backups.find(({ state }) => state === 'verified')
    const drills = listDrills(store, environment).filter(({ state }) => state !== 'running')
    const passed = drills.find(({ state }) => state === 'passed')
    const values = [
      ageOf(newest?.startedAt),
      ageOf(verified?.startedAt),
      newest?.sizeBytes,
      newest?.facts.originalBytes,
      newest?.facts.tookMs === undefined ? undefined : newest.facts.tookMs / 1000,
      newest?.facts.missing,
      backups.filter(({ state }) => state === 'corrupt').length,
      ageOf(passed?.endedAt),
      passed?.report.phasesMs?.all === undefined ? undefined : passed.report.phasesMs.all / 1000,
      drills[0] === undefined ? undefined : Number(drills[0].state === 'failed'),
    ]
    for (const [index, value] of values.entries())
      if (value !== undefined) metrics[index]?.values.push({ environment, value })
  }
  return metrics
    .filter(({ values }) => values.length > 0)
    .map(({ name, help, values }) => {
      const lines = values.map(({ environment, value }) => `${name}{environment="${environment}"} ${value}`)
      return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines, ''].join('\n')
    })
    .join('')
}

const metric = (name: string, help: string): Metric => ({ name, help, values: [] })
