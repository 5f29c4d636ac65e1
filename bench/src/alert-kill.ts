import { setTimeout as sleep } from 'node:timers/promises'
import { openIncident } from '@dam/ops/src/incidents/incident-store.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { killAlertmanager } from './alerts/alertmanager.ts'
import { opsPlace } from './alerts/ops-process.ts'
import { startReceiver } from './alerts/receiver.ts'
import { config } from './config.ts'
import { createRandom } from './random.ts'
import { quantile, report } from './report.ts'

type Moment = 'queued' | 'sending' | 'sent, not acknowledged' | 'escalating' | 'idle'

/**
 * kill -9 of the real ops process at random moments while incidents open and climb; every incident that was committed must be paged,
 * every call made must have arrived. Then the same for Debian's Alertmanager.
 */
export async function run(): Promise<void> {
  const kills = config.quick ? 10 : (config.rounds ?? 100)
  const seed = Date.now()
  const random = createRandom(seed)
  console.log(`seed ${seed}`)
  await using receiver = await startReceiver(400)
  const place = await opsPlace('alert-kill', {
    receiver: receiver.url,
    after: { secondary: '3s', levels: ['6s', '10s', '15s'] },
  })
  // At the same time, so that both meet the same machine.
  const peerKilled = killAlertmanager(kills)
  peerKilled.catch(() => undefined)
  let ops = await place.start()
  using store = openStore(place.folder)
  const opened = new Map<number, number>()
  const open = (n: number): void => {
    const { incident } = openIncident(store, {
      environment: 'bench',
      severity: random.next() < 0.3 ? 'P0' : 'P1',
      title: `Killed ${n}`,
      cause: '',
      dedupKey: `bench/${n}`,
      openedBy: 'bench',
      now: new Date(),
    })
    opened.set(incident.id, Date.now())
  }
  const moments = new Map<Moment, number>()
  for (let kill = 0; kill < kills; kill++) {
    open(2 * kill)
    await sleep(random.between(0, 2_500))
    const moment = momentOf(store, receiver.unanswered())
    await ops.kill()
    moments.set(moment, (moments.get(moment) ?? 0) + 1)
    if (random.next() < 0.3) open(2 * kill + 1)
    ops = await place.start()
    // Old ones are over, as in life, or the climb of a hundred incidents would be all there is.
    for (const [id, at] of opened)
      if (Date.now() - at > 60_000)
        store.run(
          `update incident set state = 'acknowledged', acknowledged_at = ?, acknowledged_by = 'bench' where id = ? and state = 'open'`,
          new Date().toISOString(),
          id,
        )
  }
  const unsent = (): number =>
    store.row<{ n: number }>(
      `select count(*) as n from outbox where channel = 'pagerduty' and state in ('waiting', 'sending')`,
    )?.n ?? 0
  for (const [id] of opened)
    store.run(
      `update incident set state = 'acknowledged', acknowledged_at = ?, acknowledged_by = 'bench' where id = ? and state = 'open'`,
      new Date().toISOString(),
      id,
    )
  await sleep(3_000)
  const until = performance.now() + 300_000
  while (unsent() > 0 && performance.now() < until) await sleep(500)
  await ops.stop()

  const triggers = receiver.arrivals.filter(({ body }) => body['event_action'] === 'trigger')
  const countOf = (id: number): number =>
    triggers.filter(({ body }) => body['dedup_key'] === `dam/bench/incident:${id}`).length
  const lost = [...opened.keys()].filter((id) => countOf(id) === 0).length
  const owed =
    store.row<{ n: number }>(
      `select count(*) as n from outbox where channel = 'pagerduty' and json_extract(message, '$.environment') = 'bench'
     and state = 'sent' and json_extract(message, '$.event') not in ('incident-acknowledged', 'incident-resolved')`,
    )?.n ?? 0
  const calls = triggers.filter(({ body }) => String(body['dedup_key']).startsWith('dam/bench/')).length
  const firstAfter = [...opened].flatMap(([id, at]) => {
    const first = triggers.find(({ body }) => body['dedup_key'] === `dam/bench/incident:${id}`)
    return first ? [first.at - at] : []
  })
  const peer = await peerKilled
  const peerText = peer
    ? `${peer.version}: ${peer.lost} of ${peer.accepted} accepted alerts (unless Prometheus sends them again)`
    : 'not installed'
  report('alert-kill', [
    { figure: 'kill -9 of the ops process', value: kills, unit: 'count', n: kills },
    ...[...moments].map(([moment, value]) => ({ figure: `  of that ${moment}`, value, unit: 'count', n: kills })),
    { figure: 'incidents committed', value: opened.size, unit: 'count', n: opened.size },
    {
      figure: 'of these never paged',
      value: lost,
      unit: 'count',
      n: opened.size,
      target: { atMost: 0 },
      peer: peerText,
    },
    { figure: 'pages left unsent', value: unsent(), unit: 'count', n: owed, target: { atMost: 0 } },
    {
      figure: 'pages that never arrived',
      value: Math.max(0, owed - calls),
      unit: 'count',
      n: owed,
      target: { atMost: 0 },
    },
    { figure: 'pages that arrived twice', value: Math.max(0, calls - owed), unit: 'count', n: owed },
    {
      figure: 'committed until first page, p50 (kills and starts included)',
      value: quantile(firstAfter, 0.5),
      unit: 'ms',
      n: firstAfter.length,
    },
    { figure: 'committed until first page, slowest', value: quantile(firstAfter, 1), unit: 'ms', n: firstAfter.length },
    ...(peer
      ? [
          {
            figure: 'Alertmanager, same kills: accepted alerts never told',
            value: peer.lost,
            unit: 'count',
            n: peer.accepted,
          },
        ]
      : []),
  ])
}

function momentOf(store: ReturnType<typeof openStore>, unanswered: number): Moment {
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
