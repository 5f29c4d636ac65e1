import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { isFiring } from '../alerts/alert-rule.ts'
import { readAlert } from '../alerts/alert-store.ts'
import { evaluateAlerts, longestWindow } from '../alerts/evaluate-alerts.ts'
import type { AlertRule, Policy } from '../policy/policy.ts'
import { readPolicy } from '../policy/read-policy.ts'
import { addCounts, addGauges } from '../signals/collect-sample.ts'
import { increases, type Series, sumOf } from '../signals/prometheus-text.ts'
import { addSample } from '../signals/sample-store.ts'
import { emptySample, type Sample } from '../signals/sample.ts'
import { openTimeline } from '../signals/timeline.ts'
import { scratchStore } from '../testing/scratch-store.ts'
import { alertingRule, recordingRules } from './prometheus-rules.ts'
import { seriesOf } from './signal-series.ts'
import { isInstalled, output } from './testing/prometheus-programs.ts'

const { policy } = readPolicy()
const environment = 'production'
const start = Date.parse('2026-01-01T00:00:00Z')

type Scenario = {
  about: string
  rule: string
  ticks: number
  /** Of the signal at a tick of ten seconds; null: the series is not there. */
  value: (tick: number) => number | null
  /** Ticks at which nothing was scraped. */
  isGap?: (tick: number) => boolean
  /** Ticks at which the process began again, so that counters begin at zero. */
  resets?: number[]
  /** Of all counters. */
  scale?: number
  /** Whether it must have fired at all. */
  fires: boolean
}

const within = (tick: number, from: number, until: number): boolean => tick >= from && tick < until
const step =
  (good: number, bad: number, from: number, until: number) =>
  (tick: number): number =>
    within(tick, from, until) ? bad : good

const scenarios: Scenario[] = [
  { about: 'a step of errors', rule: 'error-rate-critical', ticks: 160, value: step(0, 0.1, 40, 80), fires: true },
  {
    about: 'errors below the limit',
    rule: 'error-rate-critical',
    ticks: 120,
    value: step(0, 0.04, 40, 80),
    fires: false,
  },
  {
    about: 'a ramp of errors up and down',
    rule: 'error-rate-critical',
    ticks: 240,
    value: (t) => Math.max(0, 0.15 - Math.abs(t - 100) * 0.002),
    fires: true,
  },
  {
    about: 'errors that flap',
    rule: 'error-rate-critical',
    ticks: 200,
    value: (t) => (within(t, 40, 120) && t % 6 < 3 ? 0.3 : 0),
    fires: true,
  },
  {
    about: 'errors that stay between limit and clear',
    rule: 'error-rate-critical',
    ticks: 260,
    value: (t) => (within(t, 40, 80) ? 0.08 : within(t, 80, 160) ? 0.04 : 0.01),
    fires: true,
  },
  {
    about: 'a restart in the middle of errors',
    rule: 'error-rate-critical',
    ticks: 180,
    value: step(0, 0.1, 40, 90),
    resets: [60],
    fires: true,
  },
  {
    about: 'restarts again and again',
    rule: 'error-rate-critical',
    ticks: 180,
    value: step(0, 0.1, 40, 90),
    resets: [45, 50, 55, 70, 95],
    fires: true,
  },
  {
    about: 'a minute without scrapes while it fires',
    rule: 'error-rate-critical',
    ticks: 180,
    value: step(0, 0.1, 40, 90),
    isGap: (t) => within(t, 65, 71),
    fires: true,
  },
  {
    about: 'two lost scrapes while it is pending',
    rule: 'error-rate-critical',
    ticks: 180,
    value: step(0, 0.1, 40, 90),
    isGap: (t) => within(t, 58, 60),
    fires: true,
  },
  {
    about: 'too few requests to say anything',
    rule: 'error-rate-critical',
    ticks: 120,
    value: step(0, 0.5, 40, 80),
    scale: 0.0005,
    fires: false,
  },
  { about: 'two per cent of errors', rule: 'error-rate-high', ticks: 220, value: step(0, 0.02, 40, 110), fires: true },
  {
    about: 'a short burst of two per cent',
    rule: 'error-rate-high',
    ticks: 120,
    value: step(0, 0.02, 40, 50),
    fires: false,
  },
  { about: 'slow answers', rule: 'response-time-high', ticks: 220, value: step(0.05, 3, 40, 110), fires: true },
  {
    about: 'answers that slow down bucket by bucket',
    rule: 'response-time-high',
    ticks: 240,
    value: (t) => (t < 40 ? 0.05 : t < 80 ? 0.3 : t < 150 ? 7 : 0.2),
    fires: true,
  },
  {
    about: 'answers between one and two seconds',
    rule: 'performance-degraded',
    ticks: 320,
    value: step(0.05, 1.5, 40, 180),
    fires: true,
  },
  { about: 'a step of memory', rule: 'memory-high', ticks: 240, value: step(0.5, 0.9, 40, 110), fires: true },
  {
    about: 'processors around the limit',
    rule: 'cpu-high',
    ticks: 320,
    value: (t) => (within(t, 40, 140) ? 0.9 : within(t, 140, 200) ? 0.77 : 0.3),
    fires: true,
  },
  {
    about: 'a disk that fills and is cleaned',
    rule: 'disk-high',
    ticks: 340,
    value: (t) => (t < 180 ? 0.7 + t * 0.0012 : 0.75),
    fires: true,
  },
  {
    about: 'a database that is away',
    rule: 'database-connection-lost',
    ticks: 80,
    value: step(1, 0, 30, 45),
    fires: true,
  },
  {
    about: 'one lost probe of the database',
    rule: 'database-connection-lost',
    ticks: 80,
    value: (t) => (t % 7 === 0 ? 0 : 1),
    fires: false,
  },
  {
    about: 'silence while the database is away',
    rule: 'database-connection-lost',
    ticks: 140,
    value: (t) => (within(t, 40, 90) ? null : within(t, 30, 40) ? 0 : 1),
    fires: true,
  },
  {
    about: 'silence while the database is well',
    rule: 'database-connection-lost',
    ticks: 140,
    value: (t) => (within(t, 40, 80) ? null : 1),
    fires: false,
  },
  {
    about: 'silence where silence is an outage',
    rule: 'system-down',
    ticks: 140,
    value: (t) => (within(t, 40, 60) ? null : 1),
    fires: true,
  },
  {
    about: 'a budget that burns twenty times too fast',
    rule: 'error-budget-fast',
    ticks: 560,
    value: step(0, 30, 60, 320),
    fires: true,
  },
  {
    about: 'a short burst against the budget',
    rule: 'error-budget-fast',
    ticks: 560,
    value: step(0, 60, 360, 372),
    fires: false,
  },
  { about: 'uploads that fail', rule: 'upload-failures', ticks: 460, value: step(1, 0.7, 60, 160), fires: true },
  {
    about: 'requests that wait for a connection',
    rule: 'pool-exhausted',
    ticks: 160,
    value: (t) => (within(t, 40, 80) ? Math.min(12, t - 40) : 0),
    fires: true,
  },
  {
    about: 'old work in the queue',
    rule: 'queue-old',
    ticks: 200,
    value: (t) => (within(t, 40, 110) ? 1_000 : 30),
    fires: true,
  },
  {
    about: 'a crash loop',
    rule: 'restart-loop',
    ticks: 260,
    value: (t) => ([50, 55, 60, 65, 70].includes(t) ? 1 : 0),
    fires: true,
  },
]

