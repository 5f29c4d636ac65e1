import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import { buffer, text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testFront } from './testing/front.ts'
import { ask, sendRaw } from './testing/raw-client.ts'
import { startUpstream } from './testing/upstream.ts'

const echoHeaders = (request: IncomingMessage, response: ServerResponse): void =>
  void response.end(JSON.stringify({ ...request.headers, raw: request.rawHeaders }))

const eventually = async (holds: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  for (let tries = 0; tries < 400; tries++) {
    if (await holds()) return
    await sleep(10)
  }
  throw new Error(`not within 4 s: ${what}`)
}

test('bodies of any size in chunks of any size arrive unchanged in both directions', async () => {
  await using upstream = await startUpstream('v1', (request, response) => {
    const hash = createHash('sha256')
    response.flushHeaders()
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      if (!response.write(chunk)) request.pause()
    })
    response.on('drain', () => request.resume())
    request.on('end', () => {
      response.addTrailers({ 'x-received': hash.digest('hex') })
      response.end()
    })
  })
  await using front = await testFront({ active: upstream })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 70_000 }), { maxLength: 40 }),
      fc.boolean(),
      async (sizes, saysLength) => {
        const chunks = sizes.map((size) => randomBytes(size))
        const whole = Buffer.concat(chunks)
        const outgoing = request(`${front.origin}/api/v4/uploads/1/`, {
          method: 'PATCH',
          agent: false,
          headers: saysLength ? { 'content-length': whole.length } : {},
        })
        const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
        for (const chunk of chunks) outgoing.write(chunk)
        outgoing.end()
        const [answer] = await answered
        const received = await buffer(answer)
        expect(received.equals(whole)).toBe(true)
        expect(answer.trailers['x-received']).toBe(createHash('sha256').update(whole).digest('hex'))
      },
    ),
    { numRuns: 25 },
  )
})

test('a client that reads slowly holds the upstream back instead of filling memory', async () => {
  let sent = 0
  await using upstream = await startUpstream('v1', (_, response) => {
    const chunk = Buffer.alloc(64 * 1024)
    const write = (): void => {
      while (sent < 400 * 1024 * 1024) {
        sent += chunk.length
        if (!response.write(chunk)) break
      }
    }
    response.on('drain', write)
    write()
  })
  await using front = await testFront({ active: upstream })
  const socket = connect(front.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  socket.pause()
  await sleep(500)
  expect(sent).toBeGreaterThan(0)
  expect(sent).toBeLessThan(40 * 1024 * 1024)
  socket.destroy()
})

test('the upstream learns client, host and protocol, and nothing that belongs to one connection', async () => {
  await using upstream = await startUpstream('v1', echoHeaders)
  await using front = await testFront({ active: upstream })
  const { body } = await ask(front.origin, '/x', {
    headers: {
      host: 'dam.example:8080',
      'x-forwarded-for': '6.6.6.6',
      'x-forwarded-host': 'evil.example',
      'x-dam-synthetic': 'guess',
      te: 'trailers',
      'keep-alive': 'timeout=1',
      connection: 'x-own, keep-alive, cookie',
      'x-own': '1',
      cookie: 'a=b',
    },
  })
  const seen = JSON.parse(body) as Record<string, string>
  expect(seen).toMatchObject({
    host: 'dam.example:8080',
    'x-forwarded-for': '6.6.6.6, 127.0.0.1',
    'x-forwarded-host': 'dam.example:8080',
    'x-forwarded-proto': 'http',
    cookie: 'a=b',
  })
  for (const name of ['te', 'keep-alive', 'x-own', 'x-dam-synthetic']) expect(seen).not.toHaveProperty(name)
})

test('what a trusted TLS proxy says of the client is believed', async () => {
  await using upstream = await startUpstream('v1', echoHeaders)
  await using front = await testFront({ active: upstream, settings: { trustedProxies: ['127.0.0.1'] } })
  const { body } = await ask(front.origin, '/x', {
    headers: { host: 'dam.example', 'x-forwarded-for': '6.6.6.6, 7.7.7.7', 'x-forwarded-proto': 'https' },
  })
  expect(JSON.parse(body)).toMatchObject({ 'x-forwarded-for': '6.6.6.6, 7.7.7.7', 'x-forwarded-proto': 'https' })
})

test('HEAD, Range, status texts and repeated headers pass', async () => {
  await using upstream = await startUpstream('v1', (request, response) => {
    response.writeHead(206, 'Some Of It', {
      'Content-Range': `bytes 0-3/10 for ${request.headers.range ?? ''}`,
      'Content-Length': '4',
      'Set-Cookie': ['a=1', 'b=2'],
    })
    response.end(request.method === 'HEAD' ? undefined : 'abcd')
  })
  await using front = await testFront({ active: upstream })
  const answer = await ask(front.origin, '/', { headers: { range: 'bytes=0-3' } })
  expect(answer).toMatchObject({ status: 206, body: 'abcd' })
  expect(answer.headers).toMatchObject({ 'content-range': 'bytes 0-3/10 for bytes=0-3', 'set-cookie': ['a=1', 'b=2'] })
  const head = await sendRaw(front.port, 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1\.1 206 Some Of It\r\n/)
  expect(head).toMatch(/Content-Length: 4\r\n/i)
  expect(head.endsWith('\r\n\r\n')).toBe(true)
})

test('a client that asks whether to send its body is answered by the upstream', async () => {
  await using upstream = await startUpstream('v1', (request, response) => {
    void text(request).then((body) => response.end(`got ${body}`))
  })
  upstream.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers['x-refuse']) {
      response.writeHead(413, { connection: 'close' }).end('too large')
      return
    }
    response.writeContinue()
    upstream.server.emit('request', request, response)
  })
  await using front = await testFront({ active: upstream })
  const send = (headers: Record<string, string>): Promise<{ status: number; body: string; continued: boolean }> =>
    new Promise((resolve, reject) => {
      let continued = false
      const outgoing = request(`${front.origin}/api/v4/uploads/`, {
        method: 'POST',
        agent: false,
        headers: { expect: '100-continue', 'content-length': '5', ...headers },
      })
      outgoing.on('continue', () => {
        continued = true
        outgoing.end('hello')
      })
      outgoing.on('response', (answer) => {
        void text(answer).then((body) => {
          outgoing.destroy()
          resolve({ status: answer.statusCode ?? 0, body, continued })
        })
      })
      outgoing.on('error', reject)
      outgoing.flushHeaders()
    })
  expect(await send({})).toEqual({ status: 200, body: 'got hello', continued: true })
  expect(await send({ 'x-refuse': '1' })).toEqual({ status: 413, body: 'too large', continued: false })
})

