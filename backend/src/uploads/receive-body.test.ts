import { createHash } from 'node:crypto'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { IncomingFile } from '../storage/incoming-file.ts'
import { receiveBody } from './receive-body.ts'
import { bytesOf } from './testing/tus.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'dam-receive-'))
})
afterAll(async () => {
  for (const file of files) await file[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const files: IncomingFile[] = []
let count = 0
async function newFile(): Promise<{ file: IncomingFile; content: () => Promise<Buffer> }> {
  const name = path.join(folder, String(count++))
  const handle = await open(name, 'wx+')
  const file = new IncomingFile({
    handle,
    sizeBytes: 0,
    crc32: 0,
    beforeFirstSync: async () => undefined,
    onSyncFailed: () => undefined,
  })
  files.push(file)
  return { file, content: () => readFile(name) }
}

test('a body of any chunks becomes the file, with its checksums', async () => {
  const bytes = bytesOf(5_000_000)
  const source = new PassThrough()
  const { file, content } = await newFile()
  const hash = createHash('sha1')
  const received = receiveBody({ source, file, mostBytes: bytes.length, hash })
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 90_001)
    source.write(Buffer.from(bytes.subarray(at, at + size)))
  source.end()
  expect(await received).toEqual({ receivedBytes: bytes.length, end: 'complete' })
  expect(await content()).toEqual(bytes)
  expect(file.crc32).toBe(crc32(bytes))
  expect(hash.digest('hex')).toBe(createHash('sha1').update(bytes).digest('hex'))
})

test('long bodies are committed on the way', async () => {
  const source = new PassThrough()
  const { file } = await newFile()
  const commits: number[] = []
  const received = receiveBody({
    source,
    file,
    mostBytes: 1e9,
    checkpoint: { everyBytes: 1_000_000, everyMs: 60_000, commit: async () => void commits.push(file.sizeBytes) },
  })
  for (let n = 0; n < 40; n++) {
    source.write(bytesOf(100_000))
    await sleep(1)
  }
  source.end()
  await received
  expect(commits.length).toBeGreaterThanOrEqual(2)
  for (const [n, at] of commits.entries()) expect(at - (commits[n - 1] ?? 0)).toBeGreaterThanOrEqual(1_000_000)
})

test('on a slow line less is committed too, after a time', async () => {
  const source = new PassThrough()
  const { file } = await newFile()
  const committed = Promise.withResolvers<number>()
  const received = receiveBody({
    source,
    file,
    mostBytes: 1e9,
    checkpoint: { everyBytes: 1e9, everyMs: 100, commit: async () => committed.resolve(file.sizeBytes) },
  })
  source.write(Buffer.from('slowly'))
  expect(await committed.promise).toBe(6)
  source.end()
  expect(await received).toEqual({ receivedBytes: 6, end: 'complete' })
})

test('a client that falls silent is let go, and what it sent is there', async () => {
  const source = new PassThrough()
  const { file, content } = await newFile()
  source.write(Buffer.from('first words'))
  expect(await receiveBody({ source, file, mostBytes: 1_000, idleMs: 150 })).toEqual({
    receivedBytes: 11,
    end: 'silent',
  })
  expect((await content()).toString()).toBe('first words')
})

test('waiting for our own disk does not count as silence', async () => {
  const source = new PassThrough()
  const { file } = await newFile()
  file.append = () => sleep(400)
  const received = receiveBody({ source, file, mostBytes: 1e9, idleMs: 150 })
  source.write(bytesOf(2_000_000))
  source.end()
  expect((await received).end).toBe('complete')
})

test('a cut connection, an interruption and an excess end it, each with its name', async () => {
  const cut = new PassThrough()
  const one = receiveBody({ source: cut, file: (await newFile()).file, mostBytes: 100 })
  cut.write(Buffer.from('x'))
  cut.destroy(new Error('ECONNRESET'))
  expect((await one).end).toBe('cut')

  const stop = new AbortController()
  const two = receiveBody({
    source: new PassThrough(),
    file: (await newFile()).file,
    mostBytes: 100,
    signal: stop.signal,
  })
  stop.abort('look')
  expect((await two).end).toBe('interrupted')

  const long = new PassThrough()
  const { file, content } = await newFile()
  const three = receiveBody({ source: long, file, mostBytes: 100 })
  long.end(Buffer.alloc(101))
  expect(await three).toEqual({ receivedBytes: 0, end: 'too-long' })
  expect(await content()).toHaveLength(0)
})
