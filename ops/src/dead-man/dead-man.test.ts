import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readOpsConfig } from '../config.ts'
import { type HttpReceiver, httpReceiver, type MailReceiver, mailReceiver } from '../notify/testing/fake-receivers.ts'
import { outsideHeartbeat } from './outside-heartbeat.ts'
import { startDeadMan } from './start-dead-man.ts'

let folder: string
let http: HttpReceiver
let mail: MailReceiver
let engine: ChildProcess
let watchers: AsyncDisposable[]
let said: string[]
let replaced: number

/** A process that beats as the engine does, only faster. */
const beating = `
import { writeHeartbeat } from ${JSON.stringify(new URL('./heartbeat-file.ts', import.meta.url).href)}
let n = 0
setInterval(() => writeHeartbeat(process.argv[1], new Date(Date.UTC(2026, 0, 1) + n++)), 30)
`
const startEngine = (): ChildProcess =>
  spawn(process.execPath, ['--input-type=module', '-e', beating, folder], { stdio: 'inherit' })
const actions = (): string[] =>
  http.received.map(({ body }) => (body as { event_action?: string }).event_action ?? 'slack')

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-dead-man-'))
  http = await httpReceiver()
  mail = await mailReceiver()
  said = []
  replaced = 0
  engine = startEngine()
  const config = readOpsConfig({
    DAM_PAGERDUTY_KEY: 'a'.repeat(32),
    DAM_PAGERDUTY_URL: http.url,
    DAM_SMTP_URL: mail.url,
    DAM_DATA: folder,
  })
  const watch = () =>
    startDeadMan({
      folder,
      config,
      consoleUrl: 'http://127.0.0.1:1',
      onHanging: () => replaced++,
      say: (line) => said.push(line),
      lateMs: 1_500,
    })
  watchers = [watch(), watch()]
})
afterEach(async () => {
  engine.kill('SIGKILL')
  for (const watcher of watchers) await watcher[Symbol.asyncDispose]()
  await http[Symbol.asyncDispose]()
  await mail[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

test('an engine that hangs is paged once, whoever watches, and its return is told once', async () => {
  await expect.poll(() => said.length === 0 && engine.pid !== undefined, { timeout: 5_000 }).toBe(true)
  engine.kill('SIGSTOP')
  await expect.poll(actions, { timeout: 20_000 }).toEqual(['trigger'])
  expect(http.received[0]?.body).toMatchObject({ dedup_key: 'dam/operations/engine:heartbeat' })
  expect(said.join('\n')).toContain('paging without it')
  await expect.poll(() => replaced).toBe(2)
  await expect.poll(() => mail.mails.map(({ to }) => to)).toEqual([['oncall@dam.local']])
  engine.kill('SIGCONT')
  await expect.poll(actions, { timeout: 20_000 }).toEqual(['trigger', 'resolve'])
})

test('an engine that was killed is paged, and each further outage is one of its own', async () => {
  for (const expected of [1, 2]) {
    engine.kill('SIGKILL')
    await expect
      .poll(() => actions().filter((action) => action === 'trigger').length, { timeout: 20_000 })
      .toBe(expected)
    engine = startEngine()
    await expect
      .poll(() => actions().filter((action) => action === 'resolve').length, { timeout: 20_000 })
      .toBe(expected)
  }
})

test('a watcher that died while it was telling is replaced by another one', async () => {
  writeFileSync(path.join(folder, 'dead-man.json'), '')
  utimesSync(path.join(folder, 'dead-man.json'), new Date(0), new Date(0))
  engine.kill('SIGSTOP')
  await expect.poll(actions, { timeout: 20_000 }).toEqual(['trigger'])
})

test('the outside heartbeat is asked once a minute, and says so when it is not heard', async () => {
  let asked = 0
  const server = createServer((_, response) => {
    asked++
    response.writeHead(asked === 1 ? 200 : 500).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping`
  const lines: string[] = []
  const beat = outsideHeartbeat(url, (line) => lines.push(line))
  beat(new Date())
  beat(new Date())
  await expect.poll(() => asked).toBe(1)
  outsideHeartbeat(url, (line) => lines.push(line))(new Date())
  await expect.poll(() => lines).toEqual(['the outside heartbeat was answered 500; check DAM_HEARTBEAT_URL'])
  expect(asked).toBe(2)
  server.close()
})
