import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { portsOfHost } from '@dam/ops/src/testing/scratch-host.ts'
import { holdOpen } from '@dam/ops/src/testing/hold-open.ts'
import { testDatabase } from '@dam/platform/testing/database'
import { config } from './config.ts'
import { type Figure, quantile, report } from './report.ts'
import { type Kind, kinds as allKinds } from './rollback/kinds.ts'
import type { FromLane, ToLane } from './rollback/lane-main.ts'
import type { Round } from './rollback/round.ts'

/** Each waits most of the time; as many keep the machine under 70 % busy, see README.md. */
const defaultLanes = 6 * availableParallelism()

type Seen = { rounds: Map<Kind, Round[]>; broken: string[]; lateMs: number[] }

/** Bad, healthy and unlucky miniature releases through the real keeper, front, judge and state machine, several hosts at a time. */
export async function run(): Promise<void> {
  const passes = config.rounds ?? (config.quick ? 1 : 100)
  const kinds = allKinds.filter(({ name }) => config.only === undefined || name.includes(config.only))
  if (kinds.length === 0) throw new Error(`No kind has "${String(config.only)}" in its name.`)
  const tasks = Array.from({ length: passes }, (_, pass) => kinds.map((kind) => ({ pass, kind }))).flat()
  const lanes = Math.min(config.lanes ?? defaultLanes, tasks.length)
  const seen: Seen = { rounds: new Map(kinds.map((kind) => [kind, []])), broken: [], lateMs: [] }
  const open = Array.from({ length: passes }, () => kinds.length)
  let [begun, ended, written] = [0, 0, 0]
  await using database = await testDatabase({ empty: true })
  await using _held = await holdOpen(database.connectionString)
  const startedAt = performance.now()
  const minutes = (): number => (performance.now() - startedAt) / 60_000
  console.log(`${tasks.length} rounds of ${kinds.length} kinds in ${lanes} lanes`)
  const busy = startBusyWatch()

  const next = () => (config.minutes !== undefined && minutes() > config.minutes ? undefined : tasks[begun++])
  const live = async (index: number, started: () => void): Promise<void> => {
    const lane = startLane(config.port + index * portsOfHost)
    try {
      await lane.answer()
      started()
      for (let task = next(); task; task = next()) {
        lane.tell({ kind: allKinds.indexOf(task.kind) })
        const said = await lane.answer()
        ended++
        const left = (minutes() / ended) * (tasks.length - ended)
        const place = `${String(ended).padStart(4)}/${tasks.length}  ${task.kind.name.padEnd(34)}`
        if ('round' in said) {
          seen.rounds.get(task.kind)?.push(said.round)
          seen.lateMs.push(said.lateMs)
          console.log(`${place} ${describe(task.kind, said.round)}; about ${left.toFixed(0)} min left`)
        } else if ('broken' in said) {
          seen.broken.push(`${task.kind.name}: ${said.broken}`)
          console.log(`${place} not measured: ${said.broken}`)
        }
        open[task.pass] = (open[task.pass] ?? 0) - 1
        if (open[written] !== 0) continue
        while (open[written] === 0) written++
        report('rollback', figuresOf(seen, lanes, ended, busy()), { isPartial: true })
      }
    } finally {
      await lane.end()
    }
  }
  const living: Promise<void>[] = []
  // One after the other: that many starts at once are not what is measured.
  for (let index = 0; index < lanes; index++) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const life = live(index, resolve)
    living.push(life)
    await Promise.race([promise, life])
  }
  await Promise.all(living)
  report('rollback', figuresOf(seen, lanes, ended, busy()))
}

function startLane(firstPort: number) {
  const child: ChildProcess = fork(fileURLToPath(new URL('./rollback/lane-main.ts', import.meta.url)), [
    String(firstPort),
  ])
  const exited = once(child, 'exit')
  return {
    tell: (message: ToLane) => void child.send(message),
    answer: async (): Promise<FromLane> => {
      const found = await Promise.race([once(child, 'message'), exited.then(() => null)])
      if (!found) throw new Error(`A lane ended with code ${String(child.exitCode)}; what it said is above.`)
      return found[0] as FromLane
    },
    end: async () => {
      if (child.connected) child.send('end' satisfies ToLane)
      await exited
    },
  }
}