test('trailers of a request pass', async () => {
  await using upstream = await startUpstream('v1', (incoming, response) => {
    void text(incoming).then(() => response.end(JSON.stringify(incoming.trailers)))
  })
  await using front = await testFront({ active: upstream })
  const raw = await sendRaw(
    front.port,
    'POST /api/v4/uploads/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n',
  )
  expect(raw).toMatch(/{"x-sum":"7"}/)
})

test('early hints pass', async () => {
  await using upstream = await startUpstream('v1', (_, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => response.end('page'))
  })
  await using front = await testFront({ active: upstream })
  const raw = await sendRaw(front.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  expect(raw).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200/i)
})

test('an answer that comes while the body still flows reaches the client', async () => {
  await using upstream = await startUpstream('v1', (incoming, response) => {
    incoming.once('data', () => {
      response.writeHead(413, { 'content-type': 'text/plain' }).end('too large')
      incoming.resume()
    })
  })
  await using front = await testFront({ active: upstream })
  const outgoing = request(`${front.origin}/api/v4/uploads/`, {
    method: 'POST',
    agent: false,
    headers: { 'content-length': String(64 * 1024 * 1024) },
  })
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
  outgoing.write(Buffer.alloc(1024 * 1024))
  const [answer] = await answered
  expect(answer.statusCode).toBe(413)
  expect(await text(answer)).toBe('too large')
  outgoing.on('error', () => undefined)
  outgoing.destroy()
  await eventually(async () => (await front.client.status()).inFlight.length === 0, 'nothing is in flight')
})

