import { formatDuration } from '@dam/ops/src/policy/units.ts'
import type { MaintenanceWindow } from '@dam/ops/src/maintenance/window.ts'

/** The post-maintenance report for a person. */
export function reportText({ id, reason, environment, data }: MaintenanceWindow): string {
  const { report } = data
  if (!report) return `Window ${id} has no report.`
  const none = (items: readonly string[], word: string): string[] => (items.length === 0 ? [`  ${word}`] : [...items])
  return [
    `Maintenance ${id} of ${environment}: ${reason}`,
    `  announced   ${report.window.announced}`,
    `  actual      ${report.window.actual}, ${formatDuration(Math.round(report.durationMs / 1000) * 1000)}, ${report.mode}`,
    `  release     ${report.versions.before ?? 'unknown'} → ${report.versions.after ?? 'unknown'}`,
    `  refused     ${report.requestsRefused ?? 'unknown'} requests`,
    `  muted       ${report.mutedAlerts.join(', ') || 'no alert'}`,
    '',
    'Steps',
    ...report.steps.map(({ at, what, message }) => `  ${at.slice(0, 19)}Z  ${what.padEnd(10)} ${message}`),
    '',
    'Deployments',
    ...none(
      report.deployments.map(
        ({ id: number, kind, tag, state, tookMs }) =>
          `  ${number} ${kind} of ${tag}: ${state}${tookMs === null ? '' : `, ${formatDuration(Math.round(tookMs / 1000) * 1000)}`}`,
      ),
      'none',
    ),
    '',
    'Checklist',
    ...report.checklist.map(
      ({ list, title, state, evidence }) => `  ${list.padEnd(7)} ${title}: ${state} (${evidence})`,
    ),
    '',
    'Deviations',
    ...none(
      report.deviations.map((text) => `  ${text}`),
      'none',
    ),
  ].join('\n')
}
