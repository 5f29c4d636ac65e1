// The program of a miniature release; miniature-release.ts copies it into one. It imports nothing of the product.
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Faults } from './miniature-release.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const read = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8'))
const { tag } = read('release.json') as { tag: string }
const startedAt = performance.now()
const ballast: Buffer[] = []
let faults = read('faults.json') as Faults
setInterval(() => {
  try {
    faults = read('faults.json') as Faults
  } catch {
    // Being written at this moment.
  }
}, 250)

const role = process.argv[2]
process.title = `dam: ${String(role)}`
if (faults.crashAtBoot || (role === 'worker' && faults.workerCrash)) {
  console.error(`miniature ${tag} ${String(role)}: cannot find module 'flux-capacitor'`)
  process.exit(1)
}
if (faults.crashAfterSeconds !== undefined) {
  setTimeout(() => {
    console.error(`miniature ${tag}: out of plutonium`)
    process.exit(7)
  }, faults.crashAfterSeconds * 1000)
}
setInterval(() => {
  const megabytes = faults.leakMegabytesPerSecond ?? 0
  if (megabytes > 0) ballast.push(Buffer.alloc((megabytes * 1024 ** 2) / 4, 1))
}, 250)
const blockEveryMs = 3_000
setInterval(() => {
  if (performance.now() - startedAt < (faults.afterSeconds ?? 0) * 1000) return
  const until = performance.now() + (faults.blockMs ?? 0)
  while (performance.now() < until);
}, blockEveryMs)

if (role === 'web') {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = request.url ?? '/'
    const body = request.method === 'POST' || request.method === 'PATCH' ? await sizeOf(request) : 0
    if (url === '/readyz') {
      if (faults.readiness === 'hanging') return
      const isReady = faults.readiness !== 'failing'
      response.writeHead(isReady ? 200 : 503, { 'x-dam-release': faults.wrongTag ?? tag, 'content-type': 'text/plain' })
      response.end(isReady ? `ready ${tag.slice(1)}\n` : 'not ready\n')
      return
    }
    if (url === '/health') {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ status: 'healthy', version: tag.slice(1) }))
      return
    }
    const isDue = performance.now() - startedAt > (faults.afterSeconds ?? 0) * 1000
    const isMeant = faults.errorRoute === undefined || url.startsWith(faults.errorRoute)
    if (isDue && isMeant && faults.slowMs && Math.random() < (faults.slowShare ?? 1)) await sleep(faults.slowMs)
    const fails = isDue && isMeant && Math.random() < (faults.errorRate ?? 0)
    response.writeHead(fails ? 500 : 200, { 'content-type': 'application/json', 'x-served-by': tag })
    response.end(JSON.stringify(fails ? { error: 'miniature' } : { tag, url, body, slot: process.env['DAM_SLOT'] }))
  }
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()))
  server.listen(Number(process.env['PORT']), process.env['HOST'])
  const end = (): void => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
    setTimeout(() => process.exit(0), 1_000).unref()
  }
  process.on('SIGTERM', end)
} else process.on('SIGTERM', () => process.exit(0))

async function sizeOf(stream: AsyncIterable<Buffer>): Promise<number> {
  let size = 0
  for await (const chunk of stream) size += chunk.length
  return size
}
