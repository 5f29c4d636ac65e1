import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { shippedPolicyFile } from '@dam/ops/src/policy/read-policy.ts'
import { root } from '../config.ts'

export type OpsPlace = {
  /** Folder of its store. */
  folder: string
  /** Where its console and API answer. */
  address: string
  start(): Promise<OpsProcess>
}
export type OpsProcess = { pid: number; kill(): Promise<void>; stop(): Promise<void> }

/** When the secondary and the levels 2 to 4 are called, as the policy writes durations. */
export type Climb = { secondary: string; levels: readonly [string, string, string] }

/** The real ops process with real channels to `receiver`, people to call, and a store of its own in `dataDir`, which is made anew. */
export async function opsPlace(dataDir: string, options: { receiver: string; after?: Climb }): Promise<OpsPlace> {
  rmSync(dataDir, { recursive: true, force: true })
  mkdirSync(dataDir, { recursive: true })
  const policyFile = path.join(dataDir, 'policy.yaml')
  writeFileSync(policyFile, policyWithPeople(options.after))
  const [opsPort, damPort] = [await freePort(), await freePort()]
  const environment = {
    PATH: '/usr/bin:/bin',
    DAM_DATA: dataDir,
    DAM_POLICY: policyFile,
    DAM_LOG_STDOUT: 'no',
    OPS_HOST: '127.0.0.1',
    OPS_PORT: String(opsPort),
    HOST: '127.0.0.1',
    PORT: String(damPort),
    DAM_PAGERDUTY_KEY: 'a'.repeat(32),
    DAM_PAGERDUTY_URL: options.receiver,
    DAM_SLACK_WEBHOOKS: ['#dam-oncall', '#dam-incidents', '#dam-alerts']
      .map((channel) => `${channel}=${options.receiver}/slack/${channel.slice(1)}`)
      .join(','),
  }
  return {
    folder: path.join(dataDir, 'ops'),
    address: `http://127.0.0.1:${opsPort}`,
    start: () => startOps(environment),
  }
}

async function startOps(environment: Record<string, string>): Promise<OpsProcess> {
  const child: ChildProcess = spawn(process.execPath, ['--max-semi-space-size=1', path.join(root, 'ops/src/main.ts')], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', (code) => reject(new Error(`The ops process ended at its start with code ${String(code)}.`)))
  })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await ended
  }
  return { pid: child.pid ?? 0, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}

function policyWithPeople(after: Climb | undefined): string {
  const person = (id: string, level: number): string =>
    `  - { id: ${id}, name: ${id}, phone: '', email: ${id}@dam.local, slack: '', pagerduty: '', level: ${level} }`
  const people = [person('anna', 1), person('ben', 1), person('lead', 2), person('manager', 3), person('cto', 4)]
  let text = readFileSync(shippedPolicyFile, 'utf8')
    .replace(/^people: \[\]$/m, `people:\n${people.join('\n')}`)
    .replace(/^ {2}rotation: \[\]$/m, '  rotation: [anna, ben]')
  for (const id of ['lead', 'manager', 'cto']) text = text.replace('to: [] }', `to: [${id}] }`)
  if (!after) return text
  text = text.replace('secondaryAfter: 5m', `secondaryAfter: ${after.secondary}`)
  for (const [index, was] of ['15m', '60m', '120m'].entries())
    text = text.replace(`after: ${was}, respondWithin`, `after: ${after.levels[index] ?? ''}, respondWithin`)
  return text
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}
