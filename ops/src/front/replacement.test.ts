import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { processIdentity } from '@dam/platform/process-identity'
import { expect, onTestFinished, test } from 'vitest'
import { frontEntry, startFront } from './start-front.ts'
import { pointerTo, runFolder } from './testing/front.ts'
import { ask } from './testing/raw-client.ts'
import { freePort, startUpstream } from './testing/upstream.ts'

const isAlive = (pid: number): boolean => processIdentity(pid) !== null

const gone = async (pid: number, withinMs: number): Promise<void> => {
  for (const until = performance.now() + withinMs; isAlive(pid); await sleep(20))
    if (performance.now() > until) throw new Error(`process ${pid} is still there`)
}

/** A front process of its own on a free port; ended with the test. */
async function frontProcess() {
  const { runDir, remove } = runFolder()
  const port = await freePort()
  const at = { runDir, host: '127.0.0.1', port }
  const started = await startFront(at)
  const { client } = started
  onTestFinished(async () => {
    const status = await client.status().catch(() => null)
    if (status && isAlive(status.pid)) {
      process.kill(status.pid, 'SIGKILL')
      await gone(status.pid, 5_000)
    }
    remove()
  })
  return { ...started, at, port, origin: `http://127.0.0.1:${port}` }
}

const cwd = process.cwd()

test('the front replaces itself twice under load without a failed request, and counts all of them', async () => {
  await using upstream = await startUpstream(
    'v1',
    (incoming, response) => void text(incoming).then((b) => response.end(b)),
  )
  const { client, origin, status } = await frontProcess()
  await client.switchTo(pointerTo(upstream))
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  let isLoading = true
  let done = 0
  const lanes = Array.from({ length: 12 }, async (_, lane) => {
    while (isLoading) {
      const body = `lane ${lane} request ${done}`
      // Half of them on connections of their own, so that both ways are under load.
      const options = lane % 2 === 0 ? { agent } : {}
      const answer = await ask(origin, '/api/v4/tags/', { method: 'POST', body, ...options })
      expect(answer).toMatchObject({ status: 200, body })
      done++
    }
  })
  const pids = [status.pid]
  for (let round = 0; round < 2; round++) {
    await sleep(400)
    const { pid } = await client.replace({ entry: frontEntry, cwd })
    expect((await client.status()).pid).toBe(pid)
    pids.push(pid)
  }
  await sleep(400)
  isLoading = false
  await Promise.all(lanes)
  agent.destroy()
  expect(new Set(pids).size).toBe(3)
  for (const pid of pids.slice(0, 2)) await gone(pid, 10_000)
  expect(done).toBeGreaterThan(100)
  const { buckets } = await client.outcomes(0)
  const sum = (name: 'total' | 'bad' | 'aborted'): number => buckets.reduce((total, bucket) => total + bucket[name], 0)
  expect({ total: sum('total'), bad: sum('bad'), aborted: sum('aborted') }).toEqual({ total: done, bad: 0, aborted: 0 })
}, 60_000)

test('an upload under way is finished by the replaced process, which is drained like the new one and ends then; streams reconnect', async () => {
  await using old = await startUpstream('v1', (incoming, response) => {
    if (incoming.url?.includes('stream')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('id: 1\ndata: a\n\n')
      return
    }
    void text(incoming).then((body) => response.end(body))
  })
  await using next = await startUpstream('v2', (_, response) => response.end('new'))
  const { client, origin, status } = await frontProcess()
  await client.switchTo(pointerTo(old))
  const upload = request(`${origin}/api/v4/uploads/1/`, { method: 'PATCH', agent: false })
  const uploaded = once(upload, 'response') as Promise<[IncomingMessage]>
  upload.write('first ')
  const stream = request(`${origin}/api/v4/events/stream/`, { agent: false }).end()
  const [events] = (await once(stream, 'response')) as [IncomingMessage]
  const wholeStream = text(events)
  const idle = connect(Number(new URL(origin).port), '127.0.0.1')
  idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(idle, 'data')

  await client.replace({ entry: frontEntry, cwd })
  // The stream ends as an ordinary answer does; browsers connect again and say what they have seen last.
  expect(await wholeStream).toBe('id: 1\ndata: a\n\n')
  await client.switchTo(pointerTo(next, { fencingToken: 2 }))
  // A connection that the replaced process still has follows the pointer, too, and ends with its next answer.
  idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const rest = await text(idle)
  expect(rest).toMatch(/X-Release: v2/i)
  expect(rest).toMatch(/Connection: close/i)
  const bounds = { upload: 300 }
  expect(await client.drain(old.slot, bounds)).toMatchObject({
    drained: false,
    left: [{ routeClass: 'upload', count: 1 }],
  })
  const drained = client.drain(old.slot)
  upload.end('second')
  const [answer] = await uploaded
  expect(await text(answer)).toBe('first second')
  expect(await drained).toMatchObject({ drained: true, left: [] })
  await gone(status.pid, 10_000)
}, 60_000)

