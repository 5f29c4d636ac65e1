import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Secret } from '@dam/platform/settings'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startEdge } from '../drills/edge.ts'
import { compareCdn } from './compare-cdn.ts'
import { type CdnConfig, purgeCdn, signedHeaders } from './purge-cdn.ts'

type Asked = Pick<IncomingMessage, 'method' | 'url' | 'headers'> & { body: string }
let server: Server
let asked: Asked[]
let status: number
beforeEach(async () => {
  asked = []
  status = 200
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      asked.push({ method: request.method, url: request.url, headers: request.headers, body })
      if (request.url?.startsWith('/assets/'))
        response.writeHead(200, { 'cache-control': 'public, max-age=31536000, immutable', etag: '"1"' }).end('script')
      else if (request.url === '/')
        response
          .writeHead(200, { 'cache-control': 'no-cache', etag: '"2"' })
          .end('<script src="/assets/index-a.js"></script>')
      else response.writeHead(status).end('{"status":"ok"}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => new Promise((resolve) => server.close(resolve)))
const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const config = (of: Partial<CdnConfig>): CdnConfig => ({
  cdnProvider: undefined,
  cdnToken: undefined,
  cdnZone: undefined,
  cdnApiUrl: address(),
  ...of,
})
const now = new Date('2026-01-02T03:04:05.678Z')

test('each provider is asked in its own words', async () => {
  const url = `${address()}/app.css`
  await purgeCdn(config({ cdnProvider: 'purge' }), [url], now)
  await purgeCdn(config({ cdnProvider: 'fastly', cdnToken: new Secret('key') }), ['https://cdn.example.com/a.jpg'], now)
  await purgeCdn(config({ cdnProvider: 'cloudflare', cdnToken: new Secret('key'), cdnZone: 'abc' }), [url], now)
  await purgeCdn(
    config({ cdnProvider: 'cloudfront', cdnToken: new Secret('AKID:secret'), cdnZone: 'E1' }),
    ['https://cdn.example.com/a&b'],
    now,
  )
  const [purge, fastly, cloudflare, cloudfront] = asked
  expect(purge).toMatchObject({ method: 'PURGE', url: '/app.css' })
  expect(fastly).toMatchObject({
    method: 'POST',
    url: '/purge/cdn.example.com/a.jpg',
    headers: { 'fastly-key': 'key' },
  })
  expect(cloudflare).toMatchObject({
    url: '/zones/abc/purge_cache',
    headers: { authorization: 'Bearer key' },
    body: JSON.stringify({ files: [url] }),
  })
  expect(cloudfront?.url).toBe('/2020-05-31/distribution/E1/invalidation')
  expect(cloudfront?.body).toContain('<Path>/a&amp;b</Path>')
  expect(cloudfront?.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKID\/20260102\/us-east-1\/cloudfront\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=[0-9a-f]{64}$/,
  )
})

test('a refusal is told, and a missing setting says which one', async () => {
  status = 403
  const [answer] = await purgeCdn(config({ cdnProvider: 'fastly', cdnToken: new Secret('x') }), ['https://c/x'], now)
  expect(answer).toMatchObject({ ok: false, says: expect.stringContaining('403') })
  await expect(purgeCdn(config({}), ['https://c/x'], now)).rejects.toThrow('DAM_CDN_PROVIDER')
  await expect(
    purgeCdn(config({ cdnProvider: 'cloudflare', cdnToken: new Secret('x') }), ['https://c/x'], now),
  ).rejects.toThrow('DAM_CDN_ZONE')
})

test('the signature depends on the body and the secret', () => {
  const target = new URL('https://cloudfront.amazonaws.com/2020-05-31/distribution/E1/invalidation')
  const sign = (body: string, token: string) => signedHeaders(target, body, token, now)['authorization']
  expect(sign('a', 'id:one')).toBe(sign('a', 'id:one'))
  expect(new Set([sign('a', 'id:one'), sign('b', 'id:one'), sign('a', 'id:two')]).size).toBe(3)
})

test.each([
  ['stale', 'stale'],
  ['missing', 'edge-missing'],
  ['failing', 'edge-fails'],
  ['down', 'edge-down'],
  ['headers', 'headers'],
] as const)('an edge that is %s is seen beside its origin', async (fault, verdict) => {
  const edge = await startEdge({ originUrl: address(), fault, ageSeconds: 600 })
  const { compared } = await compareCdn({ cdnUrl: edge.cdnUrl, originUrl: address() })
  expect(compared.map((one) => one.verdict)).toContain(verdict)
  await edge.close()
})

test('after a purge the edge and the origin agree', async () => {
  const edge = await startEdge({ originUrl: address(), fault: 'stale', ageSeconds: 600 })
  await purgeCdn(config({ cdnProvider: 'purge' }), [`${edge.cdnUrl}/`], now)
  const { compared } = await compareCdn({ cdnUrl: edge.cdnUrl, originUrl: address() })
  expect(compared.map((one) => one.verdict)).toEqual(['same', 'same'])
  await edge.close()
})
