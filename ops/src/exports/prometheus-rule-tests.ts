import type { AlertRule, Policy } from '../policy/policy.ts'
import { prometheusDuration } from './prometheus-duration.ts'
import { plainValue, seriesOf } from './signal-series.ts'

const stepMs = 10_000
const longestWholeMs = 1_200_000
const numberText = (value: number): string => String(Number(value.toPrecision(12)))

/**
 * A unit test for promtool for each alert: good for a while, then bad until it must fire, then good until it must be over. That it ends
 * is left out where a window is hours long: promtool evaluates every rule at every step. Asked of ALERTS, so that texts may change.
 */
export function ruleTests(policy: Policy, environment: string, rulesFile: string) {
  return {
    rule_files: [rulesFile],
    evaluation_interval: '10s',
    tests: policy.alerts.map((rule) => ruleTest(rule, environment)),
  }
}

function ruleTest(rule: AlertRule, environment: string) {
  const stepsOf = (durationMs: number): number => Math.ceil(durationMs / stepMs)
  const isLong = rule.window + rule.for + rule.keepFiringFor > longestWholeMs
  // A share over what there is of a window: as much bad as good is bad enough.
  const window = stepsOf(Math.min(rule.window, 300_000)) + 1
  const bad = window + stepsOf(rule.for) + 3
  const over = isLong ? 0 : stepsOf(rule.window) + 1 + stepsOf(rule.keepFiringFor) + 3
  const phases = [
    { isBad: false, steps: window },
    { isBad: true, steps: bad },
    ...(isLong ? [] : [{ isBad: false, steps: over }]),
  ]
  const seriesOfPhase = phases.map(({ isBad }) => seriesOf(rule.signal, plainValue(rule, isBad), environment))
  const names = seriesOfPhase[0]?.map(({ series }) => series) ?? []
  const input = names.map((series, index) => {
    let at = 0
    const values = phases.map(({ steps }, phase) => {
      const { counter, gauge } = seriesOfPhase[phase]?.[index] ?? {}
      if (gauge !== undefined) return `${numberText(gauge)}+0x${steps - 1}`
      const growth = counter ?? 0
      const first = at
      at += growth * steps
      return `${numberText(first)}+${numberText(growth)}x${steps - 1}`
    })
    return { series, values: values.join(' ') }
  })
  const where = `alertname="${rule.name}",environment="${environment}",alertstate="firing"`
  const expect = (step: number, isFiring: boolean) => ({
    expr: `count(ALERTS{${where}}) or vector(0)`,
    eval_time: prometheusDuration(step * stepMs),
    exp_samples: [{ labels: '{}', value: isFiring ? 1 : 0 }],
  })
  return {
    name: `${rule.name}: fires and is over`,
    interval: '10s',
    input_series: input,
    promql_expr_test: [
      expect(window - 1, false),
      expect(window + bad - 1, true),
      ...(isLong ? [] : [expect(window + bad + over - 1, false)]),
    ],
  }
}
