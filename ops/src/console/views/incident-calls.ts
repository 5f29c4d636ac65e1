import type { IncidentCalls } from '@dam/contract/ops-types'
import { findEscalation } from '../../escalation/escalation-store.ts'
import type { Incident } from '../../incidents/incident.ts'
import { listOutbox } from '../../notify/outbox-store.ts'
import type { Policy } from '../../policy/policy.ts'
import { findPublicIncident, listPublicUpdates } from '../../status-page/public-update-store.ts'
import type { Store } from '../../store.ts'

const mostDeliveries = 200

/** Who is called for an incident, what reached whom, and what the public knows. */
export function readIncidentCalls(
  store: Store,
  policy: Policy,
  incident: Incident,
  publicEnvironments: readonly string[],
): IncidentCalls {
  const escalation = incident.state === 'resolved' ? undefined : findEscalation(store, incident.id)
  const { playbook } = incident.evidence
  // Levels that were called in this round are named `1:primary`, `2`, …
  const called = new Set(escalation?.called.map((key) => Number(key.split(':')[0])) ?? [])
  const next = policy.escalation.levels.find(({ level }) => !called.has(level))
  const isWaiting = incident.state === 'open'
  return {
    escalation: escalation
      ? {
          level: escalation.level,
          round: escalation.round,
          nextAt: escalation.nextAt,
          acknowledgedBy: escalation.acknowledgedBy,
          acknowledgedUntil: escalation.acknowledgedUntil,
          snoozedUntil: escalation.snoozedUntil,
        }
      : null,
    next: escalation && next ? { level: next.level, title: next.title } : null,
    acknowledgeBy: isWaiting
      ? new Date(Date.parse(incident.openedAt) + policy.severities[incident.severity].acknowledgeWithin).toISOString()
      : null,
    deliveries: listOutbox(store, { subject: `incident:${incident.id}`, limit: mostDeliveries }).map((entry) => ({
      id: entry.id,
      channel: entry.channel,
      event: entry.message.event,
      title: entry.message.title,
      state: entry.state,
      attempts: entry.attempts,
      createdAt: entry.createdAt,
      sentAt: entry.sentAt,
      outcome: entry.outcome,
    })),
    playbook: typeof playbook === 'string' ? playbook : null,
    publicTitle: findPublicIncident(store, incident.id)?.title ?? null,
    publicUpdates: listPublicUpdates(store, incident.id),
    isPublicEnvironment: publicEnvironments.includes(incident.environment),
  }
}
