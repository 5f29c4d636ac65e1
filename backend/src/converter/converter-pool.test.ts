import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { deflateSync, crc32 } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RenderedPreviews } from '../ingest/types.ts'
import { searchPath } from '../testing/config.ts'
import { testConverter, type TestConverter } from '../testing/converter.ts'
import { coloursOf, pdfOfPages, quarters } from '../testing/pictures.ts'
import { decodeWithSharp } from './providers/sharp-image.ts'
import type { ConverterPool } from './converter-pool.ts'
import { findSandbox } from './sandbox.ts'
import { findTools } from './tools.ts'

let converter: TestConverter
beforeAll(async () => {
  converter = await testConverter()
})
afterAll(() => converter[Symbol.asyncDispose]())

let count = 0
async function put(name: string, bytes: Buffer | string, in_ = converter): Promise<string> {
  const path = join(in_.folder, `${++count}-${name}`)
  await writeFile(path, bytes)
  return path
}

async function preview(pool: ConverterPool, scratch: string, path: string, filename = path) {
  const identity = await pool.identify({ path, filename })
  if (!identity.ok) return { error: identity.error }
  const metadata = await pool.readMetadata({ path, identified: identity.value })
  const identified = (metadata.ok && metadata.value.refined) || identity.value
  const outputFolder = join(scratch, `out-${++count}`)
  await mkdir(outputFolder, { recursive: true })
  const rendered = await pool.render({
    path,
    identified,
    measures: metadata.ok ? metadata.value.measures : {},
    raw: {},
    outputFolder,
  })
  return rendered.ok ? { identified, rendered: rendered.value } : { identified, error: rendered.error }
}

const fileOf = (rendered: RenderedPreviews | undefined, preset: string): string =>
  rendered?.renditions.find((file) => file.preset === preset)?.path ?? ''
const upright = ['red', 'green', 'blue', 'white']

/** How a camera that is held in orientation n stores a picture. */
const turned: Record<number, (picture: Sharp) => Sharp> = {
  1: (p) => p,
  2: (p) => p.flop(),
  3: (p) => p.rotate(180),
  4: (p) => p.flip(),
  5: (p) => p.flop().rotate(270),
  6: (p) => p.rotate(270),
  7: (p) => p.flop().rotate(90),
  8: (p) => p.rotate(90),
}

