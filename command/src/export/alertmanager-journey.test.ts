import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { testApp } from '@dam/backend/src/testing/test-app.ts'
import { createApp } from '@dam/ops/src/app.ts'
import { readOpsConfig } from '@dam/ops/src/config.ts'
import { localEnvironment } from '@dam/ops/src/environments/local-environment.ts'
import { alertmanagerExporter } from '@dam/ops/src/exports/alertmanager.ts'
import { prometheusExporter } from '@dam/ops/src/exports/prometheus.ts'
import { isInstalled, output, running } from '@dam/ops/src/exports/testing/prometheus-programs.ts'
import { listIncidents } from '@dam/ops/src/incidents/incident-store.ts'
import type { Incident } from '@dam/ops/src/incidents/incident.ts'
import { addOperator } from '@dam/ops/src/people/change-operator.ts'
import { createSession } from '@dam/ops/src/people/operator-session-store.ts'
import { readPolicy } from '@dam/ops/src/policy/read-policy.ts'
import { openStore, type Store } from '@dam/ops/src/store.ts'
import { openLog } from '@dam/platform/log'
import { describe, expect, test } from 'vitest'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function incidentThat(store: Store, is: (incident: Incident) => boolean, log: () => string): Promise<Incident> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(250)) {
    const found = listIncidents(store, { state: 'all', limit: 10 }).find(is)
    if (found) return found
  }
  throw new Error(
    `no such incident in a minute\n${JSON.stringify(listIncidents(store, { state: 'all', limit: 10 }))}\n${log()}`,
  )
}

/** The exported files, with an eye that looks each second instead of every ten. */
const hurried = (text: string): string =>
  text
    .replaceAll(/interval: \d+s/g, 'interval: 1s')
    .replace(/scrape_interval: 1s\n(\s*)scrape_timeout: 5s/, 'scrape_interval: 2s\n$1scrape_timeout: 2s')
    .replaceAll(/group_wait: \w+/g, 'group_wait: 0s')

describe.skipIf(!isInstalled('prometheus', 'prometheus-alertmanager', 'promtool'))('a real Prometheus', () => {
  test(
    'that scrapes DAM calls people through a real Alertmanager and the inbound webhook, and tells the end',
    { timeout: 240_000 },
    async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'dam-journey-'))
      const [appPort, prometheusPort, alertmanagerPort] = [await freePort(), await freePort(), await freePort()]
      const config = readOpsConfig({
        DAM_DATA: folder,
        OPS_HOST: '127.0.0.1',
        OPS_PORT: '0',
        HOST: '127.0.0.1',
        PORT: String(appPort),
      })
      using store = openStore(path.join(folder, 'ops'), { durability: 'none' })
      const { policy, hash } = readPolicy()
      const ops = createApp({
        config,
        store,
        environments: () => [localEnvironment(config)],
        log: openLog({ directory: path.join(folder, 'logs'), process: 'ops', level: 'error', stdout: false }),
        version: '1.0.0',
        root: folder,
        environment: {},
        policy: () => policy,
        outputs: path.join(folder, 'actions'),
      })
      try {
        const consoleUrl = await ops.http.listen({ host: '127.0.0.1', port: 0 })
        const now = new Date()
        const { id } = await addOperator(
          store,
          { username: 'prometheus', password: 'correct horse battery', role: 'operator' },
          { who: 'test', now },
        )
        const token = createSession(store, {
          operatorId: id,
          kind: 'token',
          label: 'alertmanager',
          lifetimeDays: 1,
          now,
        })
        writeFileSync(path.join(folder, 'token'), token)
        const input = {
          policy: {
            ...policy,
            alerts: policy.alerts
              .filter(({ name }) => name === 'system-down')
              .map((rule) => ({ ...rule, window: 6_000, for: 1_000, keepFiringFor: 0 })),
          },
          hash,
          environments: ['local'],
          consoleUrl,
          now,
        }
        for (const { path: name, text } of [
          ...prometheusExporter.export(input).files,
          ...alertmanagerExporter.export(input).files,
        ])
          writeFileSync(
            path.join(folder, name),
            hurried(text)
              .replace('localhost:8080', `127.0.0.1:${appPort}`)
              .replace('localhost:9093', `127.0.0.1:${alertmanagerPort}`)
              .replaceAll('/etc/alertmanager/secrets/dam-token', path.join(folder, 'token')),
          )
        mkdirSync(path.join(folder, 'alertmanager'))
        await using alertmanager = running('prometheus-alertmanager', [
          `--config.file=${path.join(folder, 'alertmanager.yml')}`,
          `--storage.path=${path.join(folder, 'alertmanager')}`,
          `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
          '--cluster.listen-address=',
        ])
        const app = await testApp({ PORT: String(appPort) })
        await using prometheus = running('prometheus', [
          `--config.file=${path.join(folder, 'prometheus.yml')}`,
          `--storage.tsdb.path=${path.join(folder, 'prometheus')}`,
          `--web.listen-address=127.0.0.1:${prometheusPort}`,
        ])
        const log = (): string => `${prometheus.log()}\n${alertmanager.log()}`.slice(-4_000)
        try {
          // Both are scraped.
          await expect
            .poll(
              async () => {
                const answer = await output('promtool', [
                  'query',
                  'instant',
                  `http://127.0.0.1:${prometheusPort}`,
                  'sum by (job) (up)',
                ]).catch(String)
                return [...answer.matchAll(/job="([\w-]+)"\} => 1 /g)].map(([, job]) => job).toSorted()
              },
              { timeout: 60_000, interval: 500 },
            )
            .toEqual(['dam', 'dam-ops'])
        } finally {
          await app[Symbol.asyncDispose]()
        }
        const opened = await incidentThat(store, ({ dedupKey }) => dedupKey === 'local/system-up', log)
        expect(opened).toMatchObject({
          severity: 'P0',
          environment: 'local',
          title: 'System down in local',
          openedBy: 'alertmanager',
        })
        await using again = await testApp({ PORT: String(appPort) })
        expect(again.url).toContain(String(appPort))
        await incidentThat(store, (incident) => incident.id === opened.id && incident.state === 'resolved', log)
      } finally {
        await ops.close()
        rmSync(folder, { recursive: true, force: true })
      }
    },
  )
})
