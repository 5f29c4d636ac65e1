import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { Upload, type UploadOptions } from 'tus-js-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Asset } from '@dam/contract'
import { sql } from '@dam/platform/database'
import { bytesOf, sha256 } from './testing/tus.ts'
import { startUploadServer, type UploadServer } from './testing/upload-server.ts'

let server: UploadServer
let headers: { authorization: string }
beforeAll(async () => {
  server = await startUploadServer()
  headers = (await server.signIn()).headers
})
afterAll(() => server[Symbol.asyncDispose]())

const send = (bytes: Buffer, options: Partial<UploadOptions>): Promise<void> =>
  new Promise((resolve, reject) => {
    new Upload(bytes, {
      endpoint: `${server.url}/api/v4/uploads/`,
      headers,
      retryDelays: [0, 100],
      metadata: { filename: 'peer.bin' },
      onSuccess: () => resolve(),
      onError: reject,
      ...options,
    }).start()
  })
const stored = async (bytes: Buffer): Promise<Asset> => {
  const row = await server.database.row<{ id: number }>(
    sql`select id from asset where sha256 = ${sha256(bytes)} order by id limit 1`,
  )
  const asset = (await (await server.fetch(`/api/v4/dam/assets/${row?.id}/`)).json()) as Asset
  expect(sha256(Buffer.from(await (await server.fetch(asset.download_url)).arrayBuffer()))).toBe(sha256(bytes))
  return asset
}

test.each([
  ['in one request', {}],
  ['in chunks', { chunkSize: 300_000 }],
  ['with its bytes in the creation', { uploadDataDuringCreation: true }],
  ['with its length told at the end', { uploadLengthDeferred: true, chunkSize: 400_000 }],
  ['in parallel parts', { parallelUploads: 4 }],
  ['with method override', { overridePatchMethod: true }],
] as [string, Partial<UploadOptions>][])('tus-js-client uploads a file %s', async (_, options) => {
  const bytes = bytesOf(1_500_000)
  await send(bytes, options)
  expect(await stored(bytes)).toMatchObject({ filename: 'peer.bin', size: bytes.length })
})

test('it pauses and resumes', async () => {
  const bytes = bytesOf(3_000_000)
  await new Promise<void>((resolve, reject) => {
    let paused = false
    const upload = new Upload(bytes, {
      endpoint: `${server.url}/api/v4/uploads/`,
      headers,
      chunkSize: 500_000,
      metadata: { filename: 'paused.bin' },
      onChunkComplete: (_size, sent) => {
        if (paused || sent < 1_000_000) return
        paused = true
        void upload.abort().then(() => upload.start())
      },
      onSuccess: () => resolve(),
      onError: reject,
    })
    upload.start()
  })
  await stored(bytes)
})

test('every difficult name of the corpus is stored, listed and downloaded', async () => {
  const corpus = path.join(
    process.env['DAM_CORPUS'] ?? path.join(import.meta.dirname, '../../../../shared/corpus'),
    'names',
  )
  const fixtures = [
    '  spaced .jpg ',
    "'; DROP TABLE asset;--.bmp",
    '<img src=x onerror=alert(1)>.svg',
    '-rf --help.png',
    'CON.jpg',
    'NUL',
    'back\\slash.png',
    '100%2F..%2f.png',
    'x\u202egpj.exe',
    'لغة.jpg',
    '🦊.jpg',
    `${'長'.repeat(83)}.jpg`,
  ]
  if (!existsSync(corpus)) console.log('No corpus (DAM_CORPUS): names of our own are used.')
  const names = existsSync(corpus) ? await readdir(corpus) : fixtures
  expect(names.length).toBeGreaterThan(10)
  for (const name of names) {
    const content = existsSync(corpus) ? await readFile(path.join(corpus, name)) : bytesOf(100)
    const bytes = Buffer.concat([content, Buffer.from(name)])
    await send(bytes, {
      metadata: { filename: name, relativePath: `corpus/names/${name}` },
      uploadDataDuringCreation: true,
    })
    const asset = await stored(bytes)
    const expected = name.normalize('NFC').replaceAll('\u202e', '')
    expect(asset.filename).toBe(expected)
    expect(asset.collections.map((collection) => collection.path)).toEqual(['corpus/names'])
    expect(asset.label).not.toBe('')
    const download = await server.fetch(asset.download_url, { method: 'HEAD' })
    const encoded = /filename\*=UTF-8''(.*)$/.exec(download.headers.get('content-disposition') ?? '')?.[1]
    expect(
      encoded === undefined
        ? /filename="(.*)"$/.exec(download.headers.get('content-disposition') ?? '')?.[1]
        : decodeURIComponent(encoded),
    ).toBe(expected)
  }
})
