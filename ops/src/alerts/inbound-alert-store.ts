import type { Store } from '../store.ts'

/** An alert of Alertmanager that fires. */
export type InboundAlert = {
  fingerprint: string
  groupKey: string
  name: string
  startsAt: string
  incidentId: number
}

export const findInboundAlert = (store: Store, fingerprint: string): InboundAlert | undefined =>
  store.row<InboundAlert>(
    `select fingerprint, group_key as groupKey, name, starts_at as startsAt, incident_id as incidentId
     from inbound_alert where fingerprint = ?`,
    fingerprint,
  )

export const saveInboundAlert = (store: Store, alert: InboundAlert, now: Date): void => {
  store.run(
    `insert into inbound_alert (fingerprint, group_key, name, starts_at, incident_id, seen_at) values (?, ?, ?, ?, ?, ?)
     on conflict (fingerprint) do update set group_key = excluded.group_key, starts_at = excluded.starts_at,
       incident_id = excluded.incident_id, seen_at = excluded.seen_at`,
    alert.fingerprint,
    alert.groupKey,
    alert.name,
    alert.startsAt,
    alert.incidentId,
    now.toISOString(),
  )
}

export const deleteInboundAlert = (store: Store, fingerprint: string): number =>
  store.run('delete from inbound_alert where fingerprint = ?', fingerprint)

export const countInboundAlerts = (store: Store, incidentId: number): number =>
  store.row<{ count: number }>('select count(*) as count from inbound_alert where incident_id = ?', incidentId)
    ?.count ?? 0
