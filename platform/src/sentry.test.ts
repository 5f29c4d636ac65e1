import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { openSentry, parseDsn, scrub } from './sentry.ts'

type Received = { path: string; auth: string; lines: string[] }

async function fakeSentry(status = 200) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const lines = Buffer.concat(chunks).toString().trimEnd().split('\n')
      received.push({ path: request.url ?? '', auth: String(request.headers['x-sentry-auth']), lines })
      response.writeHead(status, status === 429 ? { 'retry-after': '60' } : {}).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    dsn: `http://publickey@127.0.0.1:${(server.address() as AddressInfo).port}/42`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
const about = { process: 'web', release: 'dam@v1.0.0', environment: 'production' }
const entry = {
  message: 'no such asset of anna@example.com',
  code: 'internal-error',
  route: '/api/v4/dam/assets/{id}/',
}

test('an error arrives as an envelope with release, environment and frames, and without names of people', async () => {
  await using sentry = await fakeSentry()
  const reporter = openSentry({ dsn: sentry.dsn, ...about })
  reporter.report({
    ...entry,
    ...(new Error('x').stack === undefined ? {} : { stack: new Error('x').stack as string }),
  })
  await reporter.flush()
  const [only] = sentry.received
  expect(only).toMatchObject({ path: '/api/42/envelope/' })
  expect(only?.auth).toContain('sentry_key=publickey')
  const [header, item, event] = (only?.lines ?? []).map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(header?.['event_id']).toMatch(/^[0-9a-f]{32}$/)
  expect(item).toEqual({ type: 'event', length: Buffer.byteLength(only?.lines[2] ?? '') })
  expect(event).toMatchObject({
    event_id: header?.['event_id'],
    level: 'error',
    release: 'dam@v1.0.0',
    environment: 'production',
    transaction: entry.route,
    exception: { values: [{ type: 'internal-error', value: 'no such asset of [email]' }] },
  })
  expect(only?.lines[2]).toContain('"filename":"platform/src/sentry.test.ts"')
})

test('a storm of one error is thinned out, and a receiver that says stop is left alone', async () => {
  await using sentry = await fakeSentry()
  const reporter = openSentry({ dsn: sentry.dsn, ...about })
  for (let i = 0; i < 100; i++) reporter.report(entry)
  await reporter.flush()
  expect(sentry.received).toHaveLength(10)
  await using full = await fakeSentry(429)
  const refused = openSentry({ dsn: full.dsn, ...about })
  for (let i = 0; i < 5; i++) refused.report({ ...entry, code: `code-${i}` })
  await refused.flush()
  expect(full.received).toHaveLength(1)
})

test('nothing fails while the receiver is away', async () => {
  const reporter = openSentry({ dsn: 'http://key@127.0.0.1:9/1', ...about })
  reporter.report(entry)
  await reporter.flush()
  reporter.report(entry)
})

test('a DSN that is none is refused, and secrets in texts are taken out', () => {
  expect(() => parseDsn('https://sentry.io/1')).toThrow('expected')
  expect(scrub('Token abcdefgh12345 from 10.1.2.3, password=hunter2 at postgres://dam:pw@db/x')).toBe(
    '[token] from [ip], password=[removed] at postgres://[removed]@db/x',
  )
})
