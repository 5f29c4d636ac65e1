import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { openStore } from '@dam/ops/src/store.ts'
import { simulateAlerts } from '@dam/ops/src/testing/simulate-alerts.ts'
import { config } from './config.ts'
import { createRandom } from './random.ts'
import { report } from './report.ts'

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/St_Johns']
const daysASeed = 60

/** Simulated years of incidents, schedules and faults; what must hold is checked after every turn. */
export async function run(): Promise<void> {
  const goalHours = config.simulatedHours ?? (config.quick ? 2_880 : 100_000)
  // A violation is found again with the seed it names.
  const first = config.seed
  const sum = { hours: 0, incidents: 0, calls: 0, crashes: 0, clockJumps: 0, outages: 0, seeds: 0 }
  const violations: string[] = []
  const shipped = readPolicy().policy
  const ids = ['anna', 'ben', 'cleo', 'lead', 'manager', 'cto']
  const people = ids.map((id) => ({
    id,
    name: id,
    phone: '',
    email: `${id}@dam.local`,
    slack: '',
    pagerduty: '',
    level: 1,
  }))
  for (let seed = first; sum.hours < goalHours; seed++) {
    const random = createRandom(seed)
    mkdirSync(config.scratchDir, { recursive: true })
    const folder = mkdtempSync(path.join(config.scratchDir, 'simulate-'))
    const store = openStore(folder, { durability: 'none' })
    const found = await simulateAlerts(store, {
      policy: {
        ...shipped,
        people,
        oncall: {
          ...shipped.oncall,
          zone: random.pick(zones),
          rotation: ['anna', 'ben', 'cleo'].slice(random.below(2)),
        },
        escalation: {
          ...shipped.escalation,
          levels: shipped.escalation.levels.map((level, index) => ({
            ...level,
            to: index === 0 ? ('oncall' as const) : [ids[index + 2] ?? ''],
          })),
        },
      },
      random: random.next,
      // Around a change of the clocks in one half of the world or the other.
      start: new Date(
        random.pick([Date.UTC(2026, 2, 10), Date.UTC(2026, 9, 10), Date.UTC(2026, 11, 20), Date.UTC(2028, 1, 20)]),
      ),
      days: daysASeed,
    })
    store.close()
    rmSync(folder, { recursive: true })
    for (const key of ['hours', 'incidents', 'calls', 'crashes', 'clockJumps', 'outages'] as const)
      sum[key] += found[key]
    sum.seeds++
    for (const violation of found.violations) {
      violations.push(`seed ${seed}: ${violation}`)
      if (violations.length <= 20) console.log(`seed ${seed}: ${violation}`)
    }
    console.log(`${Math.round(sum.hours)} h, ${violations.length} violations`)
  }
  report('simulate', [
    { figure: 'simulated', value: sum.hours, unit: 'h', n: sum.seeds, target: { atLeast: goalHours } },
    { figure: 'violations', value: violations.length, unit: 'count', n: sum.seeds, target: { atMost: 0 } },
    { figure: 'incidents', value: sum.incidents, unit: 'count', n: sum.seeds },
    { figure: 'calls', value: sum.calls, unit: 'count', n: sum.seeds },
    { figure: 'crashes between two transactions', value: sum.crashes, unit: 'count', n: sum.seeds },
    { figure: 'jumps of the clock', value: sum.clockJumps, unit: 'count', n: sum.seeds },
    { figure: 'outages of destinations', value: sum.outages, unit: 'count', n: sum.seeds },
  ])
}
