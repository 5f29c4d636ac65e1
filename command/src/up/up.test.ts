import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeRunningPostgres } from '@dam/platform/postgres/describe'
import { processIdentity } from '@dam/platform/process-identity'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from '../config.ts'
import { freePortAfter } from './port.ts'

const administrator = { DAM_ADMIN_USERNAME: 'anna', DAM_ADMIN_PASSWORD: 'correct horse battery' }
const started: { supervisor: ChildProcess; pids: Set<number> }[] = []
let dataDir: string
let port: number
let opsPort: number

beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'dam up '))
  port = await freePortAfter('localhost', 18_020 + Math.floor(Math.random() * 60))
  opsPort = await freePortAfter('localhost', 18_220 + Math.floor(Math.random() * 60))
})

afterEach(async () => {
  const postgres = describeRunningPostgres(dataDir)
  for (const { supervisor, pids } of started.splice(0)) {
    supervisor.kill('SIGKILL')
    for (const pid of pids) kill(pid)
  }
  if (postgres) {
    process.kill(postgres.pid, 'SIGQUIT')
    await untilGone([postgres.pid])
  }
  rmSync(dataDir, { recursive: true, force: true })
})

/** Runs `./dam up` as people do and collects what it prints. */
function dam(args: string[] = [], env: Record<string, string> = {}) {
  const supervisor = spawn(path.join(root, 'dam'), ['up', ...args], {
    env: { ...process.env, DATABASE_URL: '', DAM_DATA: dataDir, PORT: String(port), OPS_PORT: String(opsPort), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const run = { supervisor, output: '', pids: new Set<number>(), ended: once(supervisor, 'exit') }
  started.push(run)
  for (const stream of [supervisor.stdout, supervisor.stderr]) {
    stream.on('data', (chunk: Buffer) => (run.output += chunk.toString()))
  }
  return run
}
type Run = ReturnType<typeof dam>

/** Waits until it says `text`; gives the part of the output that follows. */
async function untilSaid(run: Run, text: string, after = 0): Promise<void> {
  while (!run.output.slice(after).includes(text)) {
    if (run.supervisor.exitCode !== null)
      throw new Error(`dam up ended with ${run.supervisor.exitCode}:\n${run.output}`)
    await sleep(20)
  }
  for (const { pid } of Object.values(childrenOf(run))) run.pids.add(pid)
}

async function up(args?: string[], env?: Record<string, string>): Promise<Run> {
  const run = dam(args, env)
  await untilSaid(run, 'Stop  Ctrl-C')
  return run
}

function childrenOf(run: Run): Record<string, { pid: number }> {
  const pid = run.supervisor.pid ?? 0
  if (!existsSync(`/proc/${pid}`)) return {}
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number)
  const named = children.map((child) => [
    processIdentity(child)?.commandLine.split(' ').slice(0, 2).join(' ') ?? '',
    { pid: child },
  ])
  return Object.fromEntries(named) as Record<string, { pid: number }>
}

function childPid(run: Run, title: string): number {
  return (
    childrenOf(run)[title]?.pid ?? expect.fail(`${title} is not a child: ${Object.keys(childrenOf(run)).join(', ')}`)
  )
}

function kill(pid: number): void {
  if (processIdentity(pid)?.commandLine.startsWith('dam: ')) process.kill(pid, 'SIGKILL')
}

async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some((pid) => processIdentity(pid))) await sleep(20)
}

const address = (path: string) => `http://localhost:${port}${path}`
const isReady = async () => (await fetch(address('/readyz')).catch(() => null))?.status === 200
const signIn = async () =>
  fetch(address('/api/v4/auth/token/obtain/'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: administrator.DAM_ADMIN_USERNAME, password: administrator.DAM_ADMIN_PASSWORD }),
  })

test('the first start offers a set-up link, Ctrl-C stops everything, the second start finds it all', async () => {
  const first = await up()
  expect(first.output).toMatch(new RegExp(`http://localhost:${port}/setup\\?token=[\\w-]{20,}`))
  expect(await isReady()).toBe(true)
  expect(first.output).toContain(`Operations console at http://localhost:${opsPort}`)
  expect(first.output).toContain('Messages for Slack, PagerDuty, mail stay in the console and its record')
  expect(first.output).toMatch(new RegExp(`http://localhost:${opsPort}/setup\\?token=[\\w-]{20,}`))
  expect((await fetch(`http://localhost:${opsPort}/health`)).status).toBe(200)
  const pids = [...first.pids]
  expect(pids.length).toBeGreaterThanOrEqual(4)
  first.supervisor.kill('SIGINT')
  expect(await first.ended).toEqual([0, null])
  expect(first.output.trimEnd()).toMatch(/stopped$/)
  await untilGone(pids)

  const second = await up([], administrator)
  expect(second.output).not.toContain('migrated')
  expect(second.output).toContain('"anna" was created')
  expect((await signIn()).status).toBe(200)
})