/** What is exported at each tick: by series, undefined where nothing was scraped. */
function series({
  rule: name,
  ticks,
  value,
  isGap,
  resets = [],
  scale = 1,
}: Scenario): Map<string, (number | undefined)[]> {
  const rule = ruleOf(name)
  const told = new Map<string, (number | undefined)[]>()
  const counters = new Map<string, number>()
  for (let tick = 0; tick < ticks; tick++) {
    if (resets.includes(tick)) counters.clear()
    const at = value(tick)
    for (const one of seriesOf(rule.signal, at ?? 0, environment)) {
      const total = (counters.get(one.series) ?? 0) + (one.counter ?? 0) * scale
      counters.set(one.series, total)
      const list = told.get(one.series) ?? []
      told.set(one.series, list)
      if (at !== null && isGap?.(tick) !== true) list[tick] = one.counter === undefined ? one.gauge : total
    }
  }
  return told
}

const ruleOf = (name: string): AlertRule => {
  const rule = policy.alerts.find((candidate) => candidate.name === name)
  if (!rule) throw new Error(`the policy has no alert ${name}`)
  return { ...rule, inhibitedBy: [] }
}

/** Ticks at which the embedded engine has the rule firing. */
function embedded(scenario: Scenario): boolean[] {
  using store = scratchStore()
  const only: Policy = { ...policy, alerts: [ruleOf(scenario.rule)] }
  const timeline = openTimeline(store, environment, longestWindow(only))
  const told = series(scenario)
  let before: Series[] | null = null
  return Array.from({ length: scenario.ticks }, (_, tick) => {
    const now = new Date(start + tick * 10_000)
    const scraped = [...told].flatMap(([selector, values]) => {
      const value = values[tick]
      return value === undefined ? [] : [parseSelector(selector, value)]
    })
    if (scraped.length > 0) {
      addSample(store, environment, now, sampleOf(before, scraped))
      before = scraped
    }
    evaluateAlerts(store, { policy: only, environment, timeline, now: new Date(now.getTime() + 1) })
    return isFiring(readAlert(store, environment, scenario.rule, now).state)
  })
}

