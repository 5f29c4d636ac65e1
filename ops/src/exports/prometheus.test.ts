import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signalNames } from '../policy/policy.ts'
import { parsePolicy, readPolicy, shippedPolicyFile } from '../policy/read-policy.ts'
import { signals } from '../signals/vocabulary.ts'
import { compareFiles } from '../engines/compare-files.ts'
import { exporters } from './exporters.ts'
import type { ExportInput } from './exporter.ts'
import { isInstalled, output } from './testing/prometheus-programs.ts'

const { policy, hash } = readPolicy()
const input: ExportInput = {
  policy,
  hash,
  environments: ['production', 'staging'],
  consoleUrl: 'http://localhost:8081',
  now: new Date('2026-01-01T00:00:00Z'),
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-export-'))
  for (const name of ['prometheus', 'alertmanager'])
    for (const file of exporters[name]?.export(input).files ?? [])
      writeFileSync(path.join(folder, file.path), file.text)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string): string => path.join(folder, name)

describe.skipIf(!isInstalled('promtool', 'amtool'))('the programs of Prometheus', () => {
  test('promtool accepts the rules and the scrape configuration', async () => {
    expect(await output('promtool', ['check', 'rules', file('rules.yml')])).toContain('SUCCESS')
    expect(await output('promtool', ['check', 'config', file('prometheus.yml')])).toContain('SUCCESS')
  })

  test('every alert fires in its generated unit test and is over again', { timeout: 600_000 }, async () => {
    expect(await output('promtool', ['test', 'rules', file('rules.test.yml')])).toContain('SUCCESS')
  })

  test('amtool accepts both configurations of Alertmanager, and routes by severity', async () => {
    for (const name of ['alertmanager.yml', 'alertmanager-direct.yml'])
      expect(await output('amtool', ['check-config', file(name)])).toContain('SUCCESS')
    const routeOf = async (name: string, ...labels: string[]): Promise<string> =>
      (await output('amtool', ['config', 'routes', 'test', `--config.file=${file(name)}`, ...labels])).split(
        '\n',
        1,
      )[0] ?? ''
    expect(await routeOf('alertmanager.yml', 'alertname=error-rate-critical', 'severity=P0')).toBe('dam')
    expect(await routeOf('alertmanager.yml', 'alertname=operations-silent', 'severity=P0')).toBe('P0')
    expect(await routeOf('alertmanager-direct.yml', 'alertname=memory-high', 'severity=P1')).toBe('P1')
    expect(await routeOf('alertmanager-direct.yml', 'alertname=drill-old', 'severity=P3')).toBe('P3')
  })
})

test('every signal asks Prometheus for one environment only', () => {
  for (const name of signalNames) {
    const expression = signals[name].promql('5m', 'staging')
    const selectors = expression.match(/(?:dam_\w+|\bup)\{[^}]*\}/g) ?? []
    expect(selectors.length, name).toBeGreaterThan(0)
    for (const selector of selectors) expect(selector, name).toContain('environment="staging"')
  }
})

test('a changed policy is drift, and so is a file that was changed by hand', () => {
  const { files } = exporters['prometheus']!.export(input)
  expect(compareFiles(folder, files)).toEqual([])
  const other = parsePolicy(
    readFileSync(shippedPolicyFile, 'utf8').replace('threshold: 5%', 'threshold: 6%'),
    'other.yaml',
  )
  const drift = compareFiles(folder, exporters['prometheus']!.export({ ...input, ...other }).files)
  expect(drift.join('\n')).toContain('> 0.06')
  appendFileSync(file('prometheus.yml'), '# mine\n')
  expect(compareFiles(folder, files)).toEqual([file('prometheus.yml'), '  - # mine'])
})

test('what cannot be expressed is said in the list and in the file', () => {
  const { files, unexpressed } = exporters['alertmanager']!.export(input)
  expect(unexpressed.length).toBeGreaterThan(0)
  for (const line of unexpressed) expect(files[0]?.text).toContain(`# - ${line}`)
})
