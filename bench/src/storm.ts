import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fork } from 'node:child_process'
import { openStore } from '@dam/ops/src/store.ts'
import { watchApi } from './alerts/api-watch.ts'
import { opsPlace } from './alerts/ops-process.ts'
import { startReceiver } from './alerts/receiver.ts'
import { config } from './config.ts'
import { type Figure, quantile, report } from './report.ts'

const groups = 50
const writers = 3
/** How long the API is measured before each storm. */
const calmMs = 10_000

/**
 * 10 000 alerts in a second, 1 000 in ten and 10 000 in a minute, from several processes into the store of the real ops process; one of a
 * hundred is P0.
 */
export async function run(): Promise<void> {
  const figures: Figure[] = []
  for (const [count, seconds] of config.quick
    ? [[1_000, 5] as const]
    : [[10_000, 1] as const, [1_000, 10] as const, [10_000, 60] as const])
    figures.push(...(await storm(count, seconds)))
  report('storm', figures)
}

async function storm(count: number, seconds: number): Promise<Figure[]> {
  const name = `${count.toLocaleString('en').replaceAll(',', ' ')} alerts in ${seconds} s`
  await using receiver = await startReceiver(20)
  const place = await opsPlace(path.join(config.scratchDir, 'storm'), { receiver: receiver.url })
  const ops = await place.start()
  using store = openStore(place.folder)
  let rssPeak = 0
  const watch = setInterval(() => (rssPeak = Math.max(rssPeak, rssOf(ops.pid))), 200)
  const api = await watchApi(store, place.address)
  await sleep(calmMs)
  const calm = api.take()
  const startedAt = Date.now()
  const accepted = await Promise.all(
    Array.from({ length: writers }, (_, writer) =>
      writeAlerts(place.folder, {
        writer,
        count: Math.floor(count / writers) + (writer < count % writers ? 1 : 0),
        seconds,
      }),
    ),
  )
  const endedAt = Date.now()
  const until = performance.now() + 60_000
  const urgent = (): number =>
    store.row<{ n: number }>(
      `select count(*) as n from outbox where channel = 'pagerduty' and state in ('waiting', 'sending')`,
    )?.n ?? 0
  await sleep(3_000)
  const stormy = api.take()
  await api.stop()
  while (urgent() > 0 && performance.now() < until) await sleep(250)
  clearInterval(watch)
  await ops.stop()

  const opened = store.rows<{ id: number; severity: string; openedAt: string }>(
    `select id, severity, opened_at as openedAt from incident where environment = 'bench'`,
  )
  const pages = receiver.arrivals.filter(
    ({ body }) => body['event_action'] === 'trigger' && String(body['dedup_key']).startsWith('dam/bench/'),
  )
  const severe = new Map(
    store
      .rows<{ id: number; at: string }>(
        `select incident_id as id, min(at) as at from incident_event where kind in ('opened', 'severity')
         and (message like '%→ P0' or incident_id in (select id from incident where severity = 'P0'
              and id not in (select incident_id from incident_event where kind = 'severity'))) group by incident_id`,
      )
      .map(({ id, at }) => [id, Date.parse(at)]),
  )
  const delays = opened.flatMap(({ id, openedAt }) => {
    const first = pages.find(({ body }) => body['dedup_key'] === `dam/bench/incident:${id}`)
    return first ? [first.at - Date.parse(openedAt)] : []
  })
  const firstSevereAt = Math.min(...severe.values())
  const firstSeverePage = pages.find(
    ({ body, at }) =>
      at >= firstSevereAt && (body['payload'] as { severity?: string } | undefined)?.severity === 'critical',
  )
  const acceptedCount = accepted.reduce((sum, { accepted }) => sum + accepted, 0)
  const perDedup = new Set(pages.map(({ body }) => `${String(body['dedup_key'])} ${JSON.stringify(body['payload'])}`))
    .size
  return [
    { figure: `${name}: accepted`, value: acceptedCount, unit: 'count', n: count, target: { atLeast: count } },
    { figure: `${name}: time to accept them`, value: endedAt - startedAt, unit: 'ms', n: acceptedCount },
    { figure: `${name}: incidents`, value: opened.length, unit: 'count', n: count, target: { atMost: groups } },
    {
      figure: `${name}: incidents never paged`,
      value: opened.length - delays.length,
      unit: 'count',
      n: opened.length,
      target: { atMost: 0 },
    },
    // Opened, severity raised, level 1, level 2: each incident at each level once.
    { figure: `${name}: pages`, value: pages.length, unit: 'count', n: opened.length, target: { atMost: groups * 4 } },
    {
      figure: `${name}: pages that arrived twice`,
      value: pages.length - perDedup,
      unit: 'count',
      n: pages.length,
      target: { atMost: 0 },
    },
    {
      figure: `${name}: first P0 until its page`,
      value: firstSeverePage ? firstSeverePage.at - firstSevereAt : Number.NaN,
      unit: 'ms',
      n: 1,
      target: { atMost: 5_000 },
    },
    {
      figure: `${name}: opened until first page, p99`,
      value: quantile(delays, 0.99),
      unit: 'ms',
      n: delays.length,
      target: { atMost: 30_000 },
    },
    {
      figure: `${name}: memory of the ops process, peak`,
      value: rssPeak / 1024 ** 2,
      unit: 'MiB',
      n: 1,
      target: { atMost: 200 },
    },
    { figure: `${name}: list of incidents before, p95`, value: quantile(calm, 0.95), unit: 'ms', n: calm.length },
    {
      figure: `${name}: list of incidents in the storm, p95`,
      value: quantile(stormy, 0.95),
      unit: 'ms',
      n: stormy.length,
    },
  ]
}

const rssOf = (pid: number): number => {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

function writeAlerts(
  folder: string,
  plan: { writer: number; count: number; seconds: number },
): Promise<{ accepted: number }> {
  const child = fork(fileURLToPath(new URL('./alerts/storm-writer-main.ts', import.meta.url)), [
    folder,
    String(plan.writer),
    String(plan.count),
    String(plan.seconds),
    String(groups),
  ])
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as { accepted: number }))
    child.once('exit', (code) => reject(new Error(`a writer of alerts ended with code ${String(code)}`)))
  })
}