/** What the collector makes of the same series. */
function sampleOf(before: Series[] | null, scraped: Series[]): Sample {
  const sample = emptySample()
  addGauges(sample, scraped)
  const grown = before === null ? [] : increases(before, scraped)
  addCounts(sample, grown, true)
  sample.restarts = sumOf(grown, 'dam_process_restarts_total') ?? 0
  const gauge = (name: keyof Sample['gauges'], value: number | null): void => {
    if (value !== null) sample.gauges[name] = value
  }
  gauge('cpu', sumOf(scraped, 'dam_host_cpu_ratio'))
  const memory = (state: string) => sumOf(scraped, 'dam_host_memory_bytes', (labels) => labels['state'] === state)
  gauge('memory', memory('total') === null ? null : 1 - (memory('available') ?? 0) / (memory('total') ?? 1))
  const disk = (state: string) => sumOf(scraped, 'dam_disk_bytes', (labels) => labels['state'] === state)
  gauge('disk', disk('used') === null ? null : (disk('used') ?? 0) / ((disk('used') ?? 0) + (disk('free') ?? 0)))
  for (const dependency of ['database', 'storage', 'cache'] as const) {
    const up = sumOf(scraped, 'dam_dependency_up', (labels) => labels['dependency'] === dependency)
    if (up !== null) sample.up[dependency] = up
  }
  const up = sumOf(scraped, 'up')
  if (up !== null) sample.up.system = up
  return sample
}

function parseSelector(selector: string, value: number): Series {
  const [, name = '', labels = ''] = /^([^{]+)\{(.*)\}$/.exec(selector) ?? []
  return {
    name,
    value,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text])),
  }
}

/**
 * Asks Prometheus' own evaluation, through promtool, at every tick that is not within one of a change of ours. Returns its complaint, or
 * null when it agrees.
 */
async function disagreement(scenario: Scenario, ours: boolean[]): Promise<string | null> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dam-agreement-'))
  try {
    const only: Policy = { ...policy, alerts: [ruleOf(scenario.rule)], targets: {} }
    const rules = [...recordingRules(only, environment), alertingRule(ruleOf(scenario.rule), environment, 'http://ops')]
    writeFileSync(path.join(folder, 'rules.yml'), stringify({ groups: [{ name: 'dam', interval: '10s', rules }] }))
    const isNearChange = (tick: number): boolean =>
      [-1, 1].some((by) => ours[tick + by] !== undefined && ours[tick + by] !== ours[tick])
    const tests = {
      rule_files: ['rules.yml'],
      evaluation_interval: '10s',
      tests: [
        {
          interval: '10s',
          input_series: [...series(scenario)].map(([selector, values]) => ({
            series: selector,
            values: Array.from({ length: scenario.ticks }, (_, tick) => values[tick] ?? '_').join(' '),
          })),
          promql_expr_test: ours.flatMap((isFiringHere, tick) =>
            isNearChange(tick)
              ? []
              : [
                  {
                    expr: `count(ALERTS{alertname="${scenario.rule}",alertstate="firing"}) or vector(0)`,
                    eval_time: `${tick * 10}s`,
                    exp_samples: [{ labels: '{}', value: isFiringHere ? 1 : 0 }],
                  },
                ],
          ),
        },
      ],
    }
    writeFileSync(path.join(folder, 'tests.yml'), stringify(tests))
    await output('promtool', ['test', 'rules', path.join(folder, 'tests.yml')])
    return null
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 3_000) : String(error)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

describe.skipIf(!isInstalled('promtool'))('the embedded engine and Prometheus agree within one tick on', () => {
  test.each(scenarios.map((scenario) => [`${scenario.about} (${scenario.rule})`, scenario] as const))(
    '%s',
    async (_, scenario) => {
      const ours = embedded(scenario)
      expect(ours.includes(true)).toBe(scenario.fires)
      expect(await disagreement(scenario, ours)).toBeNull()
    },
  )

  test('and the comparison would notice two ticks of difference', async () => {
    const [scenario] = scenarios
    if (!scenario) throw new Error('there are no scenarios')
    const ours = embedded(scenario)
    expect(await disagreement(scenario, [...ours.slice(2), false, false])).toContain('FAILED')
    expect(await disagreement(scenario, [false, false, ...ours.slice(0, -2)])).toContain('FAILED')
  })
})
