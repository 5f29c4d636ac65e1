import { alertmanagerExporter } from './alertmanager.ts'
import { datadogExporter } from './datadog.ts'
import type { Exporter, ExportInput } from './exporter.ts'
import { grafanaExporter } from './grafana.ts'
import { icalExporter } from './ical.ts'
import { pagerdutyExporter } from './pagerduty.ts'
import { prometheusExporter } from './prometheus.ts'

/** What the examples below deploy/ are made with, and `./dam export` unless told otherwise. */
export const exampleInput: Omit<ExportInput, 'policy' | 'hash'> = {
  environments: ['production', 'staging'],
  consoleUrl: 'http://localhost:8081',
  now: new Date(0),
}

/** Everything the policy can be compiled to, by the name `./dam export` takes. */
export const exporters: Readonly<Record<string, Exporter>> = {
  prometheus: prometheusExporter,
  alertmanager: alertmanagerExporter,
  grafana: grafanaExporter,
  datadog: datadogExporter,
  pagerduty: pagerdutyExporter,
  ical: icalExporter,
}

export const exporterNames: readonly string[] = Object.keys(exporters)