describe('previews', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('a JPEG of orientation %i stands upright', async (orientation) => {
    const pixels = turned[orientation]!(quarters(640, 400))
    const stored = await sharp(await pixels.png().toBuffer())
      .jpeg({ quality: 95 })
      .withMetadata({ orientation })
      .toBuffer()
    const { rendered } = await preview(converter.pool, converter.scratch, await put('photo.jpg', stored))
    expect(rendered?.measures).toEqual({ width: 640, height: 400 })
    expect(await coloursOf(fileOf(rendered, 'preview'))).toEqual(upright)
    expect(await coloursOf(fileOf(rendered, 'thumbnail'))).toEqual(upright)
    expect(Buffer.from(rendered?.placeholder ?? '', 'base64').length).toBeGreaterThan(10)
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'a picture stored inside a RAW file of orientation %i stands upright',
    async (orientation) => {
      const path = await put('inner.png', await turned[orientation]!(quarters(600, 400)).png().toBuffer())
      const { picture, measures } = await decodeWithSharp(path, orientation)
      const shown = await put('shown.png', await picture.png().toBuffer())
      expect(measures).toEqual({ width: 600, height: 400 })
      expect(await coloursOf(shown)).toEqual(upright)
    },
  )

  test('large pictures shrink to the preset boxes, small ones are never enlarged', async () => {
    const large = await preview(
      converter.pool,
      converter.scratch,
      await put('large.jpg', await quarters(3000, 2000).jpeg().toBuffer()),
    )
    expect(
      large.rendered?.renditions.map(({ preset, width, height, mimeType }) => ({ preset, width, height, mimeType })),
    ).toEqual([
      { preset: 'preview', width: 1440, height: 960, mimeType: 'image/jpeg' },
      { preset: 'thumbnail', width: 480, height: 320, mimeType: 'image/webp' },
    ])
    const small = await preview(
      converter.pool,
      converter.scratch,
      await put('small.png', await quarters(20, 10).png().toBuffer()),
    )
    expect(small.rendered?.renditions.map(({ width, height }) => [width, height])).toEqual([
      [20, 10],
      [20, 10],
    ])
  })

  test.each([
    ['photo.png', () => quarters(300, 200).toColourspace('rgb16').png().toBuffer()],
    ['photo.webp', () => quarters(300, 200).webp({ quality: 95 }).toBuffer()],
    ['photo.tif', () => quarters(300, 200).tiff().toBuffer()],
    ['photo.avif', () => quarters(300, 200).avif({ quality: 90 }).toBuffer()],
    ['photo.gif', () => quarters(300, 200).gif().toBuffer()],
    ['print.jpg', () => quarters(300, 200).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer()],
    ['wide.jpg', () => quarters(300, 200).jpeg({ quality: 95 }).withIccProfile('p3').toBuffer()],
    [
      'drawing.svg',
      () =>
        Buffer.from(
          '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><path fill="#f00" d="M0 0h150v100H0z"/><path fill="#0f0" d="M150 0h150v100H150z"/><path fill="#00f" d="M0 100h150v100H0z"/><path fill="#fff" d="M150 100h150v100H150z"/></svg>',
        ),
    ],
  ])('%s keeps its colours', async (name, make) => {
    const { rendered } = await preview(converter.pool, converter.scratch, await put(name, await make()))
    expect(rendered?.measures).toMatchObject({ width: 300, height: 200 })
    expect(await coloursOf(fileOf(rendered, 'preview'))).toEqual(upright)
  })

  test('transparency stays, and an alpha channel that hides nothing costs nothing', async () => {
    const clear = await preview(
      converter.pool,
      converter.scratch,
      await put(
        'clear.png',
        await sharp({ create: { width: 50, height: 50, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } } })
          .png()
          .toBuffer(),
      ),
    )
    expect(clear.rendered?.renditions[0]?.mimeType).toBe('image/webp')
    const { data } = await sharp(fileOf(clear.rendered, 'preview')).raw().toBuffer({ resolveWithObject: true })
    expect([...data.subarray(0, 4)].map((value) => Math.round(value / 16))).toEqual([16, 0, 0, 8])
    const opaque = await preview(
      converter.pool,
      converter.scratch,
      await put('opaque.png', await quarters(50, 50).ensureAlpha().png().toBuffer()),
    )
    expect(opaque.rendered?.renditions[0]?.mimeType).toBe('image/jpeg')
  })

  test('an animation shows its first frame and says that it moves', async () => {
    const frames = await Promise.all(
      ['#f00', '#00f'].map((background) =>
        sharp({ create: { width: 40, height: 30, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    )
    const { rendered } = await preview(
      converter.pool,
      converter.scratch,
      await put(
        'moving.gif',
        await sharp(frames, { join: { animated: true } })
          .gif()
          .toBuffer(),
      ),
    )
    expect(rendered?.measures).toEqual({ width: 40, height: 30, animated: true })
    expect((await coloursOf(fileOf(rendered, 'preview')))[0]).toBe('red')
  })

  test('a PDF shows its first page and counts its pages', async () => {
    const { rendered } = await preview(converter.pool, converter.scratch, await put('paper.pdf', pdfOfPages(3)))
    expect(rendered?.measures).toEqual({ width: 298, height: 420, pageCount: 3 })
  })
})

describe('bytes decide, not names', () => {
  test.each([
    ['holiday.jpg', () => quarters(20, 20).png().toBuffer(), 'image/png', { claimed: 'jpg', actual: 'png' }],
    ['table.csv', () => Buffer.from('a,b\n1,2\n'), 'text/csv', undefined],
    ['notes', () => Buffer.from('Привет, мир'), 'text/plain', undefined],
    [
      'picture.png',
      () => Buffer.from('<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg"/>'),
      'image/svg+xml',
      { claimed: 'png', actual: 'svg' },
    ],
    [
      'page.jpg',
      () => Buffer.from('<!DOCTYPE html><script>alert(1)</script>'),
      'text/html',
      { claimed: 'jpg', actual: 'html' },
    ],
    [
      'push.jpg',
      () => Buffer.from('push graphic-context\nfill url(https://127.0.0.1/)\npop graphic-context'),
      'image/x-mvg',
      { claimed: 'jpg', actual: 'mvg' },
    ],
    [
      'noise.jpg',
      () => Buffer.from(Array.from({ length: 400 }, (_, n) => (n * 89) % 251)),
      'application/octet-stream',
      { claimed: 'jpg', actual: 'application/octet-stream' },
    ],
  ])('%s is what it holds', async (name, make, mimeType, mismatch) => {
    const identity = await converter.pool.identify({ path: await put('blob', await make()), filename: name })
    expect(identity).toMatchObject({ ok: true, value: { mimeType } })
    expect(identity.ok && identity.value.mismatch).toEqual(mismatch)
  })
})

test('without any program on the machine photos still have metadata and previews, and the timeline says what is missing', async () => {
  await using bare = await testConverter({ tools: {} })
  const photo = await quarters(300, 200)
    .jpeg()
    .withExif({ IFD0: { Make: 'Canon' }, IFD2: { DateTimeOriginal: '2022:08:22 20:30:46' } })
    .toBuffer()
  const path = await put('photo.jpg', photo, bare)
  const identity = await bare.pool.identify({ path, filename: 'photo.jpg' })
  const identified = identity.ok ? identity.value : undefined
  const metadata = identified && (await bare.pool.readMetadata({ path, identified }))
  expect(metadata).toMatchObject({
    ok: true,
    value: {
      fields: { camera_make: 'Canon', captured_at: '2022-08-22T20:30:46' },
      warnings: [expect.stringContaining('Perl')],
    },
  })
  expect((await preview(bare.pool, bare.scratch, path)).rendered?.measures).toEqual({ width: 300, height: 200 })
})

describe('bad files', () => {
  test('an empty file is told so', async () => {
    expect(await preview(converter.pool, converter.scratch, await put('empty.jpg', ''))).toMatchObject({
      error: { kind: 'failed', code: 'empty-file' },
    })
  })

  test('a cut JPEG shows what is there and says that it is damaged', async () => {
    const whole = await quarters(800, 600).jpeg({ quality: 95 }).toBuffer()
    const { rendered } = await preview(
      converter.pool,
      converter.scratch,
      await put('cut.jpg', whole.subarray(0, Math.floor(whole.length * 0.6))),
    )
    expect(rendered?.damage).toMatch(/damaged/)
    expect((await coloursOf(fileOf(rendered, 'preview'))).slice(0, 2)).toEqual(['red', 'green'])
  })

  test('a small file of 900 megapixels is refused from its header', async () => {
    expect(
      await preview(converter.pool, converter.scratch, await put('flood.png', pngOf(30_000, 30_000))),
    ).toMatchObject({ error: { kind: 'refused', code: 'too-many-pixels' } })
  })

  test('a drawing reaches neither the network nor a file', async () => {
    let hits = 0
    const server = createServer((socket) => {
      hits++
      socket.destroy()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const secret = await put('secret.png', await quarters(100, 100).png().toBuffer())
    const drawing = `<!DOCTYPE svg [<!ENTITY e SYSTEM "http://127.0.0.1:${port}/e"><!ENTITY f "${secret}">]>
      <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100" height="100"><script>fetch("http://127.0.0.1:${port}/")</script>
      <image href="http://127.0.0.1:${port}/a.png" width="100" height="100"/><image xlink:href="${secret}" width="100" height="100"/><image xlink:href="&f;" width="100" height="100"/>
      <image href="file://${secret}" width="100" height="100"/></svg>`
    const { rendered, error } = await preview(converter.pool, converter.scratch, await put('spy.svg', drawing))
    server.close()
    expect(hits).toBe(0)
    if (rendered) expect(await coloursOf(fileOf(rendered, 'preview'))).toEqual(['black', 'black', 'black', 'black'])
    else expect(error?.kind).toBe('failed')
  })

  test('a playlist dressed as a film is not opened as a playlist', async () => {
    const secret = await put('secret.ts', 'marker')
    const result = await preview(
      converter.pool,
      converter.scratch,
      await put('film.mp4', `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`),
    )
    expect(result.error?.kind).toBe('unavailable')
    expect(result.identified?.mimeType).toBe('text/plain')
  })
})

test('a message names neither folders of the server nor bytes of the file', async () => {
  const { error } = await preview(
    converter.pool,
    converter.scratch,
    await put('film.webm', Buffer.concat([Buffer.from('1a45dfa3934282847765626d', 'hex'), Buffer.alloc(3000, 7)])),
  )
  expect(error?.message).toMatch(/^[\x20-\x7e]+$/)
  expect(error?.message).not.toContain(converter.folder)
})

describe('the processes', () => {
  test('files that were inside a killed converter are tried again and succeed', async () => {
    await using own = await testConverter()
    const path = await put('photo.jpg', await quarters(4000, 3000).jpeg().toBuffer(), own)
    await own.pool.identify({ path, filename: 'photo.jpg' })
    const work = Promise.all([1, 2, 3].map(() => preview(own.pool, own.scratch, path)))
    await sleep(60)
    for (const pid of own.pool.pids) process.kill(pid, 'SIGKILL')
    for (const { rendered } of await work) expect(rendered?.measures).toEqual({ width: 4000, height: 3000 })
  })

  test('a converter that hangs is killed after its time, the file is tried once more, and others go on', async () => {
    await using own = await testConverter({ bounds: { imageMs: 1_500 } })
    const path = await put('photo.jpg', await quarters(2000, 1500).jpeg().toBuffer(), own)
    await own.pool.identify({ path, filename: 'photo.jpg' })
    const stopped = await nodesBelow(own.pool.pids)
    for (const pid of stopped) process.kill(pid, 'SIGSTOP')
    const outputFolder = join(own.scratch, 'hang')
    await mkdir(outputFolder)
    const identified = { mimeType: 'image/jpeg', extension: 'jpg', type: 'image' as const, claimed: 'jpg' }
    expect(await own.pool.render({ path, identified, measures: {}, raw: {}, outputFolder })).toMatchObject({ ok: true })
    expect(stopped.length).toBeGreaterThan(0)
    for (const pid of stopped) expect(existsSync(`/proc/${pid}`)).toBe(false)
  })

  test('a file that needs too much memory is refused, and the next one works', async () => {
    await using own = await testConverter({ bounds: { treeBytes: 150 * 1024 * 1024 } })
    // Interlaced, so that all of it must be in memory at once.
    const large = sharp({ create: { width: 9000, height: 9000, channels: 3, background: '#369' } })
    const path = await put('photo.png', await large.png({ progressive: true, compressionLevel: 1 }).toBuffer(), own)
    const outputFolder = join(own.scratch, 'memory')
    await mkdir(outputFolder, { recursive: true })
    const identified = { mimeType: 'image/png', extension: 'png', type: 'image' as const, claimed: 'png' }
    expect(await own.pool.render({ path, identified, measures: {}, raw: {}, outputFolder })).toMatchObject({
      ok: false,
      error: { kind: 'refused', code: 'too-much-memory' },
    })
    expect(await own.pool.identify({ path, filename: 'photo.png' })).toMatchObject({ ok: true })
  })

  test('idle converters end, and a worn one is replaced without losing a file', async () => {
    await using own = await testConverter({ idleMs: 150, filesPerProcess: 1 })
    const path = await put('photo.jpg', await quarters(900, 600).jpeg().toBuffer(), own)
    const results = await Promise.all(Array.from({ length: 8 }, () => preview(own.pool, own.scratch, path)))
    expect(results.map(({ rendered }) => rendered?.measures.width)).toEqual(Array.from({ length: 8 }, () => 900))
    for (let waited = 0; own.pool.pids.length > 0 && waited < 100; waited++) await sleep(50)
    expect(own.pool.pids).toEqual([])
  })

  test('inside the sandbox there is no network and nothing of our environment', async ({ skip }) => {
    const sandbox = findSandbox(findTools(searchPath))
    if (sandbox.kind === 'none') skip('this machine allows no sandbox')
    const server = createServer((socket) => socket.destroy())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    const script = `require('node:net').connect(${port}, '127.0.0.1').once('connect', () => console.log('connected')).once('error', (e) => console.log(e.code))`
    const [program, ...args] = sandbox.wrap([process.execPath, '-e', script], { readable: [], writable: [] })
    const { stdout } = await promisify(execFile)(program, args)
    server.close()
    expect(stdout.trim()).toMatch(/^E(CONNREFUSED|NETUNREACH)$/)
  })
})

/** Node processes among these and their descendants. */
async function nodesBelow(pids: readonly number[]): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args='])
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .flatMap((m) => (m ? [{ pid: Number(m[1]), parent: Number(m[2]), args: m[3] ?? '' }] : []))
  const inside = new Set(pids)
  for (let grown = -1; grown !== inside.size;) {
    grown = inside.size
    for (const { pid, parent } of rows) if (inside.has(parent)) inside.add(pid)
  }
  return rows.filter(({ pid, args }) => inside.has(pid) && args.startsWith('dam: converter')).map(({ pid }) => pid)
}

/** A PNG of one colour whose size is only claimed and cheap to claim. */
function pngOf(width: number, height: number): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([1, 0, 0, 0, 0], 8)
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
    const frame = Buffer.alloc(8)
    frame.writeUInt32BE(data.length, 0)
    frame.writeUInt32BE(crc32(body), 4)
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
  }
  const line = Buffer.alloc(Math.ceil(width / 8) + 1)
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(Array.from({ length: 64 }, () => line)))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}
