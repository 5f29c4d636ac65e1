import type { AlertmanagerWebhook, AlertsReceived } from '@dam/contract/ops-types'
import {
  findIncident,
  openIncident,
  reopenIncident,
  addIncidentEvent,
  resolveIncident,
} from '../incidents/incident-store.ts'
import { oneLine } from '../notify/channel.ts'
import type { Severity } from '../notify/message.ts'
import type { Store } from '../store.ts'
import {
  countInboundAlerts,
  deleteInboundAlert,
  findInboundAlert,
  type InboundAlert,
  saveInboundAlert,
} from './inbound-alert-store.ts'

const me = 'alertmanager'
const reopenWithinMs = 15 * 60_000

type Alert = AlertmanagerWebhook['alerts'][number]

/** Ours as they are; the words others use by their urgency. What says nothing is P2: seen within hours, waking nobody. */
export function severityOf(label: string | undefined): Severity {
  const word = (label ?? '').toLowerCase()
  if (/^p[0-3]$/.test(word)) return word.toUpperCase() as Severity
  if (['critical', 'page', 'emergency', 'disaster', 'fatal'].includes(word)) return 'P0'
  if (['error', 'high', 'major', 'urgent'].includes(word)) return 'P1'
  if (['info', 'information', 'low', 'notice', 'none', 'debug'].includes(word)) return 'P3'
  return 'P2'
}

/**
 * Takes a delivery of Alertmanager in one transaction. Alerts of one environment and cause (label `cause`, else their group) are one
 * incident, which ends when the last of them is resolved. The same delivery again changes nothing; what a person resolved meanwhile opens
 * again only when the alert starts anew.
 */
export function receiveAlerts(
  store: Store,
  delivery: AlertmanagerWebhook,
  deps: { environments: readonly string[]; by: string; now: Date },
): AlertsReceived {
  return store.transaction(() => {
    const received: AlertsReceived = { opened: [], joined: [], resolved: [], unchanged: 0 }
    for (const alert of delivery.alerts) {
      const known = findInboundAlert(store, alert.fingerprint)
      if (alert.status === 'resolved') settle(store, alert, known, deps.now, received)
      else tell(store, { alert, delivery, known }, deps, received)
    }
    return received
  })
}

function tell(
  store: Store,
  { alert, delivery, known }: { alert: Alert; delivery: AlertmanagerWebhook; known: InboundAlert | undefined },
  deps: { environments: readonly string[]; by: string; now: Date },
  received: AlertsReceived,
): void {
  const startsAt = new Date(alert.startsAt).toISOString()
  if (known?.startsAt === startsAt) {
    received.unchanged++
    return
  }
  const { alertname = '', environment: named = '', cause } = alert.labels
  const environment = deps.environments.includes(named) ? named : (deps.environments[0] ?? 'operations')
  const news = {
    environment,
    severity: severityOf(alert.labels['severity']),
    title: oneLine(alert.annotations['summary'] ?? `${alertname} in ${named || environment}`, 300),
    cause: oneLine(alert.annotations['description'] ?? alert.annotations['message'] ?? '', 1_000),
    dedupKey: oneLine(cause ? `${environment}/${cause}` : `${environment}/${delivery.groupKey}`, 500),
    openedBy: me,
    evidence: {
      alertmanager: {
        labels: alert.labels,
        annotations: alert.annotations,
        startsAt,
        generatorURL: alert.generatorURL,
        externalURL: delivery.externalURL,
        receivedFor: deps.by,
      },
    },
    now: deps.now,
  }
  const reopened = reopenIncident(store, news, reopenWithinMs)
  const { incident, isNew } = reopened ? { incident: reopened, isNew: true } : openIncident(store, news)
  saveInboundAlert(
    store,
    {
      fingerprint: alert.fingerprint,
      groupKey: delivery.groupKey.slice(0, 2_000),
      name: alertname,
      startsAt,
      incidentId: incident.id,
    },
    deps.now,
  )
  const list = isNew ? received.opened : received.joined
  if (!list.includes(incident.id)) list.push(incident.id)
}

function settle(
  store: Store,
  alert: Alert,
  known: InboundAlert | undefined,
  now: Date,
  received: AlertsReceived,
): void {
  // A late word of an earlier occurrence says nothing about this one.
  if (!known || new Date(alert.startsAt).toISOString() < known.startsAt) {
    received.unchanged++
    return
  }
  deleteInboundAlert(store, alert.fingerprint)
  const incident = findIncident(store, known.incidentId)
  if (!incident || incident.state === 'resolved') return
  addIncidentEvent(store, incident.id, { kind: 'cleared', who: me, message: `${known.name} is over`, now })
  if (countInboundAlerts(store, incident.id) > 0) return
  // An incident that our own alerts tell of ends with them.
  const own = store.row<{ count: number }>(
    'select count(*) as count from alert_state where incident_id = ?',
    incident.id,
  )
  if ((own?.count ?? 0) > 0) return
  resolveIncident(store, incident.id, { who: me, message: 'every alert of it is over', now })
  received.resolved.push(incident.id)
}
