// One raw part of ingest in a process of its own; tells its CPU time when it is done.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import path from 'node:path'
import { cpuByRole, total } from './process-tree.ts'
import { inParallel } from './upload.ts'

const [part, input] = [
  process.argv[2],
  JSON.parse(process.argv[3] ?? '{}') as { files?: string[]; dir?: string; port?: number; bytes?: number },
]
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

if (part === 'pictures') {
  // Two renditions from one decode, as small as it gets with libvips.
  const { default: sharp } = await import('sharp')
  sharp.concurrency(1)
  sharp.cache(false)
  const before = cpuMs()
  await inParallel(input.files ?? [], 2, async (file) => {
    const { data, info } = await sharp(file, { autoOrient: true })
      .resize({ width: 1440, height: 1440, fit: 'inside' })
      .raw()
      .toBuffer({ resolveWithObject: true })
    const pixels = { raw: { width: info.width, height: info.height, channels: info.channels } }
    await sharp(data, pixels).jpeg({ quality: 80 }).toBuffer()
    await sharp(data, pixels).resize({ width: 250, height: 250, fit: 'inside' }).jpeg({ quality: 80 }).toBuffer()
  })
  answer(cpuMs() - before)
} else if (part === 'exiftool') {
  const script = createRequire(import.meta.url)('exiftool-vendored.pl') as string
  const child = spawn('perl', [script, '-fast', '-json', '-G1', '-all', ...(input.files ?? [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let bytes = 0
  child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length))
  const before = total(cpuByRole(process.pid)) - cpuMs()
  await once(child, 'close')
  if (bytes === 0) throw new Error('exiftool said nothing; is perl installed?')
  answer(total(cpuByRole(process.pid)) - cpuMs() - before)
} else if (part === 'store') {
  let number = 0
  let before = 0
  const server = createServer((request, response) => {
    if (number === 0) before = cpuMs()
    void receive(request, path.join(input.dir ?? '', `stored-${number++}`)).then((size) => {
      response.writeHead(201, { 'upload-offset': String(size) }).end()
    })
  })
  server.listen(input.port, '127.0.0.1', () => process.send?.('ready'))
  process.once('message', () => answer(cpuMs() - before))
} else if (part === 'serve') {
  const bytes = Buffer.alloc(input.bytes ?? 0, 7)
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'image/webp', 'content-length': bytes.length }).end(bytes),
  )
  server.listen(input.port, '127.0.0.1', () => process.send?.('ready'))
  process.once('disconnect', () => process.exit())
} else {
  throw new Error(`There is no raw part ${String(part)}.`)
}

/** Bytes to disk, hashed and synced. */
async function receive(request: IncomingMessage, file: string): Promise<number> {
  await using handle = await open(file, 'w')
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk)
    await handle.write(chunk)
    size += chunk.length
  }
  await handle.datasync()
  hash.digest()
  return size
}

function answer(ms: number): void {
  process.send?.({ cpuMs: ms }, () => process.exit())
}
