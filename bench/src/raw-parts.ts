import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { config } from './config.ts'
import { createClient } from './http-client.ts'
import { makeUnique, type Photo } from './photos.ts'
import { median } from './report.ts'
import { inParallel, uploadInOneRequest } from './upload.ts'

/** CPU milliseconds for one photo of each part that nobody can leave out. */
export type RawParts = { count: number; pictures: number; exiftool: number; store: number; storeMedianMs: number }

/** Measures the raw parts on `count` photos: each in a process of its own, two at a time as a server on two cores would. */
export async function measureRawParts(photos: readonly Photo[], count: number): Promise<RawParts> {
  const dir = path.join(config.scratchDir, 'raw-parts')
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  try {
    const files = Array.from({ length: count }, (_, index) => path.join(dir, `${index}.jpg`))
    for (const [index, file] of files.entries())
      writeFileSync(file, makeUnique((photos[index % photos.length] as Photo).bytes))
    const pictures = await runPart('pictures', { files })
    const exiftool = await runPart('exiftool', { files })
    const { cpuMs: store, medianMs: storeMedianMs } = await measureStore(dir, photos, count)
    return { count, pictures: pictures / count, exiftool: exiftool / count, store: store / count, storeMedianMs }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

type PartInput = { files?: readonly string[]; dir?: string; port?: number; bytes?: number }

const startPart = (part: string, input: PartInput) =>
  fork(fileURLToPath(new URL('./raw-part-main.ts', import.meta.url)), [part, JSON.stringify(input)], {
    env: { ...process.env, MALLOC_ARENA_MAX: '2' },
  })

async function runPart(part: string, input: PartInput): Promise<number> {
  const child = startPart(part, input)
  const [answer] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) =>
      Promise.reject(new Error(`The raw part ${part} ended early (${String(code)}).`)),
    ),
  ])) as [{ cpuMs: number }]
  return answer.cpuMs
}

async function measureStore(
  dir: string,
  photos: readonly Photo[],
  count: number,
): Promise<{ cpuMs: number; medianMs: number }> {
  const port = config.port + 1
  const child = startPart('store', { dir, port })
  await once(child, 'message')
  const upload = uploadInOneRequest(createClient(`http://127.0.0.1:${port}`), '/')
  const times = await inParallel(Array.from({ length: count }), 4, (_, index) => {
    const photo = photos[index % photos.length] as Photo
    return upload({ name: photo.name, bytes: makeUnique(photo.bytes) })
  })
  const answer = once(child, 'message') as Promise<[{ cpuMs: number }]>
  child.send('stop')
  return { cpuMs: (await answer)[0].cpuMs, medianMs: median(times) }
}

/** A bare Node.js server that answers everything with that many bytes from memory: what HTTP alone costs. */
export async function serveBytes(bytes: number): Promise<Disposable & { origin: string }> {
  const port = config.port + 1
  const child = startPart('serve', { bytes, port })
  await once(child, 'message')
  return { origin: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => child.kill() }
}
