import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sql } from '@dam/platform/database'
import { bytesOf, codeOf, locationOf, metadataHeader, sha256, tusClient } from './testing/tus.ts'
import { startUploadServer, type UploadServer } from './testing/upload-server.ts'

let server: UploadServer
let tus: ReturnType<typeof tusClient>
beforeAll(async () => {
  server = await startUploadServer({ uploadMaxBytes: 40 * 1024 * 1024 })
  tus = tusClient(server)
})
afterAll(() => server[Symbol.asyncDispose]())

const originalOf = async (assetId: string | null): Promise<Buffer> => {
  const response = await server.fetch(`/api/v4/dam/assets/${assetId}/download/`)
  expect(response.status).toBe(200)
  return Buffer.from(await response.arrayBuffer())
}
const begin = async (size: number, more: Record<string, string> = {}): Promise<string> => {
  const response = await tus.create({
    'upload-length': String(size),
    'upload-metadata': metadataHeader({ filename: 'a.bin' }),
    ...more,
  })
  expect(response.status).toBe(201)
  return locationOf(response)
}

describe('the protocol', () => {
  test('OPTIONS says what the server can do', async () => {
    const { status, headers } = await server.fetch('/api/v4/uploads/', { method: 'OPTIONS' })
    expect(status).toBe(204)
    expect(headers.get('tus-version')).toBe('1.0.0')
    expect(headers.get('tus-max-size')).toBe(String(40 * 1024 * 1024))
    expect(headers.get('tus-extension')?.split(',').sort()).toEqual([
      'checksum',
      'concatenation',
      'creation',
      'creation-defer-length',
      'creation-with-upload',
      'expiration',
      'termination',
    ])
    expect(headers.get('tus-checksum-algorithm')).toBe('sha1,sha256,md5')
  })

  test('a request that speaks another version is refused with the right one', async () => {
    for (const headers of [{ 'tus-resumable': '0.2.2' }, { 'tus-resumable': '' }]) {
      const response = await server.fetch('/api/v4/uploads/', {
        method: 'POST',
        headers: { ...headers, 'upload-length': '5' },
      })
      expect(response.status).toBe(412)
      expect(response.headers.get('tus-version')).toBe('1.0.0')
      expect(await codeOf(response)).toBe('tus-version-unsupported')
    }
  })

  test('bytes arrive in pieces; the last one makes the asset', async () => {
    const bytes = bytesOf(100_000)
    const url = await begin(bytes.length)
    expect(url).toMatch(new RegExp(`^${server.url}/api/v4/uploads/[0-9a-f-]{36}/$`))
    let offset = 0
    for (const size of [1, 40_000, 59_998]) {
      const response = await tus.patch(url, offset, bytes.subarray(offset, offset + size))
      offset += size
      expect(response.status).toBe(204)
      expect(response.headers.get('upload-offset')).toBe(String(offset))
      expect(response.headers.get('tus-resumable')).toBe('1.0.0')
      expect(response.headers.get('x-dam-asset')).toBeNull()
      const head = await tus.head(url)
      expect(head.status).toBe(200)
      expect(head.headers.get('upload-offset')).toBe(String(offset))
      expect(head.headers.get('upload-length')).toBe('100000')
      expect(head.headers.get('cache-control')).toBe('no-store')
      expect(head.headers.get('upload-metadata')).toBe(metadataHeader({ filename: 'a.bin' }))
      expect(Date.parse(head.headers.get('upload-expires') ?? '')).toBeGreaterThan(Date.now())
    }
    const last = await tus.patch(url, offset, bytes.subarray(offset))
    expect(last.status).toBe(204)
    const assetId = last.headers.get('x-dam-asset')
    expect(await originalOf(assetId)).toEqual(bytes)
    const head = await tus.head(url)
    expect(head.headers.get('x-dam-asset')).toBe(assetId)
    expect(head.headers.get('upload-offset')).toBe('100000')
    const job = await server.database.row<{ n: number }>(
      sql`select count(*)::int as n from graphile_worker._private_jobs where (payload ->> 'assetId') = ${assetId}`,
    )
    expect(job?.n).toBe(1)
    const trail = await server.database.row<{ audits: number; events: number }>(sql`
      select (select count(*) from audit where object = ${`asset:${assetId}`})::int as audits, (select count(*) from event where asset_id = ${Number(assetId)})::int as events`)
    expect(trail).toEqual({ audits: 1, events: 1 })
  })

  test('one request is enough for a small file', async () => {
    const bytes = bytesOf(3000)
    const response = await tus.create(
      {
        'upload-length': '3000',
        'upload-metadata': metadataHeader({ filename: 'small.bin', checksum: sha256(bytes) }),
      },
      bytes,
    )
    expect(response.status).toBe(201)
    expect(response.headers.get('upload-offset')).toBe('3000')
    expect(await originalOf(response.headers.get('x-dam-asset'))).toEqual(bytes)
    const head = await tus.head(locationOf(response))
    expect(head.headers.get('upload-offset')).toBe('3000')
  })

  test('creation may carry only the first bytes', async () => {
    const bytes = bytesOf(5000)
    const response = await tus.create(
      { 'upload-length': '5000', 'upload-metadata': metadataHeader({ filename: 'b.bin' }) },
      bytes.subarray(0, 2000),
    )
    expect(response.status).toBe(201)
    expect(response.headers.get('upload-offset')).toBe('2000')
    const rest = await tus.patch(locationOf(response), 2000, bytes.subarray(2000))
    expect(await originalOf(rest.headers.get('x-dam-asset'))).toEqual(bytes)
  })

  test('the length may be told later, once', async () => {
    const bytes = bytesOf(6000)
    const created = await tus.create({
      'upload-defer-length': '1',
      'upload-metadata': metadataHeader({ filename: 'c.bin' }),
    })
    const url = locationOf(created)
    expect((await tus.patch(url, 0, bytes.subarray(0, 1000))).status).toBe(204)
    const head = await tus.head(url)
    expect(head.headers.get('upload-defer-length')).toBe('1')
    expect(head.headers.get('upload-length')).toBeNull()
    expect((await tus.patch(url, 1000, bytes.subarray(1000, 2000), { 'upload-length': '6000' })).status).toBe(204)
    expect((await tus.patch(url, 2000, Buffer.alloc(1), { 'upload-length': '7000' })).status).toBe(400)
    const last = await tus.patch(url, 2000, bytes.subarray(2000))
    expect(await originalOf(last.headers.get('x-dam-asset'))).toEqual(bytes)
  })

  test('POST with X-HTTP-Method-Override stands in for PATCH, HEAD and DELETE', async () => {
    const bytes = bytesOf(100)
    const url = await begin(100)
    const override = (method: string, headers: Record<string, string> = {}, body?: Buffer): Promise<Response> =>
      server.fetch(url, {
        method: 'POST',
        headers: { 'tus-resumable': '1.0.0', 'x-http-method-override': method, ...headers },
        ...(body ? { body: new Uint8Array(body) } : {}),
      })
    const patched = await override(
      'PATCH',
      { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
      bytes.subarray(0, 50),
    )
    expect(patched.status).toBe(204)
    expect((await override('DELETE')).status).toBe(204)
    expect((await tus.head(url)).status).toBe(404)
    const elsewhere = await server.fetch('/api/v4/dam/assets/1/', {
      method: 'POST',
      headers: { 'x-http-method-override': 'DELETE' },
    })
    expect(elsewhere.status).toBe(405)
  })
})

describe('bytes that are not what they should be', () => {
  test('a wrong offset is 409 and changes nothing', async () => {
    const url = await begin(1000)
    await tus.patch(url, 0, bytesOf(400))
    for (const offset of [0, 399, 401, 1000]) {
      const response = await tus.patch(url, offset, bytesOf(10))
      expect(response.status).toBe(409)
      expect(await codeOf(response)).toBe('offset-mismatch')
    }
    expect((await tus.head(url)).headers.get('upload-offset')).toBe('400')
  })

  test('more bytes than declared are refused, whether announced or not', async () => {
    const url = await begin(1000)
    const announced = await tus.patch(url, 0, bytesOf(1001))
    expect(announced.status).toBe(413)
    const chunked = await tus.patch(url, 0, new Blob([new Uint8Array(2000)]).stream())
    expect(chunked.status).toBe(413)
    expect((await tus.head(url)).headers.get('upload-offset')).toBe('0')
  })

  test.each(['sha1', 'sha256', 'md5'])(
    'Upload-Checksum %s keeps good bytes and discards bad ones',
    async (algorithm) => {
      const bytes = bytesOf(1000)
      const url = await begin(1000)
      const digest = createHash(algorithm).update(bytes.subarray(0, 500)).digest('base64')
      const bad = await tus.patch(url, 0, bytes.subarray(1, 501), { 'upload-checksum': `${algorithm} ${digest}` })
      expect(bad.status).toBe(460)
      expect((await tus.head(url)).headers.get('upload-offset')).toBe('0')
      expect(
        (await tus.patch(url, 0, bytes.subarray(0, 500), { 'upload-checksum': `${algorithm} ${digest}` })).status,
      ).toBe(204)
      const last = await tus.patch(url, 500, bytes.subarray(500))
      expect(await originalOf(last.headers.get('x-dam-asset'))).toEqual(bytes)
    },
  )

  test('an unknown checksum algorithm is 400', async () => {
    const url = await begin(10)
    const response = await tus.patch(url, 0, bytesOf(10), { 'upload-checksum': 'crc32 AAAA' })
    expect(response.status).toBe(400)
    expect(await codeOf(response)).toBe('checksum-unsupported')
  })

  test('a file that does not have its declared checksum becomes no asset', async () => {
    const bytes = bytesOf(1000)
    const declared = metadataHeader({ filename: 'd.bin', checksum: sha256(bytesOf(5)) })
    const atOnce = await tus.create({ 'upload-length': '1000', 'upload-metadata': declared }, bytes)
    expect(atOnce.status).toBe(460)
    const url = locationOf(await tus.create({ 'upload-length': '1000', 'upload-metadata': declared }))
    expect((await tus.patch(url, 0, bytes)).status).toBe(460)
    expect((await tus.head(url)).status).toBe(410)
    const listed = (await (await server.fetch('/api/v4/uploads/')).json()) as {
      results: { url: string; state: string; error: string }[]
    }
    expect(listed.results.find((one) => one.url === url)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('checksum') as string,
    })
    expect(await server.database.row(sql`select 1 from blob where sha256 = ${sha256(bytes)}`)).toBeUndefined()
  })

  test('an empty file is refused with a reason', async () => {
    const response = await tus.create({
      'upload-length': '0',
      'upload-metadata': metadataHeader({ filename: 'empty' }),
    })
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining('empty') as string,
      error: { code: 'validation-failed' },
    })
    const deferred = locationOf(await tus.create({ 'upload-defer-length': '1' }))
    expect((await tus.patch(deferred, 0, Buffer.alloc(0), { 'upload-length': '0' })).status).toBe(422)
  })

  test('a file over the limit is 413 at creation', async () => {
    const response = await tus.create({ 'upload-length': String(41 * 1024 * 1024) })
    expect(response.status).toBe(413)
  })

  test.each([
    ['no length', {}],
    ['both lengths', { 'upload-length': '5', 'upload-defer-length': '1' }],
    ['a negative length', { 'upload-length': '-5' }],
    ['a length in words', { 'upload-length': 'many' }],
    ['metadata that is not base64', { 'upload-length': '5', 'upload-metadata': 'filename %%%' }],
    ['a key twice', { 'upload-length': '5', 'upload-metadata': 'filename YQ==,filename YQ==' }],
    ['a collection that is no id', { 'upload-length': '5', 'upload-metadata': metadataHeader({ collection: 'x' }) }],
    ['parts from elsewhere', { 'upload-concat': 'final;http://elsewhere/x' }],
  ])('creation with %s is 400', async (_, headers) => {
    expect((await tus.create(headers as Record<string, string>)).status).toBe(400)
  })

  test('a collection that does not exist is 404 before any byte travels', async () => {
    const response = await tus.create({
      'upload-length': '5',
      'upload-metadata': metadataHeader({ filename: 'x', collection: '999999' }),
    })
    expect(response.status).toBe(404)
  })

  test('bytes in another media type are 415', async () => {
    const url = await begin(10)
    expect((await tus.patch(url, 0, bytesOf(10), { 'content-type': 'text/plain' })).status).toBe(415)
  })
})