test('one press of Ctrl-C that arrives twice, as npm passes it on, stops in order', async () => {
  const run = await up()
  run.supervisor.kill('SIGINT')
  await sleep(50)
  run.supervisor.kill('SIGINT')
  expect(await run.ended).toEqual([0, null])
  expect(run.output).not.toContain('force')
})

test('a second Ctrl-C ends even a process that hangs', async () => {
  const run = await up()
  process.kill(childPid(run, 'dam: web'), 'SIGSTOP')
  run.supervisor.kill('SIGINT')
  await sleep(1_000)
  run.supervisor.kill('SIGINT')
  expect(await run.ended).toEqual([130, null])
  await untilGone([...run.pids])
})

test('a port in use is said with a free one, and --port auto takes it', async () => {
  const squatter = createServer().listen(port, '127.0.0.1')
  await once(squatter, 'listening')
  try {
    const refused = dam()
    expect(await refused.ended).toEqual([1, null])
    expect(refused.output).toContain(`Port ${port} is in use`)
    const [, free] = /PORT=(\d+) npm start/.exec(refused.output) ?? expect.fail(refused.output)
    const automatic = await up(['--port', 'auto'])
    expect(automatic.output).toContain(`ready at http://localhost:${free}`)
  } finally {
    squatter.close()
  }
})

test('a port of the console in use is said with a free one', async () => {
  const squatter = createServer().listen(opsPort, '127.0.0.1')
  await once(squatter, 'listening')
  try {
    const refused = dam()
    expect(await refused.ended).toEqual([1, null])
    expect(refused.output).toContain(`Port ${opsPort} is in use`)
    expect(refused.output).toMatch(/OPS_PORT=\d+ npm start/)
  } finally {
    squatter.close()
  }
})

test('DAM runs without the console when that cannot start, and says so', async () => {
  writeFileSync(path.join(dataDir, 'ops'), 'in the way of its folder')
  const run = await up()
  expect(run.output).toContain('The operations console does not start; DAM runs without it.')
  expect(await isReady()).toBe(true)
  run.supervisor.kill('SIGINT')
  await run.ended
})

test('a second dam up on the same data is told where the first one runs', async () => {
  const first = await up()
  const second = dam([], { PORT: String(await freePortAfter('localhost', port)) })
  expect(await second.ended).toEqual([1, null])
  expect(second.output).toContain(`http://localhost:${port}`)
  expect(second.output).toContain(`process ${first.supervisor.pid}`)
})

test.each(['dam: web', 'dam: worker', 'dam: ops'])('%s is started again when it is killed', async (title) => {
  const run = await up([], administrator)
  // The worker may still be loading its parts under the name of the program.
  while (!childrenOf(run)[title]) await sleep(20)
  const killed = childPid(run, title)
  process.kill(killed, 'SIGKILL')
  await untilSaid(run, 'starting it again')
  while ((childrenOf(run)[title]?.pid ?? killed) === killed) await sleep(20)
  while (!(await isReady())) await sleep(20)
  expect((await signIn()).status).toBe(200)
  for (const { pid } of Object.values(childrenOf(run))) run.pids.add(pid)
})

test('when the supervisor is killed, web and worker end, and the next start takes the database over', async () => {
  const before = await up([], administrator)
  while (!childrenOf(before)['dam: worker']) await sleep(20)
  const postgres = describeRunningPostgres(dataDir)?.pid ?? expect.fail('no database')
  const servers = [childPid(before, 'dam: web'), childPid(before, 'dam: worker')]
  before.supervisor.kill('SIGKILL')
  await before.ended
  await untilGone(servers)
  const after = await up()
  expect(after.output).toContain('took over the database')
  expect(describeRunningPostgres(dataDir)?.pid).toBe(postgres)
  expect((await signIn()).status).toBe(200)
})

test('when everything is killed at once, the next start has everything', async () => {
  const before = await up([], administrator)
  while (!childrenOf(before)['dam: worker']) await sleep(20)
  const postgres = describeRunningPostgres(dataDir)?.pid ?? expect.fail('no database')
  const pids = [before.supervisor.pid ?? 0, childPid(before, 'dam: web'), childPid(before, 'dam: worker'), postgres]
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await before.ended
  await up()
  expect((await signIn()).status).toBe(200)
})
