import { signals } from '../signals/vocabulary.ts'
import { yamlFile } from './banner.ts'
import type { Exporter, ExportInput } from './exporter.ts'
import { alertingRule, evaluationInterval, recordingRules } from './prometheus-rules.ts'
import { ruleTests } from './prometheus-rule-tests.ts'

/** The alert that must not go through DAM: the one that says that DAM's own alerting is silent. */
export const operationsSilent = 'operations-silent'

export const prometheusExporter: Exporter = {
  summary: 'recording and alerting rules, their promtool tests, scrape configuration',
  export: (input) => {
    const unexpressed = [
      'Joining alerts of one cause into one incident, severity that only rises, acknowledgement, silences and escalation: Alertmanager and DAM do that.',
      'The embedded engine does not count probes and synthetic requests and asks the front for outcomes; Prometheus leaves out the routes of probes only.',
      ...input.policy.alerts
        .filter((rule) => rule.minSamples > 0 && !signals[rule.signal].samplesPromql)
        .map(({ name }) => `${name}: minSamples counts looks of the embedded engine.`),
    ]
    return {
      files: [
        { path: 'rules.yml', text: yamlFile(input, unexpressed, rulesDocument(input)) },
        // The rules of every environment are the same.
        ...input.environments.slice(0, 1).map((environment) => ({
          path: 'rules.test.yml',
          text: yamlFile(input, [], ruleTests(input.policy, environment, 'rules.yml')),
        })),
        { path: 'prometheus.yml', text: yamlFile(input, [], scrapeDocument(input)) },
      ],
      unexpressed,
    }
  },
}

function rulesDocument({ policy, environments, consoleUrl }: ExportInput) {
  return {
    groups: [
      ...environments.map((environment) => ({
        name: `dam-${environment}`,
        interval: evaluationInterval,
        rules: [
          ...recordingRules(policy, environment),
          ...policy.alerts.map((rule) => alertingRule(rule, environment, consoleUrl)),
        ],
      })),
      {
        name: 'dam-operations',
        interval: evaluationInterval,
        rules: [
          {
            alert: operationsSilent,
            expr: 'max(dam_ops_heartbeat_age_seconds) > 120\nor absent(dam_ops_heartbeat_age_seconds)',
            for: '2m',
            labels: { severity: 'P0', cause: 'operations', environment: 'operations' },
            annotations: {
              summary: 'Nobody watches: the operations of DAM do not answer or are late',
              description: 'The heartbeat of the ops process is missing or older than two minutes.',
              console: consoleUrl,
            },
          },
        ],
      },
    ],
  }
}

function scrapeDocument({ environments, consoleUrl }: ExportInput) {
  const operations = new URL(consoleUrl)
  return {
    global: { scrape_interval: '10s', scrape_timeout: '5s', evaluation_interval: evaluationInterval },
    rule_files: ['rules.yml'],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ['localhost:9093'] }] }] },
    scrape_configs: [
      {
        job_name: 'dam',
        metrics_path: '/metrics',
        static_configs: environments.map((environment) => ({
          targets: [`localhost:${environment === 'staging' ? 8082 : 8080}`],
          labels: { environment },
        })),
      },
      {
        // Its series say themselves which environment they are of.
        job_name: 'dam-ops',
        honor_labels: true,
        scheme: operations.protocol.replace(':', ''),
        static_configs: [{ targets: [operations.host] }],
      },
    ],
  }
}