describe('other people', () => {
  test('do not see that an upload exists', async () => {
    const url = await begin(100)
    const stranger = tusClient(server, (await server.signIn('administrator')).headers)
    for (const response of [
      await stranger.head(url),
      await stranger.patch(url, 0, bytesOf(5)),
      await stranger.cancel(url),
    ])
      expect(response.status).toBe(404)
    expect((await tus.head(url)).status).toBe(200)
  })

  test('without the right role cannot upload', async () => {
    const viewer = tusClient(server, (await server.signIn('viewer')).headers)
    expect((await viewer.create({ 'upload-length': '5' })).status).toBe(403)
    expect((await tusClient(server, { authorization: '' }).create({ 'upload-length': '5' })).status).toBe(401)
  })

  test('cannot use the parts of somebody else', async () => {
    const part = locationOf(await tus.create({ 'upload-length': '5', 'upload-concat': 'partial' }, bytesOf(5)))
    const stranger = tusClient(server, (await server.signIn()).headers)
    expect((await stranger.create({ 'upload-concat': `final;${part}` })).status).toBe(404)
  })
})

describe('termination and concatenation', () => {
  test('a cancelled upload leaves nothing', async () => {
    const url = await begin(1000)
    await tus.patch(url, 0, bytesOf(500))
    expect((await tus.cancel(url)).status).toBe(204)
    expect((await tus.head(url)).status).toBe(404)
    expect((await tus.cancel(url)).status).toBe(404)
    expect(await readdir(server.uploads.blobs.folders.incoming)).not.toContain(url.split('/').at(-2))
  })

  test('parts become one file in the order given, once', async () => {
    const parts = [bytesOf(3000), bytesOf(2000), bytesOf(1)]
    const urls: string[] = []
    for (const part of parts)
      urls.push(
        locationOf(await tus.create({ 'upload-length': String(part.length), 'upload-concat': 'partial' }, part)),
      )
    expect((await tus.head(urls[0] as string)).headers.get('upload-concat')).toBe('partial')
    const order = [urls[1], urls[0], urls[2]].join(' ')
    const headers = { 'upload-concat': `final;${order}`, 'upload-metadata': metadataHeader({ filename: 'joined.bin' }) }
    const final = await tus.create(headers)
    expect(final.status).toBe(201)
    const joined = Buffer.concat([parts[1] as Buffer, parts[0] as Buffer, parts[2] as Buffer])
    expect(await originalOf(final.headers.get('x-dam-asset'))).toEqual(joined)
    const again = await tus.create(headers)
    expect(again.headers.get('location')).toBe(final.headers.get('location'))
    expect(again.headers.get('x-dam-asset')).toBe(final.headers.get('x-dam-asset'))
    expect((await tus.head(locationOf(final))).headers.get('upload-length')).toBe('5001')
    expect((await tus.patch(locationOf(final), 5001, bytesOf(1))).status).toBe(403)
  })

  test('an unfinished part cannot be used', async () => {
    const part = locationOf(await tus.create({ 'upload-length': '50', 'upload-concat': 'partial' }))
    expect((await tus.create({ 'upload-concat': `final;${part}` })).status).toBe(400)
  })
})

