import type { Store } from '../store.ts'
import { type AlertState, restingState } from './alert-rule.ts'

export type StoredAlert = { environment: string; rule: string; state: AlertState; incidentId: number | null }

export function readAlert(store: Store, environment: string, rule: string, now: Date): StoredAlert {
  const row = store.row<{ state: string; incidentId: number | null }>(
    'select state, incident_id as incidentId from alert_state where environment = ? and rule = ?',
    environment,
    rule,
  )
  return row
    ? { environment, rule, state: JSON.parse(row.state) as AlertState, incidentId: row.incidentId }
    : { environment, rule, state: restingState(now), incidentId: null }
}

export function saveAlert(store: Store, alert: StoredAlert): void {
  store.run(
    `insert into alert_state (environment, rule, state, incident_id) values (?, ?, ?, ?)
     on conflict (environment, rule) do update set state = excluded.state, incident_id = excluded.incident_id`,
    alert.environment,
    alert.rule,
    JSON.stringify(alert.state),
    alert.incidentId,
  )
}

export const listAlerts = (store: Store): StoredAlert[] =>
  store
    .rows<{ environment: string; rule: string; state: string; incidentId: number | null }>(
      'select environment, rule, state, incident_id as incidentId from alert_state order by environment, rule',
    )
    .map((row) => ({ ...row, state: JSON.parse(row.state) as AlertState }))

export function recordChange(store: Store, environment: string, rule: string, state: AlertState): void {
  store.run(
    'insert into alert_change (environment, rule, at, phase, value) values (?, ?, ?, ?, ?)',
    environment,
    rule,
    state.since,
    state.phase,
    state.value,
  )
}

export type AlertChange = {
  id: number
  environment: string
  rule: string
  at: string
  phase: string
  value: number | null
}

export const listAlertChanges = (store: Store, options: { environment?: string; limit: number }): AlertChange[] =>
  store.rows<AlertChange>(
    "select id, environment, rule, at, phase, value from alert_change where ? in (environment, '') order by id desc limit ?",
    options.environment ?? '',
    options.limit,
  )

export type Silence = {
  id: number
  /** `*` for all. */
  environment: string
  /** `*` for all. */
  rule: string
  from: string
  until: string
  reason: string
  by: string
}

const silenceColumns = `id, environment, rule, starts_at as "from", ends_at as until, reason, by_whom as by`

/** Throws without a reason or when it would be over already. Nothing is silenced for longer than 30 days. */
export function addSilence(
  store: Store,
  silence: Omit<Silence, 'id' | 'from' | 'until'> & { from: Date; until: Date; now: Date },
): number {
  const { from, until, now } = silence
  if (silence.reason.trim().length < 5) throw new Error('A silence needs a reason that others will understand.')
  if (until <= now || until <= from) throw new Error('A silence must end after it begins, and later than now.')
  if (until.getTime() - from.getTime() > 30 * 86_400_000) throw new Error('A silence lasts 30 days at most.')
  return store.insert(
    'insert into silence (environment, rule, starts_at, ends_at, reason, by_whom, at) values (?, ?, ?, ?, ?, ?, ?)',
    silence.environment,
    silence.rule,
    from.toISOString(),
    until.toISOString(),
    silence.reason,
    silence.by,
    now.toISOString(),
  )
}

/** False when it was over already. */
export const endSilence = (store: Store, id: number, now: Date): boolean =>
  store.run('update silence set ends_at = ? where id = ? and ends_at > ?', now.toISOString(), id, now.toISOString()) ===
  1

export const listSilences = (store: Store, endingAfter: Date): Silence[] =>
  store.rows<Silence>(`select ${silenceColumns} from silence where ends_at > ? order by id`, endingAfter.toISOString())

export const findSilence = (store: Store, environment: string, rule: string, now: Date): Silence | undefined =>
  store.row<Silence>(
    `select ${silenceColumns} from silence where environment in ('*', ?) and rule in ('*', ?) and starts_at <= ? and ends_at > ? limit 1`,
    environment,
    rule,
    now.toISOString(),
    now.toISOString(),
  )
