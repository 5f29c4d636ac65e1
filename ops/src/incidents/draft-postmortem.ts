import { evidenceLines } from './evidence-lines.ts'
import { formatDuration } from '../policy/units.ts'
import type { Store } from '../store.ts'
import type { Incident } from './incident.ts'
import { listRoles } from './incident-roles.ts'
import { listIncidentEvents } from './incident-store.ts'

const aroundMs = 24 * 3_600_000

/** A postmortem in Markdown from what is on record; what no record says is left for people and marked so. */
export function draftPostmortem(store: Store, incident: Incident): string {
  const events = listIncidentEvents(store, incident.id)
  const deployments = store.rows<{ id: number; kind: string; tag: string; state: string; at: string; by: string }>(
    `select d.id, d.kind, r.tag, d.state, d.requested_at as at, d.requested_by as by from deployment d join release r on r.digest = d.digest
     where d.environment = ? and d.requested_at between ? and ? order by d.id`,
    incident.environment,
    new Date(Date.parse(incident.openedAt) - aroundMs).toISOString(),
    incident.resolvedAt ?? new Date(Date.parse(incident.openedAt) + aroundMs).toISOString(),
  )
  const firstAcknowledged = events.find(({ kind }) => kind === 'acknowledged')?.at ?? null
  const called = events.filter(({ kind }) => kind === 'called')
  const since = (until: string | null): string =>
    until === null ? 'not yet' : formatDuration(Math.max(0, Date.parse(until) - Date.parse(incident.openedAt)))
  const diagnosis = incident.evidence['diagnosis']
  const { diagnosis: _diagnosis, ...rest } = incident.evidence
  const evidence = evidenceLines({ id: incident.id, evidence: rest })
  const actions = [
    ...(firstAcknowledged === null ? ['Why did nobody acknowledge?'] : []),
    ...(called.length > 3 ? [`Why did it take ${called.length} calls?`] : []),
    ...(events.filter(({ kind, message }) => kind === 'opened' && message.startsWith('again')).length > 0
      ? ['Why did it come back after it was resolved?']
      : []),
    ...deployments.map(({ id, kind, tag }) => `Did ${kind} ${id} (${tag}) have a part in it?`),
  ]
  return [
    `# Incident ${incident.id}: ${incident.title}`,
    '',
    `${incident.severity}, ${incident.environment}, ${incident.state}. ${incident.cause}`.trim(),
    '',
    '## Durations',
    '',
    `- Opened ${incident.openedAt} by ${incident.openedBy}`,
    `- First call after ${since(called[0]?.at ?? null)}`,
    `- First acknowledged after ${since(firstAcknowledged)}`,
    `- Resolved after ${since(incident.resolvedAt)}`,
    ...[...listRoles(store, incident.id)].map(([role, person]) => `- ${role}: ${person}`),
    '',
    '## Diagnosis',
    '',
    typeof diagnosis === 'string' ? diagnosis : 'None on record.',
    '',
    '## Evidence',
    '',
    ...(evidence.length > 0 ? evidence.map((line) => `- ${line}`) : ['None on record.']),
    '',
    '## Deployments around it',
    '',
    ...(deployments.length > 0
      ? deployments.map(({ id, kind, tag, state, at, by }) => `- ${at} ${kind} ${id} of ${tag} by ${by}: ${state}`)
      : ['None from a day before until it was over.']),
    '',
    '## Time line',
    '',
    ...events.map(({ at, kind, message, who }) => `- ${at} ${kind}: ${message} (${who})`),
    '',
    '## What people add',
    '',
    '- Impact on users: (to be written)',
    '- Root cause: (to be written)',
    ...actions.map((question) => `- [ ] ${question}`),
    '',
  ].join('\n')
}
