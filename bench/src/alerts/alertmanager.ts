import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { config } from '../config.ts'
import { startReceiver } from './receiver.ts'

const port = 19_093

/** Debian's Alertmanager, killed as our engine is: alerts it had accepted, and those it never told of. Null where it is not installed. */
export async function killAlertmanager(
  kills: number,
): Promise<{ accepted: number; lost: number; version: string } | null> {
  let version: string
  try {
    version = execFileSync('prometheus-alertmanager', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? ''
  } catch {
    return null
  }
  const folder = path.join(config.scratchDir, 'alertmanager')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  await using receiver = await startReceiver(0)
  const file = path.join(folder, 'alertmanager.yml')
  writeFileSync(
    file,
    `route: { receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h }
receivers: [{ name: hook, webhook_configs: [{ url: '${receiver.url}/' }] }]
`,
  )
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(
      'prometheus-alertmanager',
      [
        `--config.file=${file}`,
        `--storage.path=${path.join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--cluster.listen-address=',
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    )
    for (let tries = 0; tries < 400; tries++) {
      const ready = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => null)
      if (ready?.ok) return child
      await sleep(25)
    }
    throw new Error('Alertmanager did not come up within 10 s.')
  }
  const accepted: string[] = []
  let child = await start()
  for (let kill = 0; kill < kills; kill++) {
    const name = `alert-${kill}`
    const response = await fetch(`http://127.0.0.1:${port}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ labels: { alertname: name }, annotations: {} }]),
    })
    if (response.ok) accepted.push(name)
    await sleep(Math.random() * 900)
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    child = await start()
  }
  await sleep(5_000)
  child.kill('SIGTERM')
  const told = new Set(
    receiver.arrivals.flatMap(({ body }) =>
      (body['alerts'] as { labels: { alertname: string } }[]).map(({ labels }) => labels.alertname),
    ),
  )
  return { accepted: accepted.length, lost: accepted.filter((name) => !told.has(name)).length, version }
}