test('who waits for a drain while the front is replaced is answered', async () => {
  await using old = await startUpstream('v1', (_, response) => void setTimeout(() => response.end('slow'), 1_000))
  await using next = await startUpstream('v2', (_, response) => response.end('new'))
  const { client, origin } = await frontProcess()
  await client.switchTo(pointerTo(old))
  const slow = ask(origin, '/')
  await sleep(200)
  await client.switchTo(pointerTo(next))
  const drained = client.drain(old.slot)
  await client.replace({ entry: frontEntry, cwd })
  expect(await drained).toMatchObject({ drained: true, left: [] })
  expect(await slow).toMatchObject({ status: 200, body: 'slow' })
})

test('a replacement that cannot serve changes nothing', async () => {
  await using upstream = await startUpstream('v1', (_, response) => response.end('ok'))
  const { client, origin, status } = await frontProcess()
  await client.switchTo(pointerTo(upstream))
  await expect(client.replace({ entry: '/nowhere/front-main.ts', cwd })).rejects.toThrow(/goes on serving/)
  await expect(client.replace({ entry: '/etc/passwd', cwd })).rejects.toThrow(/front-main\.ts/)
  expect((await client.status()).pid).toBe(status.pid)
  expect(await ask(origin, '/')).toMatchObject({ status: 200, body: 'ok' })
  await client.switchTo(pointerTo(upstream, { fencingToken: 7 }))
})

test('who starts a front that runs already is given that one; after a crash the new one serves what the file says', async () => {
  await using upstream = await startUpstream('v1', (_, response) => response.end('ok'))
  const { client, origin, status, at } = await frontProcess()
  await client.switchTo(pointerTo(upstream, { fencingToken: 5 }))
  const again = await startFront(at)
  expect(again).toMatchObject({ wasRunning: true, status: { pid: status.pid } })
  process.kill(status.pid, 'SIGHUP')
  await sleep(50)
  process.kill(status.pid, 'SIGKILL')
  await gone(status.pid, 5_000)
  await expect(client.status()).rejects.toThrow(/does not answer/)
  const restarted = await startFront(at)
  expect(restarted.wasRunning).toBe(false)
  expect(restarted.status.pointer).toMatchObject({ fencingToken: 5, active: { tag: 'v1' } })
  expect(await ask(origin, '/')).toMatchObject({ status: 200, body: 'ok' })
})

test('two fronts on one address: the second says so and ends', async () => {
  const { at } = await frontProcess()
  const other = runFolder()
  onTestFinished(other.remove)
  await expect(startFront({ ...at, runDir: other.runDir })).rejects.toThrow(/EADDRINUSE/)
})

test('SIGTERM ends the front once what is under way has ended', async () => {
  await using upstream = await startUpstream(
    'v1',
    (incoming, response) => void text(incoming).then((b) => response.end(b)),
  )
  const { client, origin, port, status } = await frontProcess()
  await client.switchTo(pointerTo(upstream))
  const upload = request(`${origin}/api/v4/uploads/1/`, { method: 'PATCH', agent: false })
  const uploaded = once(upload, 'response') as Promise<[IncomingMessage]>
  upload.write('first ')
  // As a browser that expects to need another.
  const ahead = connect(port, '127.0.0.1')
  onTestFinished(() => void ahead.destroy())
  await sleep(200)
  process.kill(status.pid, 'SIGTERM')
  await sleep(300)
  const refused = connect(port, '127.0.0.1')
  await expect(once(refused, 'connect')).rejects.toThrow(/ECONNREFUSED/)
  upload.end('second')
  const [answer] = await uploaded
  expect(await text(answer)).toBe('first second')
  await gone(status.pid, 5_000)
})

test('the process names its environment and needs nothing but its folder', async () => {
  const { runDir, remove } = runFolder()
  onTestFinished(remove)
  const child = spawn(process.execPath, [frontEntry, runDir, '127.0.0.1', '0'], { cwd: '/', env: {} })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  expect(processIdentity(child.pid ?? 0)?.commandLine).toBe('dam: front staging')
})
