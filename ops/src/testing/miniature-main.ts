// The program of a miniature release; miniature-release.ts copies it into one. It imports nothing of the product.
import { execFileSync } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Faults } from './miniature-release.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const read = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8'))
const { tag } = read('release.json') as { tag: string }
const faultsFile = join(root, 'faults.json')
const ballast: Buffer[] = []
let text = readFileSync(faultsFile, 'utf8')
let faults = JSON.parse(text) as Faults
let faultySince = performance.now()
setInterval(() => {
  try {
    const now = readFileSync(faultsFile, 'utf8')
    if (now === text) return
    faults = JSON.parse(now) as Faults
    text = now
    faultySince = performance.now()
    beginFaults()
  } catch {
    // Being written at this moment, or no file can be opened any more.
  }
}, 250)

const role = process.argv[2]
process.title = `dam: ${String(role)}`
if (faults.crashAtBoot || (role === 'worker' && faults.workerCrash)) {
  console.error(`miniature ${tag} ${String(role)}: cannot find module 'flux-capacitor'`)
  process.exit(1)
}
function beginFaults(): void {
  if (faults.crashAfterSeconds !== undefined) {
    setTimeout(() => {
      console.error(`miniature ${tag}: out of plutonium`)
      process.exit(7)
    }, faults.crashAfterSeconds * 1000)
  }
  if (faults.leakedFiles) execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=512:512'])
}
beginFaults()
setInterval(() => {
  const megabytes = faults.leakMegabytesPerSecond ?? 0
  if (megabytes > 0) ballast.push(Buffer.alloc((megabytes * 1024 ** 2) / 4, 1))
}, 250)
const isDue = (): boolean => performance.now() - faultySince > (faults.afterSeconds ?? 0) * 1000
// Asleep, not busy: other processes of the machine feel nothing of it.
const pause = new Int32Array(new SharedArrayBuffer(4))
const holdUp = (ms: number): void => void Atomics.wait(pause, 0, 0, ms)
const blockEveryMs = 3_000
setInterval(() => {
  if (faults.blockMs && isDue()) holdUp(faults.blockMs)
}, blockEveryMs)

if (role === 'web') {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = request.url ?? '/'
    const body = request.method === 'POST' || request.method === 'PATCH' ? await sizeOf(request) : 0
    if (url === '/readyz') {
      if (faults.readiness === 'hanging') return
      const isReady = faults.readiness !== 'failing' && (await hasWhatItNeeds())
      response.writeHead(isReady ? 200 : 503, { 'x-dam-release': faults.wrongTag ?? tag, 'content-type': 'text/plain' })
      response.end(isReady ? `ready ${tag.slice(1)}\n` : 'not ready\n')
      return
    }
    if (url === '/health') {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ status: 'healthy', version: tag.slice(1) }))
      return
    }
    const isHit = isDue() && (faults.errorRoute === undefined || url.startsWith(faults.errorRoute))
    if (faults.workMs) await sleep(faults.workMs)
    if (isHit && faults.slowMs && underWay >= (faults.slowFrom ?? 0) && Math.random() < (faults.slowShare ?? 1)) {
      await sleep(faults.slowMs)
    }
    if (isHit && faults.leakedTimerMs) setInterval(holdUp, 100, faults.leakedTimerMs)
    const fails =
      !(await hasWhatItNeeds()) ||
      (isHit && (Math.random() < (faults.errorRate ?? 0) || !opens(faults.leakedFiles ?? 0)))
    response.writeHead(fails ? 500 : 200, { 'content-type': 'application/json', 'x-served-by': tag })
    response.end(JSON.stringify(fails ? { error: 'miniature' } : { tag, url, body, slot: process.env['DAM_SLOT'] }))
  }
  let underWay = 0
  const server = createServer((request, response) => {
    underWay++
    response.once('close', () => underWay--)
    void answer(request, response).catch(() => response.destroy())
  })
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

function opens(files: number): boolean {
  try {
    for (let i = 0; i < files; i++) openSync(faultsFile, 'r')
    return true
  } catch {
    return false
  }
}

async function hasWhatItNeeds(): Promise<boolean> {
  if (!faults.needsDatabase) return true
  const { hostname, port } = new URL(process.env['DATABASE_URL'] ?? '')
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    const say = (isThere: boolean) => (): void => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', say(true)).once('error', say(false))
  })
}
