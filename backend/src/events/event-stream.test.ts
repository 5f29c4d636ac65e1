import net from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { sql } from '@dam/platform/database'
import { testApp, type TestApp } from '../testing/test-app.ts'
import { lastEventSeq } from './sequencer.ts'

let app: TestApp
let token: string
const most = 6_000

beforeAll(async () => {
  app = await testApp()
  token = (await app.person('viewer')).token
  await app.database.run(sql`
    insert into event (kind, data) select 'asset.updated', jsonb_build_object('filler', repeat('x', 500)) from generate_series(1, ${most})`)
  await app.database.run(sql`select pg_notify('dam_event', '')`)
  await vi.waitFor(async () => expect(await lastEventSeq(app.database)).toBe(most), { timeout: 20_000, interval: 100 })
})
afterAll(() => app[Symbol.asyncDispose]())

const open = (method: string, more = ''): net.Socket => {
  const socket = net.connect(Number(new URL(app.url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    `${method} /api/v4/events/stream/ HTTP/1.1\r\nhost: localhost\r\nauthorization: Token ${token}\r\n${more}\r\n`,
  )
  return socket
}

test('readers that ask for a long log and do not read it harm nobody', async () => {
  const failures: unknown[] = []
  const note = (error: unknown): number => failures.push(error)
  process.on('uncaughtException', note)
  const sockets = Array.from({ length: 4 }, () => open('GET', 'last-event-id: 0\r\n').pause())
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  for (const socket of sockets) socket.destroy()
  process.off('uncaughtException', note)
  expect(failures).toEqual([])
  expect((await fetch(`${app.url}/health`)).status).toBe(200)
})

test('a reader that comes back again and again sees every event once, in order', async () => {
  const seen: number[] = []
  for (let visit = 0; (seen.at(-1) ?? 0) < most && visit < 500; visit++) {
    await new Promise<void>((resolve) => {
      const socket = open('GET', `last-event-id: ${seen.at(-1) ?? 0}\r\n`)
      const leaveAfter = 1 + ((visit * 7919) % 40)
      let text = ''
      let chunks = 0
      socket.on('data', (data) => {
        text += data.toString()
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) {
          const match = /(?:^|\n)id: (\d+)\nevent: asset/.exec(block)
          if (match) seen.push(Number(match[1]))
        }
        if (++chunks >= leaveAfter || (seen.at(-1) ?? 0) >= most) socket.destroy()
      })
      socket.on('close', () => resolve())
    })
  }
  expect(seen).toEqual(Array.from({ length: most }, (_, n) => n + 1))
}, 60_000)

test('a number from beyond the end does not silence the stream', async () => {
  const socket = open('GET', 'last-event-id: 999999999\r\n')
  let text = ''
  socket.on('data', (data) => (text += data.toString()))
  await expect.poll(() => text).toContain(`"last":${most}`)
  await app.database.run(sql`insert into event (kind) values ('asset.ready')`)
  await app.database.run(sql`select pg_notify('dam_event', '')`)
  await expect.poll(() => text).toContain('event: asset.ready')
  socket.destroy()
})

test('HEAD of the stream answers at once', async () => {
  const response = await fetch(`${app.url}/api/v4/events/stream/`, {
    method: 'HEAD',
    headers: { authorization: `Token ${token}` },
    signal: AbortSignal.timeout(5_000),
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('text/event-stream')
})
