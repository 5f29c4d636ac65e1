import {
  addIncidentEvent,
  findIncident,
  openIncident,
  reopenIncident,
  resolveIncident,
} from '../incidents/incident-store.ts'
import type { AlertRule, Policy } from '../policy/policy.ts'
import type { Timeline } from '../signals/timeline.ts'
import { signals } from '../signals/vocabulary.ts'
import type { Store } from '../store.ts'
import { isFiring, nextState, type Readings } from './alert-rule.ts'
import { findSilence, readAlert, recordChange, saveAlert, type StoredAlert } from './alert-store.ts'
import { describeReading } from './describe-reading.ts'

const me = 'dam: ops'
const reopenWithinMs = 15 * 60_000

export type EvaluateDeps = {
  policy: Policy
  environment: string
  timeline: Timeline
  now: Date
  /** True while a maintenance window mutes this environment; what is critical pages all the same. */
  isMuted?: (rule: AlertRule) => boolean
}

/** How far back the rules of a policy look, milliseconds. */
export const longestWindow = (policy: Policy): number =>
  Math.max(...policy.alerts.map(({ window }) => window), 3_600_000)

/** What one look changed, for those who diagnose or tell: rules that newly fire into an incident. */
export type Look = { opened: { incidentId: number; rule: AlertRule }[]; firing: string[] }

/**
 * Looks at every rule of an environment once, in one transaction: states, changes, and the incidents that follow. Rules with the same
 * cause share an incident, whose severity rises with them. A rule that another one explains is listed inside that one's incident.
 */
export function evaluateAlerts(store: Store, deps: EvaluateDeps): Look {
  const { policy, environment, timeline, now } = deps
  const looked = policy.alerts.map((rule) => {
    const readings: Readings = {
      long: signals[rule.signal].read(timeline.window(now, rule.window), rule.window),
      short:
        rule.shortWindow === undefined
          ? null
          : signals[rule.signal].read(timeline.window(now, rule.shortWindow), rule.shortWindow),
    }
    return { rule, readings }
  })
  return store.transaction(() => {
    const alerts = looked.map(({ rule, readings }) => {
      const before = readAlert(store, environment, rule.name, now)
      const state = nextState(rule, before.state, readings, now)
      if (state.phase !== before.state.phase) recordChange(store, environment, rule.name, state)
      return { rule, alert: { ...before, state } }
    })
    const firing = new Map(alerts.filter(({ alert }) => isFiring(alert.state)).map((one) => [one.rule.name, one]))
    const opened: Look['opened'] = []
    // Causes before what follows from them, so that an effect finds the incident of its cause.
    const ordered = alerts.toSorted((a, b) => a.rule.inhibitedBy.length - b.rule.inhibitedBy.length)
    const incidents = new Map<string, number>()
    for (const { rule, alert } of ordered) {
      const incidentId = isFiring(alert.state)
        ? tell(store, deps, rule, alert, { firing, incidents, opened })
        : settle(store, deps, rule, alert)
      if (incidentId !== null) incidents.set(rule.name, incidentId)
      saveAlert(store, { ...alert, incidentId })
    }
    resolveEnded(store, environment, now)
    return { opened, firing: [...firing.keys()] }
  })
}

type Around = {
  firing: Map<string, { rule: AlertRule; alert: StoredAlert }>
  incidents: Map<string, number>
  opened: Look['opened']
}

/** Rules with one cause are one incident. */
export const causeOf = (rule: Pick<AlertRule, 'signal'>): string =>
  rule.signal.startsWith('error') ? 'errors' : rule.signal.startsWith('response-time') ? 'latency' : rule.signal

/** The incident that tells of a firing rule, or null while nobody should hear of it. */
function tell(store: Store, deps: EvaluateDeps, rule: AlertRule, alert: StoredAlert, around: Around): number | null {
  const { environment, now } = deps
  const unresolved = alert.incidentId !== null && findIncident(store, alert.incidentId)?.state !== 'resolved'
  if (alert.incidentId !== null && unresolved) return alert.incidentId
  const silence = findSilence(store, environment, rule.name, now)
  if (silence || (deps.isMuted?.(rule) === true && rule.severity !== 'P0')) return null
  const text = describeReading(rule, alert.state.value)
  const inhibitor = rule.inhibitedBy.find((name) => around.firing.has(name))
  if (inhibitor !== undefined) {
    const incidentId = around.incidents.get(inhibitor) ?? null
    if (incidentId !== null && alert.state.since === now.toISOString())
      addIncidentEvent(store, incidentId, {
        kind: 'follows',
        who: me,
        message: `${rule.title} (${text}), which follows from ${inhibitor}`,
        now,
      })
    return null
  }
  const news = {
    environment,
    severity: rule.severity,
    title: `${rule.title} in ${environment}`,
    cause: text,
    dedupKey: `${environment}/${causeOf(rule)}`,
    openedBy: me,
    evidence: { rule: rule.name, value: alert.state.value, threshold: rule.threshold, playbook: rule.playbook },
    now,
  }
  const reopened = reopenIncident(store, news, reopenWithinMs)
  const { incident, isNew } = reopened ? { incident: reopened, isNew: true } : openIncident(store, news)
  if (isNew) around.opened.push({ incidentId: incident.id, rule })
  return incident.id
}

function settle(store: Store, deps: EvaluateDeps, rule: AlertRule, alert: StoredAlert): number | null {
  if (alert.incidentId === null || alert.state.phase === 'pending') return alert.incidentId
  addIncidentEvent(store, alert.incidentId, {
    kind: 'cleared',
    who: me,
    message: `${rule.title} is over (${describeReading(rule, alert.state.value)})`,
    now: deps.now,
  })
  return null
}

/** Incidents that alerts opened end when none of their rules fires any more, muted or not. */
function resolveEnded(store: Store, environment: string, now: Date): void {
  const ended = store.rows<{ id: number }>(
    `select id from incident where environment = ? and state <> 'resolved' and opened_by = ? and json_extract(evidence, '$.rule') is not null
       and id not in (select incident_id from alert_state where incident_id is not null)`,
    environment,
    me,
  )
  for (const { id } of ended) resolveIncident(store, id, { who: me, message: 'every alert of it is over', now })
}