function describe({ expected }: Kind, { isRolledBack, detectMs, errors, requests, because }: Round): string {
  const outcome = isRolledBack
    ? 'rolled back'
    : expected === 'never-served'
      ? 'kept away from people'
      : 'not rolled back'
  const time = detectMs === null ? '' : ` after ${(detectMs / 1000).toFixed(1)} s`
  const why = isRolledBack === (expected === 'rolled-back') || expected === 'seen' ? '' : `: ${because}`
  return `${outcome}${time}, ${errors} of ${requests} requests bad${why}`
}

function figuresOf({ rounds, broken, lateMs }: Seen, lanes: number, ended: number, busyShare: number): Figure[] {
  const rows = [...rounds].filter(([, each]) => each.length > 0)
  const restores = rows.flatMap(([, each]) => each.flatMap(({ restoreMs }) => (restoreMs === null ? [] : [restoreMs])))
  const n = restores.length
  return [
    ...rows.flatMap(([kind, each]) => figuresOfKind(kind, each)),
    ...(n === 0
      ? []
      : [
          { figure: 'restore traffic from decision, median', value: quantile(restores, 0.5) / 1000, unit: 's', n },
          { figure: 'restore traffic from decision, p95', value: quantile(restores, 0.95) / 1000, unit: 's', n },
          {
            figure: 'restore traffic from decision, worst',
            value: Math.max(...restores) / 1000,
            unit: 's',
            n,
            target: { atMost: 1 },
          },
        ]),
    {
      figure: 'rounds that could not be measured',
      value: broken.length,
      unit: 'count',
      n: ended,
      target: { atMost: 0 },
    },
    { figure: 'lanes at the same time', value: lanes, unit: 'count', n: ended },
    { figure: 'machine busy, mean', value: busyShare * 100, unit: '%', n: ended, target: { atMost: 70 } },
    ...(lateMs.length === 0
      ? []
      : [
          {
            figure: 'deployer late by (p99 of a round), median of rounds',
            value: quantile(lateMs, 0.5),
            unit: 'ms',
            n: lateMs.length,
          },
          {
            figure: 'deployer late by (p99 of a round), worst round',
            value: Math.max(...lateMs),
            unit: 'ms',
            n: lateMs.length,
          },
        ]),
  ]
}

function figuresOfKind({ name, expected, target, databaseDownSeconds }: Kind, each: readonly Round[]): Figure[] {
  const n = each.length
  const back = each.filter(({ isRolledBack }) => isRolledBack).length
  const errors = each.map((round) => round.errors)
  const served = each.map((round) => round.requests)
  if (expected === 'never-served') {
    return [
      { figure: `${name}: bad answers users saw, all rounds`, value: sum(errors), unit: 'count', n: sum(served) },
    ].map((figure) => ({ ...figure, target: { atMost: 0 } }))
  }
  if (expected === 'kept') {
    const wrong = each.filter(({ incidents }) => incidents !== (databaseDownSeconds ? 1 : 0)).length
    return [
      { figure: `${name}: false rollbacks`, value: back, unit: 'count', n, target: { atMost: 0 } },
      ...(databaseDownSeconds
        ? [{ figure: `${name}: rounds without exactly one P0`, value: wrong, unit: 'count', n, target: { atMost: 0 } }]
        : []),
    ]
  }
  const detect = each.flatMap(({ detectMs }) => (detectMs === null ? [] : [detectMs / 1000]))
  const time = (what: string, share: number, bound: number | undefined): Figure => ({
    figure: `${name}: detect, ${what}`,
    value: quantile(detect, share),
    unit: 's',
    n: detect.length,
    ...(bound === undefined ? {} : { target: { atMost: bound } }),
  })
  return [
    {
      figure: `${name}: rolled back`,
      value: back,
      unit: 'count',
      n,
      ...(expected === 'rolled-back' ? { target: { atLeast: n } } : {}),
    },
    ...(detect.length === 0 ? [] : [time('median', 0.5, target?.median), time('p95', 0.95, target?.p95)]),
    { figure: `${name}: bad answers served, median`, value: quantile(errors, 0.5), unit: 'count', n },
  ]
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Share of the machine's CPU time that was used since it began. Linux. */
function startBusyWatch(): () => number {
  const read = () => {
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...rest] = readFileSync('/proc/stat', 'latin1')
      .slice(0, 200)
      .split('\n')[0]!
      .trim()
      .split(/\s+/)
      .slice(1, 9)
      .map(Number)
    const used = user + nice + system + sum(rest)
    return { used, all: used + idle + wait }
  }
  const first = read()
  return () => {
    const now = read()
    return now.all === first.all ? 0 : (now.used - first.used) / (now.all - first.all)
  }
}