describe('repeated requests', () => {
  test('the same Idempotency-Key makes one asset, by tus', async () => {
    const bytes = bytesOf(2000)
    const headers = {
      'upload-length': '2000',
      'upload-metadata': metadataHeader({ filename: 'once.bin' }),
      'idempotency-key': 'tus-once',
    }
    const [first, second] = await Promise.all([tus.create(headers, bytes), tus.create(headers, bytes)])
    const third = await tus.create(headers, bytes)
    expect([first.status, second.status, third.status]).toEqual([201, 201, 201])
    expect(new Set([first, second, third].map((one) => one.headers.get('x-dam-asset'))).size).toBe(1)
    expect(
      await server.database.row(sql`select count(*)::int as n from asset where sha256 = ${sha256(bytes)}`),
    ).toEqual({ n: 1 })
    const other = await tus.create({ ...headers, 'upload-length': '2001' }, bytesOf(2001))
    expect(other.status).toBe(409)
  })

  test('a finished upload can be patched and asked again without a second asset', async () => {
    const bytes = bytesOf(500)
    const url = await begin(500)
    const first = await tus.patch(url, 0, bytes)
    expect((await tus.patch(url, 0, bytes)).status).toBe(409)
    const empty = await tus.patch(url, 500, Buffer.alloc(0))
    expect(empty.status).toBe(204)
    expect(empty.headers.get('x-dam-asset')).toBe(first.headers.get('x-dam-asset'))
    expect(
      await server.database.row(sql`select count(*)::int as n from asset where sha256 = ${sha256(bytes)}`),
    ).toEqual({ n: 1 })
  })
})
