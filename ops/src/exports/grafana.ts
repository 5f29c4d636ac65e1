import type { SignalName } from '../policy/policy.ts'
import { formatDuration } from '../policy/units.ts'
import { signals } from '../signals/vocabulary.ts'
import { bannerLines, jsonFile } from './banner.ts'
import type { Exporter, ExportInput } from './exporter.ts'

const units = {
  share: 'percentunit',
  seconds: 's',
  count: 'short',
  'per-second': 'reqps',
  'bytes-per-second': 'Bps',
  flag: 'bool',
  factor: 'none',
} as const

const rows: { title: string; group: 'application' | 'infrastructure' | 'business' }[] = [
  { title: 'Application', group: 'application' },
  { title: 'Business', group: 'business' },
  { title: 'Infrastructure', group: 'infrastructure' },
]

const datasource = { type: 'prometheus', uid: '${datasource}' }
const columns = 3
const width = 24 / columns
const height = 8

/** Every signal as a panel, its target and the limits of its alerts as lines, deployments as annotations. */
export const grafanaExporter: Exporter = {
  summary: 'a Grafana dashboard: every signal with its target and limits, deployments marked',
  export: (input) => {
    const unexpressed = [
      'Hysteresis, minimal numbers of samples and windows of alerts: lines show limits only; prometheus has the rules.',
      'Incidents, acknowledgements and who is on call: the console has them.',
    ]
    return { files: [{ path: 'dashboard.json', text: jsonFile(dashboard(input, unexpressed)) }], unexpressed }
  },
}

function dashboard(input: ExportInput, unexpressed: readonly string[]) {
  let id = 0
  let y = 0
  const panels = rows.flatMap(({ title, group }) => {
    const names = (Object.keys(signals) as SignalName[]).filter((name) => signals[name].group === group)
    const row = { id: ++id, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] }
    y++
    const charts = names.map((name, index) => ({
      ...panel(input, name),
      id: ++id,
      gridPos: { x: (index % columns) * width, y: y + Math.floor(index / columns) * height, w: width, h: height },
    }))
    y += Math.ceil(names.length / columns) * height
    return [row, ...charts]
  })
  return {
    uid: 'dam-operations',
    title: `${input.policy.service.name} operations`,
    description: bannerLines(input, unexpressed).join('\n'),
    tags: ['dam'],
    timezone: 'utc',
    schemaVersion: 38,
    editable: false,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus' },
        {
          name: 'environment',
          type: 'custom',
          label: 'Environment',
          query: input.environments.join(','),
          options: input.environments.map((one, index) => ({ text: one, value: one, selected: index === 0 })),
          current: { text: input.environments[0], value: input.environments[0] },
        },
      ],
    },
    annotations: {
      list: [
        {
          name: 'Releases',
          datasource,
          enable: true,
          iconColor: 'blue',
          expr: 'count by (release) (dam_build_info{environment="$environment"}) unless count by (release) (dam_build_info{environment="$environment"} offset 1m)',
          titleFormat: 'Release {{release}}',
          step: '60s',
        },
        {
          name: 'Alerts',
          datasource,
          enable: true,
          iconColor: 'red',
          expr: 'ALERTS{environment="$environment",alertstate="firing"}',
          titleFormat: '{{severity}} {{alertname}}',
          step: '60s',
        },
      ],
    },
    panels,
  }
}

function panel({ policy }: ExportInput, name: SignalName) {
  const signal = signals[name]
  const target = policy.targets[name]
  const limits = policy.alerts.filter((rule) => rule.signal === name)
  // Of a signal without an alert: five minutes.
  const colours = { P0: 'dark-red', P1: 'red', P2: 'orange', P3: 'yellow' } as const
  const isBelow = limits[0]?.is === 'below'
  const steps = limits
    .map((rule) => ({ value: rule.threshold.value, color: colours[rule.severity] }))
    .toSorted((a, b) => a.value - b.value)
  const bound = target?.below ?? target?.above
  return {
    type: 'timeseries',
    title: signal.title,
    description: [
      ...(target && bound
        ? [`Target: ${target.below ? 'below' : 'above'} ${bound.value} over ${formatDuration(target.window)}`]
        : []),
      ...limits.map((rule) => `${rule.severity} ${rule.title}`),
    ].join('\n'),
    datasource,
    targets: [
      { refId: 'A', datasource, expr: signal.promql('$__rate_interval', '$environment'), legendFormat: signal.title },
    ],
    fieldConfig: {
      defaults: {
        unit: units[signal.unit],
        ...(signal.unit === 'share' || signal.unit === 'flag' ? { min: 0, max: 1 } : { min: 0 }),
        custom: { lineWidth: 1, fillOpacity: 8, thresholdsStyle: { mode: steps.length > 0 ? 'line' : 'off' } },
        thresholds: {
          mode: 'absolute',
          steps: [{ value: null, color: isBelow ? (steps[0]?.color ?? 'green') : 'green' }, ...steps],
        },
      },
      overrides: [],
    },
    options: { legend: { showLegend: false }, tooltip: { mode: 'single' } },
  }
}
