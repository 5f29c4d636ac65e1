import type { Store } from '../store.ts'
import type { Message } from './message.ts'

export type OutboxEntry = {
  id: number
  dedupKey: string
  channel: string
  subject: string
  priority: number
  message: Message
  state: 'waiting' | 'sending' | 'sent' | 'dead'
  attempts: number
  nextAt: string
  createdAt: string
  sentAt: string | null
  /** The last answer or error. */
  outcome: string
}

type Row = Omit<OutboxEntry, 'message'> & { message: string }
const columns = `id, dedup_key as dedupKey, channel, subject, priority, message, state, attempts, next_at as nextAt,
  created_at as createdAt, sent_at as sentAt, outcome`
const entryOf = (row: Row): OutboxEntry => ({ ...row, message: JSON.parse(row.message) as Message })

const priorities = { P0: 0, P1: 1, P2: 2, P3: 3 } as const

/** A target of a message: `slack:#dam-incidents`, `pagerduty`, `email:oncall@dam.local`, `webhook:…`, `record`. */
export type ChannelAddress = string

/**
 * Puts a message into the outbox once for each channel; the same `key` for the same channel again is the same message and adds nothing.
 * Call inside the transaction of the deed: what is committed is sent at least once, whatever is killed in between.
 */
export function enqueue(
  store: Store,
  message: Message,
  options: { channels: readonly ChannelAddress[]; key: string; now: Date },
): void {
  for (const channel of options.channels) {
    store.run(
      `insert into outbox (dedup_key, channel, subject, priority, message, state, next_at, created_at)
       values (?, ?, ?, ?, ?, 'waiting', ?, ?) on conflict (dedup_key) do nothing`,
      `${message.subject}/${options.key}/${channel}`,
      channel,
      message.subject,
      message.severity ? priorities[message.severity] : 3,
      JSON.stringify(message),
      options.now.toISOString(),
      options.now.toISOString(),
    )
  }
}

/** What is due, most urgent first. Of one subject and channel only the oldest: an end never overtakes its beginning. */
export const dueEntries = (store: Store, now: Date, limit: number): OutboxEntry[] =>
  store
    .rows<Row>(
      `select ${columns} from outbox where state in ('waiting', 'sending') and next_at <= ?
         and not exists (select 1 from outbox earlier where earlier.channel = outbox.channel and earlier.subject = outbox.subject
                         and earlier.id < outbox.id and earlier.state in ('waiting', 'sending'))
       order by priority, id limit ?`,
      now.toISOString(),
      limit,
    )
    .map(entryOf)

/** Claims an entry for one attempt; until `leaseUntil` no other sender takes it, after that anyone may (the sender died). */
export const claimEntry = (store: Store, entry: OutboxEntry, leaseUntil: Date): boolean =>
  store.run(
    `update outbox set state = 'sending', attempts = attempts + 1, next_at = ?
     where id = ? and state in ('waiting', 'sending') and attempts = ? and next_at = ?`,
    leaseUntil.toISOString(),
    entry.id,
    entry.attempts,
    entry.nextAt,
  ) === 1

export const markSent = (store: Store, id: number, outcome: string, now: Date): void => {
  store.run(`update outbox set state = 'sent', sent_at = ?, outcome = ? where id = ?`, now.toISOString(), outcome, id)
}

export const markRetry = (store: Store, id: number, outcome: string, nextAt: Date): void => {
  store.run(
    `update outbox set state = 'waiting', next_at = ?, outcome = ? where id = ?`,
    nextAt.toISOString(),
    outcome,
    id,
  )
}

/** Will not be tried again; stays visible. */
export const markDead = (store: Store, id: number, outcome: string): void => {
  store.run(`update outbox set state = 'dead', outcome = ? where id = ?`, outcome, id)
}

export const listOutbox = (
  store: Store,
  options: { state?: OutboxEntry['state']; subject?: string; limit: number },
): OutboxEntry[] =>
  store
    .rows<Row>(
      `select ${columns} from outbox where (? = '' or state = ?) and (? = '' or subject = ?) order by id desc limit ?`,
      options.state ?? '',
      options.state ?? '',
      options.subject ?? '',
      options.subject ?? '',
      options.limit,
    )
    .map(entryOf)

/** What a destination gave for a subject, such as the id of a card that later messages update. */
export const findReference = (store: Store, channel: string, subject: string): string | null =>
  store.row<{ reference: string }>(
    'select reference from channel_reference where channel = ? and subject = ?',
    channel,
    subject,
  )?.reference ?? null

export const saveReference = (store: Store, channel: string, subject: string, reference: string): void => {
  store.run(
    `insert into channel_reference (channel, subject, reference) values (?, ?, ?)
     on conflict (channel, subject) do update set reference = excluded.reference`,
    channel,
    subject,
    reference,
  )
}
