import { alertmanagerExporter } from './alertmanager.ts'
import type { Exporter, ExportInput } from './exporter.ts'
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
}

export const exporterNames: readonly string[] = Object.keys(exporters)
