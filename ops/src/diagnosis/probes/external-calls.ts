import type { Store } from '../../store.ts'

export type ExternalCalls = {
  channel: string
  waiting: number
  dead: number
  oldestSeconds: number
  lastOutcome: string
}[]

/** Services outside that operations call; the application itself calls none but its database and its cache. */
export const readExternalCalls = (store: Store, now: Date): ExternalCalls =>
  store
    .rows<{ channel: string; waiting: number; dead: number; oldest: string | null; outcome: string | null }>(
      `select channel, sum(state in ('waiting', 'sending')) as waiting, sum(state = 'dead') as dead,
              min(case when state in ('waiting', 'sending') then created_at end) as oldest,
              max(case when state in ('waiting', 'sending') then outcome end) as outcome
       from outbox where created_at >= ? group by channel order by channel`,
      new Date(now.getTime() - 86_400_000).toISOString(),
    )
    .map(({ oldest, outcome, ...rest }) => ({
      ...rest,
      oldestSeconds: oldest === null ? 0 : Math.max(0, (now.getTime() - Date.parse(oldest)) / 1_000),
      lastOutcome: outcome ?? '',
    }))
