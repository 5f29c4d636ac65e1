import { onCall, type Schedule } from '@dam/ops/src/oncall/schedule.ts'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { config } from './config.ts'
import { createRandom } from './random.ts'
import { report } from './report.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
const years = { from: 2025, until: 2035 }
/** Local times of hand-offs; many zones change their clocks between midnight and three. */
const handOffs = ['09:00', '00:00', '00:30', '01:30', '02:00', '02:30', '03:00', '23:30']

/**
 * `onCall` against an oracle that only reads wall clocks (Intl): each hour of ten years in each IANA zone, and minute by minute where the
 * offset changed. Compared are the minutes before, at and after each hand-off, two hours around each change of clocks, and random minutes.
 */
export async function run(): Promise<void> {
  const supported = Intl.supportedValuesOf('timeZone')
  const zones = config.quick ? supported.filter((_, index) => index % 40 === 0) : supported
  const base = readPolicy().policy.oncall
  const random = createRandom(config.seed)
  const end = Date.UTC(years.until, 0, 1)
  let [readings, handOffsFound, changes, compared] = [0, 0, 0, 0]
  const differences: string[] = []
  for (const [index, zone] of zones.entries()) {
    const periodDays = random.pick([1, 7, 14])
    const time = random.pick(handOffs)
    const anchor = `${years.from}-01-0${1 + random.below(9)}T${time}`
    const rotation = ['anna', 'ben', 'cleo', 'dora'].slice(random.below(3))
    const schedule: Schedule = {
      oncall: { ...base, zone, anchor, period: { days: periodDays }, rotation, changes: [] },
      overrides: [],
      recorded: [],
    }
    const clock = readClock(zone, Date.UTC(years.from, 0, 1) - dayMs, end + dayMs)
    const starts = handOffsOf(clock.stretches, { anchor, periodDays, until: end })
    const [first = 0] = starts
    const changed = clock.stretches.slice(1).map(({ from }) => from)
    readings += clock.readings
    handOffsFound += starts.length
    changes += changed.length
    const moments = [
      ...starts.flatMap((at) => [at - minuteMs, at, at + minuteMs]),
      ...changed.flatMap((at) => Array.from({ length: 241 }, (_, i) => at + (i - 120) * minuteMs)),
      ...Array.from({ length: 200 }, () => first + random.below((end - first) / minuteMs) * minuteMs),
    ]
    for (const at of moments) {
      if (at < first || at >= end) continue
      compared++
      const count = starts.findLastIndex((start) => start <= at)
      const expected = rotation[count % rotation.length]
      const { primary } = onCall(schedule, new Date(at))
      if (primary === expected) continue
      differences.push(
        `${zone}, every ${periodDays} days from ${anchor}: at ${new Date(at).toISOString()} ${String(primary)}, the clock says ${String(expected)}`,
      )
      if (differences.length <= 20) console.log(differences.at(-1))
    }
    if (index % 50 === 49) console.log(`${index + 1} of ${zones.length} zones, ${differences.length} differences`)
  }
  report('schedule', [
    { figure: 'IANA zones', value: zones.length, unit: 'count', n: zones.length, target: { atLeast: zones.length } },
    { figure: 'years in each', value: years.until - years.from, unit: 'count', n: zones.length },
    { figure: 'readings of wall clocks', value: readings, unit: 'count', n: zones.length },
    { figure: 'hand-offs', value: handOffsFound, unit: 'count', n: zones.length },
    { figure: 'changes of clocks', value: changes, unit: 'count', n: zones.length },
    {
      figure: 'minutes in which onCall and the oracle differ',
      value: differences.length,
      unit: 'count',
      n: compared,
      target: { atMost: 0 },
    },
  ])
}

/** From `from` on, the clocks are `offset` milliseconds ahead of UTC. */
type Stretch = { from: number; offset: number }

function readClock(zone: string, from: number, until: number): { stretches: Stretch[]; readings: number } {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23',
  })
  let readings = 0
  const offsetAt = (at: number): number => {
    readings++
    return Date.parse(`${format.format(at).replace(', ', 'T')}Z`) - at
  }
  const stretches: Stretch[] = [{ from, offset: offsetAt(from) }]
  for (let at = from; at < until; at += 60 * minuteMs) {
    const known = (): number | undefined => stretches.at(-1)?.offset
    if (offsetAt(at) === known()) continue
    for (let minute = at - 59 * minuteMs; minute <= at; minute += minuteMs) {
      const offset = offsetAt(minute)
      if (offset !== known()) stretches.push({ from: minute, offset })
    }
  }
  return { stretches, readings }
}

/** The instants of the hand-offs: the first at which clocks show the time, or where they skip it, the one at which they do. */
function handOffsOf(
  stretches: readonly Stretch[],
  plan: { anchor: string; periodDays: number; until: number },
): number[] {
  const starts: number[] = []
  const anchor = Date.parse(`${plan.anchor}Z`)
  for (let count = 0; ; count++) {
    const local = anchor + count * plan.periodDays * dayMs
    const found = stretches.flatMap(({ from, offset }, index) => {
      const until = stretches[index + 1]?.from ?? Infinity
      if (local - offset < from) {
        const before = stretches[index - 1]
        const isSkipped = before !== undefined && local >= from + before.offset
        return isSkipped ? [from] : []
      }
      return local - offset < until ? [local - offset] : []
    })
    const start = Math.min(...found)
    if (start >= plan.until) return starts
    starts.push(start)
  }
}
