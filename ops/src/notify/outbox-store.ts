import type { Store } from '../store.ts'
import type { Message } from './message.ts'

export type OutboxEntry = {
  id: number
  dedupKey: string
  channel: string
  subject: string
  priority: number
  message: Message
  /** `dropped`: what it announces was over before it could be sent. */
  state: 'waiting' | 'sending' | 'sent' | 'dead' | 'dropped'
  attempts: number
  /** Attempts that may have arrived although nothing said so: cut off, timed out, or killed on the way. */
  unsure: number
  nextAt: string
  createdAt: string
  sentAt: string | null
  /** The last answer or error. */
  outcome: string
}

type Row = Omit<OutboxEntry, 'message'> & { message: string }
const columns = `id, dedup_key as dedupKey, channel, subject, priority, message, state, attempts, unsure, next_at as nextAt,
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
  const priority = message.severity ? priorities[message.severity] : 3
  for (const channel of options.channels) {
    const added = store.run(
      `insert into outbox (dedup_key, channel, subject, priority, message, state, next_at, created_at)
       values (?, ?, ?, ?, ?, 'waiting', ?, ?) on conflict (dedup_key) do nothing`,
      `${message.subject}/${options.key}/${channel}`,
      channel,
      message.subject,
      priority,
      JSON.stringify(message),
      options.now.toISOString(),
      options.now.toISOString(),
    )
    if (added > 0) hurry(store, { channel, subject: message.subject, priority, now: options.now })
  }
}

/**
 * What is unsent of a subject becomes as urgent as what follows it, which must not overtake it: a page that is critical would otherwise wait
 * for the turn of a calm one. What failed keeps the time of its next try.
 */
function hurry(
  store: Store,
  { channel, subject, priority, now }: { channel: ChannelAddress; subject: string; priority: number; now: Date },
): void {
  store.run(
    `update outbox set priority = ?, next_at = case when state = 'waiting' and attempts = 0 then ? else next_at end
     where channel = ? and subject = ? and priority > ? and state in ('waiting', 'sending')`,
    priority,
    now.toISOString(),
    channel,
    subject,
    priority,
  )
}

/** Nothing is put off for longer, so what is due later than this was written before the clock went back, and is due now. */
const furthestMs = 120_000
const isTime = `state in ('waiting', 'sending') and (next_at <= ? or next_at > ?)`
const isDue = `${isTime}
  and not exists (select 1 from outbox earlier where earlier.channel = outbox.channel and earlier.subject = outbox.subject
                  and earlier.id < outbox.id and earlier.state in ('waiting', 'sending'))`
const dueBounds = (now: Date): [string, string] => [
  now.toISOString(),
  new Date(now.getTime() + furthestMs).toISOString(),
]

/** Destinations for which something is due. */
export const dueChannels = (store: Store, now: Date): ChannelAddress[] =>
  store
    .rows<{ channel: string }>(`select distinct channel from outbox where ${isTime}`, ...dueBounds(now))
    .map(({ channel }) => channel)

/** An environment of which a destination heard nothing for so long is new to it. */
const newsMs = 15 * 60_000

/** `isFirst`: the first that the destination hears of its environment for a while. */
export type DueEntry = OutboxEntry & { isFirst: boolean }

/**
 * What is due for a destination, most urgent first; of what is equally urgent the first word of an environment before the hundredth of
 * another, then the least tried. Of one subject only the oldest: an end never overtakes its beginning.
 */
export const dueEntries = (store: Store, now: Date, options: { channel: ChannelAddress; limit: number }): DueEntry[] =>
  store
    .rows<Row & { isFirst: number }>(
      `with due as (
         select *, coalesce(json_extract(message, '$.environment'), '') as environment from outbox where channel = ? and ${isDue}
       ), heard as (
         select distinct coalesce(json_extract(message, '$.environment'), '') as environment from outbox
         where channel = ? and attempts > 0 and state <> 'dropped' and created_at > ? and created_at <= ?
       )
       select ${columns}, row_number() over (partition by environment order by priority, id) = 1
         and environment not in (select environment from heard) as isFirst
       from due order by priority, isFirst desc, min(attempts, 1), id limit ?`,
      options.channel,
      ...dueBounds(now),
      options.channel,
      new Date(now.getTime() - newsMs).toISOString(),
      now.toISOString(),
      options.limit,
    )
    .map((row) => ({ ...entryOf(row), isFirst: row.isFirst === 1 }))

/**
 * Whatever a destination should have by now, also what waits behind an earlier message of its subject; most urgent first, and of one
 * subject in its order, because nothing is less urgent than what follows it.
 */
export const overdueEntries = (
  store: Store,
  now: Date,
  options: { channel: ChannelAddress; limit: number },
): OutboxEntry[] =>
  store
    .rows<Row>(
      `select ${columns} from outbox where channel = ? and ${isTime} order by priority, id limit ?`,
      options.channel,
      ...dueBounds(now),
      options.limit,
    )
    .map(entryOf)

/**
 * Drops what announces an incident that is over: nobody is woken for it any more. The end itself is dropped as well when nothing of the
 * incident can have reached this destination. Returns how many it dropped.
 */
export const dropOvertaken = (store: Store, channel: ChannelAddress, now: Date): number =>
  store.transaction(() => {
    const because = 'resolved before it could be sent'
    const unsent = `state in ('waiting', 'sending') and subject like 'incident:%'`
    const dropped = store.run(
      `update outbox set state = 'dropped', outcome = ? where channel = ? and ${unsent}
         and (state = 'waiting' or next_at <= ?) and not json_extract(message, '$.isResolution')
         and exists (select 1 from outbox later where later.channel = outbox.channel and later.subject = outbox.subject
                     and later.id > outbox.id and later.state in ('waiting', 'sending')
                     and json_extract(later.message, '$.isResolution'))`,
      because,
      channel,
      now.toISOString(),
    )
    const ends = store.rows<{ id: number; subject: string }>(
      `select id, subject from outbox where channel = ? and ${unsent} and state = 'waiting' and attempts = 0
         and json_extract(message, '$.isResolution')`,
      channel,
    )
    const needless = ends.filter(({ id, subject }) => {
      const before = store.row<{ reached: number; dropped: number }>(
        `select coalesce(sum(state in ('waiting', 'sending', 'sent') or unsure > 0), 0) as reached,
                coalesce(sum(state = 'dropped'), 0) as dropped
         from outbox where channel = ? and subject = ? and id < ?
           and id > coalesce((select max(id) from outbox ended where ended.channel = ? and ended.subject = ? and ended.id < ?
                              and ended.state in ('sent', 'dropped') and json_extract(ended.message, '$.isResolution')), 0)`,
        channel,
        subject,
        id,
        channel,
        subject,
        id,
      )
      return before !== undefined && before.reached === 0 && before.dropped > 0
    })
    for (const { id } of needless)
      store.run(`update outbox set state = 'dropped', outcome = ? where id = ?`, because, id)
    return dropped + needless.length
  })

/**
 * Claims an entry for one attempt; until `leaseUntil` no other sender takes it, after that anyone may (the sender died). The attempt
 * counts as unsure until its outcome is known.
 */
export const claimEntry = (store: Store, entry: OutboxEntry, leaseUntil: Date): boolean =>
  store.run(
    `update outbox set state = 'sending', attempts = attempts + 1, unsure = unsure + 1, next_at = ?
     where id = ? and state in ('waiting', 'sending') and attempts = ? and next_at = ?`,
    leaseUntil.toISOString(),
    entry.id,
    entry.attempts,
    entry.nextAt,
  ) === 1

/** Puts an entry off without trying it. */
export const postpone = (store: Store, entry: OutboxEntry, outcome: string, nextAt: Date): void => {
  store.run(
    `update outbox set next_at = ?, outcome = ? where id = ? and attempts = ? and next_at = ?`,
    nextAt.toISOString(),
    outcome,
    entry.id,
    entry.attempts,
    entry.nextAt,
  )
}

export const markSent = (store: Store, id: number, outcome: string, now: Date): void => {
  store.run(`update outbox set state = 'sent', sent_at = ?, outcome = ? where id = ?`, now.toISOString(), outcome, id)
}

/** `mayHaveArrived` keeps the attempt among the unsure ones. */
export const markRetry = (
  store: Store,
  id: number,
  failed: { outcome: string; nextAt: Date; mayHaveArrived: boolean },
): void => {
  store.run(
    `update outbox set state = 'waiting', next_at = ?, outcome = ?, unsure = unsure - ? where id = ?`,
    failed.nextAt.toISOString(),
    failed.outcome,
    failed.mayHaveArrived ? 0 : 1,
    id,
  )
}

/** Will not be tried again; stays visible. */
export const markDead = (store: Store, id: number, outcome: string): void => {
  store.run(`update outbox set state = 'dead', outcome = ?, unsure = max(0, unsure - 1) where id = ?`, outcome, id)
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

/** Puts a dead message up for sending again; false when it is not dead. */
export const retryDead = (store: Store, id: number, by: { who: string; now: Date }): boolean =>
  store.run(
    `update outbox set state = 'waiting', next_at = ?, created_at = ?, outcome = ? where id = ? and state = 'dead'`,
    by.now.toISOString(),
    by.now.toISOString(),
    `tried again for ${by.who}`,
    id,
  ) === 1

/** The newest delivery and the newest failure of a channel, for people who ask whether it works. */
export const lastOf = (store: Store, channel: ChannelAddress, state: 'sent' | 'dead'): OutboxEntry | undefined => {
  const row = store.row<Row>(
    `select ${columns} from outbox where channel = ? and state = ? and outcome not like 'recorded%' order by id desc limit 1`,
    channel,
    state,
  )
  return row && entryOf(row)
}