test('a hundred uploads that their clients break off leave nothing behind, and the upstream learns of each', async () => {
  let aborted = 0
  await using upstream = await startUpstream('v1', (incoming) => {
    incoming.resume()
    incoming.on('error', () => undefined)
    incoming.once('close', () => aborted++)
  })
  await using front = await testFront({ active: upstream })
  const sockets = Array.from({ length: 100 }, () => {
    const socket = connect(front.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write('PATCH /api/v4/uploads/1/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n')
    socket.write(Buffer.alloc(50_000))
    return socket
  })
  await eventually(async () => {
    const { inFlight } = await front.client.status()
    return inFlight[0]?.count === 100 && upstream.connections() === 100
  }, '100 uploads under way')
  for (const socket of sockets) socket.destroy()
  await eventually(async () => {
    const { inFlight, connections } = await front.client.status()
    return inFlight.length === 0 && connections === 0 && upstream.connections() === 0 && aborted === 100
  }, 'all is gone')
  const { buckets } = await front.client.outcomes(0)
  expect(buckets.reduce((sum, bucket) => sum + bucket.aborted, 0)).toBe(100)
  expect(buckets.reduce((sum, bucket) => sum + bucket.bad, 0)).toBe(0)
})

test('an answer that the upstream breaks off is broken off for the client and counts as bad', async () => {
  await using upstream = await startUpstream('v1', (_, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('only this', () => response.destroy())
  })
  await using front = await testFront({ active: upstream })
  await expect(ask(front.origin, '/api/v4/tags/')).rejects.toThrow()
  const { buckets, badRequests } = await front.client.outcomes(0)
  expect(buckets).toMatchObject([{ total: 1, bad: 1, slot: 'slot-v1', routeClass: 'api' }])
  expect(badRequests).toMatchObject([{ method: 'GET', path: '/api/v4/tags/', status: 0 }])
})

const smuggled: [string, string][] = [
  ['Content-Length beside Transfer-Encoding', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a disguised Transfer-Encoding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
  ['a Transfer-Encoding in disguised case and space', 'Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n'],
  ['two Transfer-Encodings', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['a Transfer-Encoding that is not only chunked', 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['a space before the colon', 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
  ['two lengths', 'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde'],
  ['a length that is no number', 'Content-Length: +4\r\n\r\nabcd'],
  ['two hosts', 'Host: b\r\nContent-Length: 0\r\n\r\n'],
  ['a folded header', 'X: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
  ['a bare line feed', 'X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
]
test.each(smuggled)('%s is answered 400 and never reaches an upstream', async (_, rest) => {
  let reached = 0
  await using upstream = await startUpstream('v1', (_, response) => {
    reached++
    response.end()
  })
  await using front = await testFront({ active: upstream })
  const raw = await sendRaw(front.port, `POST /api/v4/tags/ HTTP/1.1\r\nHost: a\r\n${rest}`)
  expect(raw).toMatch(/^HTTP\/1\.1 400 /)
  expect(raw.match(/HTTP\/1\.1/g)).toHaveLength(1)
  expect(reached).toBe(0)
})

test('clients that never finish their headers or fall silent in their body are let go', async () => {
  await using upstream = await startUpstream('v1', (incoming) => incoming.resume())
  await using front = await testFront({ active: upstream, settings: { headersWithinMs: 300, bodySilenceMs: 300 } })
  expect(await sendRaw(front.port, 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow')).toMatch(/^HTTP\/1\.1 408 /)
  expect(await sendRaw(front.port, 'PUT /api/v4/uploads/1/ HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc')).toBe(
    '',
  )
  await eventually(() => upstream.connections() === 0, 'the upstream is let go, too')
})

test('an upload that trickles is not cut while something comes', async () => {
  await using upstream = await startUpstream('v1', (incoming, response) => {
    void text(incoming).then((body) => response.end(body))
  })
  await using front = await testFront({ active: upstream, settings: { headersWithinMs: 300, bodySilenceMs: 300 } })
  const outgoing = request(`${front.origin}/api/v4/uploads/1/`, { method: 'PATCH', agent: false })
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>
  for (let part = 0; part < 12; part++) {
    outgoing.write(String(part % 10))
    await sleep(100)
  }
  outgoing.end()
  const [answer] = await answered
  expect(await text(answer)).toBe('012345678901')
})

test('an idle connection that the upstream has closed costs no user an error', async () => {
  let served = 0
  let resets = 0
  // Resets a connection when a second request comes on it, as when it was closed just then.
  const server = createTcpServer((socket) => {
    let isUsed = false
    socket.on('error', () => undefined)
    socket.on('data', () => {
      if (isUsed) {
        resets++
        socket.resetAndDestroy()
        return
      }
      isUsed = true
      served++
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await using front = await testFront({
    active: { slot: 's', tag: 'v1', port: (server.address() as AddressInfo).port },
  })
  for (let round = 0; round < 10; round++) {
    expect(await ask(front.origin, '/')).toMatchObject({ status: 200, body: 'ok' })
    expect(await ask(front.origin, '/api/v4/tags/', { method: 'POST' })).toMatchObject({ status: 200 })
    await sleep(5)
  }
  expect(served).toBe(20)
  expect(resets).toBeGreaterThan(0)
  server.close()
})

test('a request without an answer is not sent twice when it may have been worked on', async () => {
  let reached = 0
  await using upstream = await startUpstream('v1', (incoming) => {
    reached++
    incoming.socket.resetAndDestroy()
  })
  await using front = await testFront({ active: upstream })
  const answer = await ask(front.origin, '/api/v4/tags/', { method: 'POST', body: '{}' })
  expect(answer.status).toBe(502)
  expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'bad-gateway' } })
  expect(answer.headers['retry-after']).toBeDefined()
  expect(reached).toBe(1)
})

test('a refused connection is tried again, on the other release where nothing can change', async () => {
  await using other = await startUpstream(
    'v1',
    (incoming, response) => void text(incoming).then((b) => response.end(b)),
  )
  const gone = await startUpstream('v2', (_, response) => response.end())
  await gone[Symbol.asyncDispose]()
  await using front = await testFront()
  await front.point(gone, { control: { upstream: { slot: other.slot, tag: 'v1', port: other.port }, sharePercent: 0 } })
  expect((await ask(front.origin, '/')).headers['x-release']).toBe('v1')
  const late = ask(front.origin, '/api/v4/tags/', { method: 'POST', body: 'a body' })
  await sleep(100)
  await using back = await startUpstream(
    'v2',
    (incoming, response) => void text(incoming).then((b) => response.end(b)),
    gone.port,
  )
  expect(await late).toMatchObject({ status: 200, body: 'a body' })
  expect(back.tag).toBe('v2')
})

test('without an answer in time the client gets 504', async () => {
  await using upstream = await startUpstream('v1', () => undefined)
  const within = { page: 200, api: 200, upload: 200, render: 200, stream: 200 }
  await using front = await testFront({ active: upstream, settings: { answerWithinMs: within } })
  expect((await ask(front.origin, '/api/v4/tags/')).status).toBe(504)
})

test('events arrive as they are sent', async () => {
  let send: (text: string) => void = () => undefined
  await using upstream = await startUpstream('v1', (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    send = (event) => void response.write(event)
  })
  await using front = await testFront({ active: upstream })
  const outgoing = request(`${front.origin}/api/v4/events/stream/`, { agent: false }).end()
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  for (const event of ['id: 1\ndata: a\n\n', 'id: 2\ndata: b\n\n']) {
    const next = once(answer, 'data') as Promise<[Buffer]>
    send(event)
    expect((await next)[0].toString()).toBe(event)
  }
  outgoing.destroy()
})

test('a WebSocket passes both ways, and its refusal too', async () => {
  await using upstream = await startUpstream('v1', (_, response) => response.end('plain'))
  upstream.server.on('upgrade', (incoming: IncomingMessage, socket, head: Buffer) => {
    if (incoming.url === '/refuse') {
      socket.end('HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno')
      return
    }
    socket.write(`HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Head: ${head.length}\r\n\r\n`)
    socket.pipe(socket)
  })
  await using front = await testFront({ active: upstream })
  const headers = 'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  const socket = connect(front.port, '127.0.0.1')
  socket.write(`GET /socket HTTP/1.1\r\n${headers}`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  expect(head.toString()).toMatch(/^HTTP\/1\.1 101 Fine\r\n/)
  socket.write('ping')
  expect(String((await once(socket, 'data'))[0])).toBe('ping')
  expect((await front.client.status()).inFlight).toEqual([{ slot: 'slot-v1', routeClass: 'stream', count: 1 }])
  socket.destroy()
  await eventually(async () => (await front.client.status()).inFlight.length === 0, 'it is over')
  expect(await sendRaw(front.port, `GET /refuse HTTP/1.1\r\n${headers}`)).toMatch(/^HTTP\/1\.1 403 No[^]*no$/)
  // Clients that would like HTTP/2 are answered as if they had not asked.
  const h2c =
    'Host: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n'
  expect(await sendRaw(front.port, `GET / HTTP/1.1\r\n${h2c}`)).toMatch(/^HTTP\/1\.1 200 OK[^]*plain$/)
})
