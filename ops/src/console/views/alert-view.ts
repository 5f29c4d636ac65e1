import type { AlertsView, AlertView } from '@dam/contract/ops-types'
import { isFiring } from '../../alerts/alert-rule.ts'
import { findSilence, listAlertChanges, listAlerts, listSilences } from '../../alerts/alert-store.ts'
import type { Policy } from '../../policy/policy.ts'
import { signals } from '../../signals/vocabulary.ts'
import type { Store } from '../../store.ts'

const mostChanges = 100

/** Every rule of the policy in every environment: what it says now, what explains it, what silences it. */
export function readAlerts(store: Store, policy: Policy, environments: readonly string[], now: Date): AlertsView {
  const stored = new Map(listAlerts(store).map((alert) => [`${alert.environment} ${alert.rule}`, alert]))
  const alerts = environments.flatMap((environment) =>
    policy.alerts.map((rule): AlertView => {
      const known = stored.get(`${environment} ${rule.name}`)
      const { title, unit } = signals[rule.signal]
      return {
        environment,
        rule: rule.name,
        title: rule.title,
        severity: rule.severity,
        signal: rule.signal,
        signalTitle: title,
        unit,
        is: rule.is,
        threshold: rule.threshold.value,
        clear: rule.clear.value,
        windowMs: rule.window,
        forMs: rule.for,
        phase: known?.state.phase ?? 'unknown',
        value: known?.state.value ?? null,
        since: known?.state.since ?? null,
        firingSince: known?.state.firingSince ?? null,
        lookedAt: known?.state.lookedAt ?? null,
        incidentId: known?.incidentId ?? null,
        playbook: rule.playbook,
        inhibitedBy: rule.inhibitedBy,
        inhibits: policy.alerts.filter((other) => other.inhibitedBy.includes(rule.name)).map(({ name }) => name),
        inhibitedNowBy:
          rule.inhibitedBy.find((name) => {
            const cause = stored.get(`${environment} ${name}`)
            return cause !== undefined && isFiring(cause.state)
          }) ?? null,
        silence: findSilence(store, environment, rule.name, now) ?? null,
      }
    }),
  )
  return {
    alerts,
    silences: listSilences(store, now),
    changes: environments
      .flatMap((environment) => listAlertChanges(store, { environment, limit: mostChanges }))
      .toSorted((a, b) => b.id - a.id)
      .slice(0, mostChanges),
  }
}
