import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Asset } from '@dam/contract'
import { sql } from '@dam/platform/database'
import { bytesOf, codeOf, sha256 } from './testing/tus.ts'
import { startUploadServer, type UploadServer } from './testing/upload-server.ts'

let server: UploadServer
beforeAll(async () => {
  server = await startUploadServer({ uploadMaxBytes: 5_000_000 })
})
afterAll(() => server[Symbol.asyncDispose]())

const send = (
  parts: [string, string | Blob, string?][],
  headers: Record<string, string> = {},
  path = '/api/v4/dam/assets/',
): Promise<Response> => {
  const body = new FormData()
  for (const [name, value, filename] of parts) {
    if (typeof value === 'string') body.append(name, value)
    else body.append(name, value, filename)
  }
  return server.fetch(path, { method: 'POST', body, headers })
}
const blob = (bytes: Buffer): Blob => new Blob([new Uint8Array(bytes)])
const json = (body: object, headers: Record<string, string> = {}): Promise<Response> =>
  server.fetch('/api/v4/dam/assets/', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const downloaded = async (asset: Asset): Promise<string> =>
  sha256(Buffer.from(await (await server.fetch(asset.download_url)).arrayBuffer()))

test('a form with a file makes an asset with what its metadata says', async () => {
  const bytes = bytesOf(100_000)
  const metadata = {
    label: 'A title',
    description: 'About it',
    tags: ['red', 'blue'],
    relative_path: 'Trips/2024/photo.bin',
    checksum: sha256(bytes),
  }
  for (const [n, path] of ['/api/v4/dam/assets/', '/api/v4/dam/assets/upload/'].entries()) {
    const order: [string, string | Blob, string?][] = [
      ['metadata', JSON.stringify(metadata)],
      ['file', blob(bytes), 'photo.bin'],
    ]
    const response = await send(n === 0 ? order : order.reverse(), {}, path)
    expect(response.status).toBe(201)
    const asset = (await response.json()) as Asset
    expect(response.headers.get('location')).toBe(asset.url)
    expect(asset).toMatchObject({
      label: 'A title',
      description: 'About it',
      tags: ['red', 'blue'],
      filename: 'photo.bin',
      size: 100_000,
      checksum: sha256(bytes),
      status: 'processing',
    })
    expect(asset.collections.map((collection) => collection.path)).toEqual(['Trips/2024'])
    expect(await downloaded(asset)).toBe(sha256(bytes))
  }
})

test('plain text parts work too, and the file name is text', async () => {
  const response = await send([
    ['file', blob(bytesOf(10)), 'Zoë 日本 "x".bin'],
    ['label', 'Plain'],
    ['tags', 'a, b'],
  ])
  const asset = (await response.json()) as Asset
  expect(asset).toMatchObject({ label: 'Plain', tags: ['a', 'b'] })
  expect(asset.filename).toMatch(/^Zoë 日本 .*x.*\.bin$/)
})

test.each([
  ['no file', [['metadata', '{}']], 422, 'validation-failed'],
  ['an empty file', [['file', new Blob([]), 'empty.jpg']], 422, 'validation-failed'],
  [
    'metadata that is no JSON',
    [
      ['metadata', '{'],
      ['file', blob(bytesOf(5)), 'a'],
    ],
    400,
    'invalid-request',
  ],
  [
    'metadata with unknown fields',
    [
      ['metadata', '{"colour":1}'],
      ['file', blob(bytesOf(5)), 'a'],
    ],
    400,
    'unknown-field',
  ],
  [
    'a prototype in its metadata',
    [
      ['metadata', '{"__proto__":{"polluted":1},"constructor":{"prototype":1}}'],
      ['file', blob(bytesOf(5)), 'a'],
    ],
    400,
    'unknown-field',
  ],
  [
    'two files',
    [
      ['file', blob(bytesOf(5)), 'a'],
      ['file', blob(bytesOf(5)), 'b'],
    ],
    400,
    'invalid-request',
  ],
  ['the file under another name', [['upload', blob(bytesOf(5)), 'a']], 400, 'invalid-request'],
  ['a file that is too large', [['file', blob(bytesOf(5_100_000)), 'a']], 413, 'payload-too-large'],
  [
    'a collection that does not exist',
    [
      ['metadata', '{"collection":99999}'],
      ['file', blob(bytesOf(5)), 'a'],
    ],
    404,
    'collection-not-found',
  ],
  [
    'the checksum of something else',
    [
      ['metadata', JSON.stringify({ checksum: sha256(bytesOf(3)) })],
      ['file', blob(bytesOf(5)), 'a'],
    ],
    460,
    'checksum-mismatch',
  ],
] as [string, [string, string | Blob, string?][], number, string][])(
  'a form with %s is refused',
  async (_, parts, status, code) => {
    const before = await server.database.row(sql`select count(*)::int as n from asset`)
    const response = await send(parts)
    expect(response.status).toBe(status)
    expect(await codeOf(response)).toBe(code)
    expect(await server.database.row(sql`select count(*)::int as n from asset`)).toEqual(before)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  },
)

test('a body that is no form, or ends early, is refused', async () => {
  const post = (type: string, body: string): Promise<Response> =>
    server.fetch('/api/v4/dam/assets/', { method: 'POST', headers: { 'content-type': type }, body })
  expect(
    (
      await post(
        'multipart/form-data; boundary=x',
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
      )
    ).status,
  ).toBe(400)
  expect((await post('multipart/form-data; boundary=x', 'nonsense')).status).toBe(400)
  expect((await post('multipart/form-data', 'nonsense')).status).toBe(400)
  expect((await post('text/plain', 'nonsense')).status).toBe(415)
})

test('an asset of bytes that are here needs no bytes', async () => {
  const bytes = bytesOf(5_000)
  const first = (await (await send([['file', blob(bytes), 'first.bin']])).json()) as Asset
  const response = await json({ checksum: first.checksum, filename: 'second.bin', relative_path: 'Copies/second.bin' })
  expect(response.status).toBe(201)
  const second = (await response.json()) as Asset
  expect(second).toMatchObject({ filename: 'second.bin', checksum: first.checksum, duplicates: [{ id: first.id }] })
  expect(await downloaded(second)).toBe(first.checksum)
  const unknown = await json({ checksum: sha256(bytesOf(4)), filename: 'x' })
  expect(unknown.status).toBe(404)
  await server.database.run(sql`update asset set trashed_at = now() where sha256 = ${first.checksum}`)
  expect((await json({ checksum: first.checksum, filename: 'x' })).status).toBe(404)
})

test('the same Idempotency-Key makes one asset, by form and by checksum', async () => {
  const bytes = bytesOf(3_000)
  const headers = { 'idempotency-key': 'form-once' }
  const form: [string, Blob, string][] = [['file', blob(bytes), 'once.bin']]
  const both = await Promise.all([send(form, headers), send(form, headers)])
  const assets = (await Promise.all([...both, await send(form, headers)].map((response) => response.json()))) as Asset[]
  expect(new Set(assets.map((asset) => asset.id)).size).toBe(1)
  expect((await send([['file', blob(bytesOf(3_000)), 'once.bin']], headers)).status).toBe(409)
  const body = { checksum: sha256(bytes), filename: 'again.bin' }
  const copies = [
    await json(body, { 'idempotency-key': 'json-once' }),
    await json(body, { 'idempotency-key': 'json-once' }),
  ]
  const ids = await Promise.all(copies.map(async (response) => ((await response.json()) as Asset).id))
  expect(ids[0]).toBe(ids[1])
  expect(await server.database.row(sql`select count(*)::int as n from asset where sha256 = ${sha256(bytes)}`)).toEqual({
    n: 2,
  })
})

test('the pre-flight finds what the caller may see, and nothing else', async () => {
  const [here, trashed] = [bytesOf(2_000), bytesOf(2_001)]
  const asset = (await (await send([['file', blob(here), 'here.bin']])).json()) as Asset
  await send([['file', blob(trashed), 'trashed.bin']])
  await server.database.run(sql`update asset set trashed_at = now() where sha256 = ${sha256(trashed)}`)
  const response = await server.fetch('/api/v4/uploads/preflight/', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      files: [
        { checksum: sha256(here), size: 2_000 },
        { checksum: sha256(here), size: 1 },
        { checksum: sha256(trashed), size: 2_001 },
        { checksum: sha256(bytesOf(1)), size: 1 },
      ],
    }),
  })
  const { results } = (await response.json()) as { results: { duplicate: { id: number } | null }[] }
  expect(results.map(({ duplicate }) => duplicate?.id ?? null)).toEqual([asset.id, null, null, null])
})
