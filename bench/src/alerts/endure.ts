import { setTimeout as sleep } from 'node:timers/promises'
import { openIncident } from '@dam/ops/src/incidents/incident-store.ts'
import type { Message } from '@dam/ops/src/notify/message.ts'
import { openStore, type Store } from '@dam/ops/src/store.ts'
import { createRandom } from '../random.ts'
import { type Figure, quantile } from '../report.ts'
import type { Climb, OpsPlace, OpsProcess } from './ops-process.ts'
import type { Receiver } from './receiver.ts'

type Moment = 'queued' | 'sending' | 'sent, not acknowledged' | 'escalating' | 'idle'

/** Times of the levels, so short that incidents climb between two deaths. */
export const quickClimb = { secondary: '3s', levels: ['6s', '10s', '15s'] } as const satisfies Climb

/** Ends the process the hard way; `store` is the bench's own connection, and what is given back goes on in its place. */
export type Death = (ops: OpsProcess, store: Store) => Promise<Store>

/**
 * The real ops process dies at random moments while incidents open and climb. Every incident that was committed must be paged, every
 * call made must have arrived. `called` is what a death is named in the figures.
 */
export async function endure(options: {
  called: string
  deaths: number
  place: OpsPlace
  receiver: Receiver
  die: Death
}): Promise<Figure[]> {
  const { called, deaths, place, receiver, die } = options
  const seed = Date.now()
  const random = createRandom(seed)
  console.log(`seed ${seed}`)
  let ops = await place.start()
  let store = openStore(place.folder)
  /** Of each incident that was committed, by its id. */
  const opened = new Map<number, { at: number; dedupKey: string }>()
  const open = (n: number): void => {
    const dedupKey = `bench/${n}`
    const { incident } = openIncident(store, {
      environment: 'bench',
      severity: random.next() < 0.3 ? 'P0' : 'P1',
      title: `Died ${n}`,
      cause: '',
      dedupKey,
      openedBy: 'bench',
      now: new Date(),
    })
    opened.set(incident.id, { at: Date.now(), dedupKey })
  }
  const acknowledge = (id: number): void => {
    store.run(
      `update incident set state = 'acknowledged', acknowledged_at = ?, acknowledged_by = 'bench' where id = ? and state = 'open'`,
      new Date().toISOString(),
      id,
    )
  }
  const moments = new Map<Moment, number>()
  for (let death = 0; death < deaths; death++) {
    open(2 * death)
    await sleep(random.between(0, 2_500))
    const moment = momentOf(store, receiver.unanswered())
    store = await die(ops, store)
    moments.set(moment, (moments.get(moment) ?? 0) + 1)
    if (random.next() < 0.3) open(2 * death + 1)
    ops = await place.start()
    // Old ones are over, as in life, or the climb of a hundred incidents would be all there is.
    for (const [id, { at }] of opened) if (Date.now() - at > 60_000) acknowledge(id)
  }
  const unsent = (): number =>
    store.row<{ n: number }>(
      `select count(*) as n from outbox where channel = 'pagerduty' and state in ('waiting', 'sending')`,
    )?.n ?? 0
  for (const id of opened.keys()) acknowledge(id)
  await sleep(3_000)
  const until = performance.now() + 300_000
  while (unsent() > 0 && performance.now() < until) await sleep(500)
  await ops.stop()

  const triggers = receiver.arrivals.filter(({ body }) => body['event_action'] === 'trigger')
  const countOf = (id: number): number =>
    triggers.filter(({ body }) => body['dedup_key'] === `dam/bench/incident:${id}`).length
  const owed = store
    .rows<{ subject: string; message: string }>(
      `select subject, message from outbox where channel = 'pagerduty' and json_extract(message, '$.environment') = 'bench'
     and state = 'sent' and json_extract(message, '$.event') not in ('incident-acknowledged', 'incident-resolved')`,
    )
    .map(({ subject, message }) => {
      const { at, event, title } = JSON.parse(message) as Message
      return `dam/bench/${subject} ${at} ${event} ${title}`
    })
  const known = new Map(
    store
      .rows<{ id: number; dedupKey: string }>('select id, dedup_key as dedupKey from incident')
      .map(({ id, dedupKey }) => [id, dedupKey]),
  )
  const calls = triggers
    .filter(({ body }) => String(body['dedup_key']).startsWith('dam/bench/'))
    .map(({ body }) => {
      const { timestamp, class: event, summary } = body['payload'] as Record<string, string>
      return `${String(body['dedup_key'])} ${timestamp} ${event} ${summary}`
    })
  const firstAfter = [...opened].flatMap(([id, { at }]) => {
    const first = triggers.find(({ body }) => body['dedup_key'] === `dam/bench/incident:${id}`)
    return first ? [first.at - at] : []
  })
  const left = unsent()
  store.close()
  const ids = [...opened.keys()]
  return [
    { figure: called, value: deaths, unit: 'count', n: deaths },
    ...[...moments].map(([moment, value]) => ({ figure: `  of that ${moment}`, value, unit: 'count', n: deaths })),
    { figure: 'incidents committed', value: opened.size, unit: 'count', n: opened.size },
    {
      figure: 'of these no longer known',
      value: ids.filter((id) => known.get(id) !== opened.get(id)?.dedupKey).length,
      unit: 'count',
      n: opened.size,
      target: { atMost: 0 },
    },
    {
      figure: 'of these never paged',
      value: ids.filter((id) => countOf(id) === 0).length,
      unit: 'count',
      n: opened.size,
      target: { atMost: 0 },
    },
    { figure: 'pages left unsent', value: left, unit: 'count', n: owed.length, target: { atMost: 0 } },
    {
      figure: 'pages that never arrived',
      value: moreOf(owed, calls),
      unit: 'count',
      n: owed.length,
      target: { atMost: 0 },
    },
    { figure: 'pages that arrived twice', value: moreOf(calls, owed), unit: 'count', n: owed.length },
    {
      figure: 'committed until first page, p50 (deaths and starts included)',
      value: quantile(firstAfter, 0.5),
      unit: 'ms',
      n: firstAfter.length,
    },
    { figure: 'committed until first page, slowest', value: quantile(firstAfter, 1), unit: 'ms', n: firstAfter.length },
  ]
}

/** How many of `these` have no counterpart of their own among `those`. */
function moreOf(these: readonly string[], those: readonly string[]): number {
  const left = new Map<string, number>()
  for (const one of those) left.set(one, (left.get(one) ?? 0) + 1)
  return these.filter((one) => {
    const count = left.get(one) ?? 0
    left.set(one, count - 1)
    return count <= 0
  }).length
}

function momentOf(store: Store, unanswered: number): Moment {
  if (unanswered > 0) return 'sent, not acknowledged'
  const has = (sql: string): boolean => store.row<{ one: number }>(`select 1 as one from ${sql} limit 1`) !== undefined
  if (has(`outbox where state = 'sending'`)) return 'sending'
  if (
    has(`outbox where state = 'waiting'`) ||
    has(`incident where state = 'open' and id not in (select incident_id from escalation)`)
  )
    return 'queued'
  return has(`escalation where acknowledged_until is null`) ? 'escalating' : 'idle'
}
