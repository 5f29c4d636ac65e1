import { isFiring } from '../alerts/alert-rule.ts'
import { listAlerts } from '../alerts/alert-store.ts'
import { listSlots } from '../deployments/slot-store.ts'
import { readHeartbeat } from '../dead-man/heartbeat-file.ts'
import type { Environment } from '../environments/environment.ts'
import type { Severity } from '../notify/message.ts'
import type { Store } from '../store.ts'

/** Alerts, incidents, unsent messages, restarts and the heartbeat as Prometheus text. */
export function watchMetrics(deps: {
  store: Store
  environments: () => readonly Environment[]
  /** Of the operations' store, where the heartbeat is. */
  folder: string
}): (now: Date) => string {
  const { store } = deps
  return (now) => {
    const lines: string[] = []
    const family = (name: string, type: 'gauge' | 'counter', help: string, rows: [labels: string, number][]): void => {
      if (rows.length === 0) return
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
      for (const [labels, value] of rows) lines.push(`${name}${labels} ${value}`)
    }
    const environments = deps.environments().map(({ name }) => name)
    family(
      'dam_alert_firing',
      'gauge',
      '1 while a rule of the policy fires.',
      listAlerts(store).map(({ environment, rule, state }) => [
        `{environment="${environment}",rule="${rule}"}`,
        isFiring(state) ? 1 : 0,
      ]),
    )
    const open = store.rows<{ environment: string; severity: Severity; count: number }>(
      `select environment, severity, count(*) as count from incident where state <> 'resolved' group by environment, severity`,
    )
    const places = [...new Set([...environments, ...open.map(({ environment }) => environment)])]
    family(
      'dam_incidents_open',
      'gauge',
      'Incidents that are not resolved.',
      places.flatMap((environment) =>
        (['P0', 'P1', 'P2', 'P3'] as const).map((severity): [string, number] => [
          `{environment="${environment}",severity="${severity}"}`,
          open.find((row) => row.environment === environment && row.severity === severity)?.count ?? 0,
        ]),
      ),
    )
    const messages = store.rows<{ state: string; count: number; oldest: string }>(
      `select state, count(*) as count, min(created_at) as oldest from outbox where state <> 'sent' group by state`,
    )
    const countOf = (state: string): number => messages.find((row) => row.state === state)?.count ?? 0
    family(
      'dam_outbox_messages',
      'gauge',
      'Messages that were not delivered: waiting, being sent, or dead.',
      ['waiting', 'sending', 'dead'].map((state) => [`{state="${state}"}`, countOf(state)]),
    )
    const unsent = messages.filter(({ state }) => state !== 'dead').map(({ oldest }) => secondsSince(oldest, now))
    family('dam_outbox_oldest_seconds', 'gauge', 'Age of the oldest message that is still to be sent.', [
      ['', Math.max(0, ...unsent)],
    ])
    family(
      'dam_process_restarts_total',
      'counter',
      'Times a process of a slot ended by itself and was started again.',
      environments.flatMap((environment) =>
        listSlots(store, environment).flatMap(({ id, observed }) =>
          observed === null
            ? []
            : (['web', 'worker'] as const).map((role): [string, number] => [
                `{environment="${environment}",slot="${id}",process="${role}"}`,
                observed[role].crashes,
              ]),
        ),
      ),
    )
    const beat = lastHeartbeat(deps.folder)
    family(
      'dam_ops_heartbeat_age_seconds',
      'gauge',
      'Since the auditor last found nothing late.',
      beat === null ? [] : [['', secondsSince(beat, now)]],
    )
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`
  }
}

const secondsSince = (at: string, now: Date): number => Math.max(0, (now.getTime() - Date.parse(at)) / 1_000)

function lastHeartbeat(folder: string): string | null {
  const text = readHeartbeat(folder)
  return text === null ? null : (JSON.parse(text) as { at: string }).at
}
