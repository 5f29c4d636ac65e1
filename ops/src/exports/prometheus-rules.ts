import { causeOf } from '../alerts/evaluate-alerts.ts'
import { explainRule } from '../policy/explain-policy.ts'
import type { AlertRule, Policy, SignalName } from '../policy/policy.ts'
import { signals } from '../signals/vocabulary.ts'
import { prometheusDuration } from './prometheus-duration.ts'

/** As often as the embedded engine looks. */
export const evaluationInterval = '10s'
/** Longer windows are asked of the raw series when somebody looks, not every ten seconds. */
const longestRecordedMs = 6 * 3_600_000

type Recorded = { record: string; expr: string; labels: { environment: string } }

const nameOf = (signal: SignalName): string => signal.replaceAll('-', '_')
export const recordOf = (signal: SignalName, windowMs: number): string =>
  `dam:${nameOf(signal)}:${prometheusDuration(windowMs)}`
const samplesRecordOf = (signal: SignalName, windowMs: number): string =>
  `dam:${nameOf(signal)}:samples_${prometheusDuration(windowMs)}`

/** Every signal and window that an alert or a target of the policy watches. */
export function recordingRules(policy: Policy, environment: string): Recorded[] {
  const wanted = new Map<string, { signal: SignalName; windowMs: number; isCounted: boolean }>()
  const want = (signal: SignalName, windowMs: number, isCounted: boolean): void => {
    const key = recordOf(signal, windowMs)
    wanted.set(key, { signal, windowMs, isCounted: isCounted || wanted.get(key)?.isCounted === true })
  }
  for (const rule of policy.alerts) {
    want(rule.signal, rule.window, rule.minSamples > 0)
    if (rule.shortWindow !== undefined) want(rule.signal, rule.shortWindow, false)
  }
  for (const [signal, { window }] of Object.entries(policy.targets) as [SignalName, { window: number }][])
    if (window <= longestRecordedMs) want(signal, window, false)
  return [...wanted.values()].flatMap(({ signal, windowMs, isCounted }) => {
    const { promql, samplesPromql } = signals[signal]
    const window = prometheusDuration(windowMs)
    const labels = { environment }
    return [
      { record: recordOf(signal, windowMs), expr: promql(window, environment), labels },
      ...(isCounted && samplesPromql
        ? [{ record: samplesRecordOf(signal, windowMs), expr: samplesPromql(window, environment), labels }]
        : []),
    ]
  })
}

/**
 * An alert's expression over the recorded series. Hysteresis and `noData: keep` look at ALERTS, which holds what the last evaluation
 * found: a firing alert goes on until it is clear, not only until it is below its threshold.
 */
export function alertExpression(rule: AlertRule, environment: string): string {
  const where = `{environment="${environment}"}`
  const windows = [rule.window, ...(rule.shortWindow === undefined ? [] : [rule.shortWindow])]
  const series = windows.map((window) => `${recordOf(rule.signal, window)}${where}`)
  const operator = rule.is === 'above' ? '>' : '<'
  const enough =
    rule.minSamples > 0 && signals[rule.signal].samplesPromql
      ? [`${samplesRecordOf(rule.signal, rule.window)}${where} >= ${rule.minSamples}`]
      : []
  const all = (bound: number): string =>
    [...series.map((one) => `${one} ${operator} ${bound}`), ...enough].join(' and ')
  const was = (state: string): string =>
    `on (environment) ALERTS{alertname="${rule.name}",environment="${environment}"${state}}`
  const silence = series.map((one) => `absent(${one})`).join(' or ')
  return [
    `(${all(rule.threshold.value)})`,
    ...(rule.clear.value === rule.threshold.value
      ? []
      : [`(${all(rule.clear.value)} and ${was(',alertstate="firing"')})`]),
    ...(rule.noData === 'firing' ? [`(${silence})`] : []),
    ...(rule.noData === 'keep' ? [`((${silence}) and ${was('')})`] : []),
  ].join('\nor ')
}

export const alertingRule = (rule: AlertRule, environment: string, consoleUrl: string) => ({
  alert: rule.name,
  expr: alertExpression(rule, environment),
  ...(rule.for > 0 ? { for: prometheusDuration(rule.for) } : {}),
  ...(rule.keepFiringFor > 0 ? { keep_firing_for: prometheusDuration(rule.keepFiringFor) } : {}),
  labels: { severity: rule.severity, cause: causeOf(rule), playbook: rule.playbook, environment },
  annotations: {
    summary: `${rule.title} in ${environment}`,
    description: `${signals[rule.signal].title} is {{ $value | printf "%.4g" }}; ${explainRule(rule)}`,
    console: `${consoleUrl}/incidents`,
  },
})
