import { backupMetrics } from '../backup/backup-metrics.ts'
import { listJobs } from '../scheduler/job-store.ts'
import type { OverviewSource } from './overview-source.ts'

/** Lines of the Prometheus text format, each ended. */
export type MetricsRenderer = (now: Date) => string

const secondsSince = (at: string, now: Date): number => Math.max(0, (now.getTime() - Date.parse(at)) / 1000)
const label = (text: string): string => text.replace(/["\\\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))

/** What the ops process knows: health as users see it, backups and drills, its own jobs and memory. */
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
      'dam_ops_job_overdue_seconds',
      'How long a scheduled job has been due.',
      listJobs(store).map((job) => [`{task="${label(job.name)}"}`, secondsSince(job.dueAt, now)]),
    )
    family('dam_ops_resident_memory_bytes', 'Memory of the ops process.', [['', process.memoryUsage.rss()]])
    return `${lines.join('\n')}\n${backupMetrics(
      store,
      all.map(({ name }) => name),
      now,
    )}`
  }
}
