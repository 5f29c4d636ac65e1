import { listIncidents } from '../incidents/incident-store.ts'
import { listJobs } from '../scheduler/job-store.ts'
import type { OverviewSource } from './overview-source.ts'
import { lastDrill, lastGoodBackupAt } from './views/backup-view.ts'

/** Lines of the Prometheus text format, each ended. */
export type MetricsRenderer = (now: Date) => string

const secondsSince = (at: string, now: Date): number => Math.max(0, (now.getTime() - Date.parse(at)) / 1000)
const label = (text: string): string => text.replace(/["\\\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))

/** What the ops process knows: health as users see it, ages of backup and drill, open incidents, its own jobs and memory. */
export function operationMetrics({ store, environments, probes }: OverviewSource): MetricsRenderer {
  return (now) => {
    const lines: string[] = []
    const family = (name: string, help: string, rows: [string, number][]): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`)
      for (const [labels, value] of rows) lines.push(`${name}${labels} ${value}`)
    }
    const all = environments()
    const of = (name: string) => `{environment="${label(name)}"}`
    family(
      'dam_environment_up',
      'Whether /health and /api/health answer well through the public address; no row: not asked yet.',
      all.flatMap(({ name }): [string, number][] => {
        const probe = probes.of(name)
        return probe ? [[of(name), probe.state === 'healthy' || probe.state === 'degraded' ? 1 : 0]] : []
      }),
    )
    family(
      'dam_backup_age_seconds',
      'Since the last good backup ended; no row: there is none.',
      all.flatMap(({ name }): [string, number][] => {
        const at = lastGoodBackupAt(store, name)
        return at === null ? [] : [[of(name), secondsSince(at, now)]]
      }),
    )
    family(
      'dam_drill_age_seconds',
      'Since the last restore drill ended; no row: there is none.',
      all.flatMap(({ name }): [string, number][] => {
        const drill = lastDrill(store, name)
        return drill === null
          ? []
          : [[`{environment="${label(name)}",passed="${drill.passed}"}`, secondsSince(drill.at, now)]]
      }),
    )
    family(
      'dam_incidents_open',
      'Incidents that are not resolved.',
      all.map(({ name }) => [
        of(name),
        listIncidents(store, { state: 'unresolved', environment: name, limit: 1000 }).length,
      ]),
    )
    family(
      'dam_ops_job_overdue_seconds',
      'How long a scheduled job has been due.',
      listJobs(store).map((job) => [`{job="${label(job.name)}"}`, secondsSince(job.dueAt, now)]),
    )
    family('dam_ops_resident_memory_bytes', 'Memory of the ops process.', [['', process.memoryUsage.rss()]])
    return `${lines.join('\n')}\n`
  }
}
