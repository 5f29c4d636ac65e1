import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type ClientRequest, createServer, type IncomingMessage, type Server } from 'node:http'
import { Agent, request as secureRequest } from 'node:https'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readPolicy } from '../policy/read-policy.ts'
import { engineFactsOf, type EngineFile } from './engine-facts.ts'
import { caddyFiles, haproxyFiles, type ProxyPlaces, usualPlaces } from './proxies.ts'

const settings = { port: 8080, opsPort: 8081, uploadMaxBytes: 50 * 1024 ** 3, databasePool: 10 }
const facts = engineFactsOf(readPolicy(), settings, { tag: 'v1.0.0', image: 'registry.example.org/dam' })
const { domain } = facts

/** Not waited for in a way that stops our own servers. */
const run = promisify(execFile)

const has = (...programs: string[]): boolean =>
  programs.every((program) => {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })

type Seen = { method: string; headers: Record<string, unknown>; bytes: number }
/** A release as a proxy sees it: takes uploads, knows ranges, streams events. */
function startRelease(tag: string): Promise<{ port: number; server: Server; seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    response.setHeader('x-dam-release', tag)
    if (request.url === '/readyz') return void response.end(`ready ${tag}\n`)
    if (request.url === '/api/v4/events/stream/') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
      response.write(`data: first\n\n`)
      const timer = setInterval(() => response.write(`data: more\n\n`), 200)
      return void response.on('close', () => clearInterval(timer))
    }
    if (request.headers.range === 'bytes=2-5') {
      response.writeHead(206, { 'content-range': 'bytes 2-5/10' })
      return void response.end('2345')
    }
    let bytes = 0
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => {
      seen.push({ method: request.method ?? '', headers: request.headers, bytes })
      response.end(JSON.stringify({ tag, bytes }))
    })
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, server, seen }))
  })
}
type Release = Awaited<ReturnType<typeof startRelease>>

let folder: string
let blue: Release
let green: Release
let places: ProxyPlaces
let children: ChildProcess[]

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'dam-proxies-'))
  children = []
  ;[blue, green] = await Promise.all([startRelease('v1.0.0'), startRelease('v1.1.0')])
  places = {
    ...usualPlaces,
    httpPort: await freePort(),
    httpsPort: await freePort(),
    frontPort: blue.port,
    bluePort: blue.port,
    greenPort: green.port,
    certificate: path.join(folder, 'dam.pem'),
    runDir: folder,
  }
})

afterEach(async () => {
  for (const child of children) await ended(child)
  for (const { server } of [blue, green]) {
    server.closeAllConnections()
    server.close()
  }
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

const patient = { timeout: 120_000 }

describe.skipIf(!has('haproxy', 'openssl'))('HAProxy', patient, () => {
  const start = async (name: string): Promise<void> => {
    const key = path.join(folder, 'key.pem')
    execFileSync(
      'openssl',
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${domain} -keyout ${key} -out ${places.certificate}`.split(
        ' ',
      ),
      { stdio: 'ignore' },
    )
    writeFileSync(places.certificate, readFileSync(places.certificate, 'utf8') + readFileSync(key, 'utf8'))
    const files = haproxyFiles(facts, places)
    put(files)
    execFileSync('haproxy', ['-c', '-f', path.join(folder, name)], { stdio: 'pipe' })
    children.push(spawn('haproxy', ['-db', '-f', path.join(folder, name)], { stdio: 'ignore' }))
    await until(async () => (await ask('/readyz').catch(() => null))?.status === 200)
  }
  const switchTo = (mode: string, fresh: string, old: string): Promise<unknown> =>
    run(process.execPath, [path.join(folder, 'switch.mjs'), mode, fresh, old])

  test('stands before the front with TLS: uploads, ranges and event streams pass, nobody forges their address', async () => {
    await start('tls.cfg')
    await passesEverything()
  })

  test('takes the place of the front: bakes with a share on the old release, goes on, and goes back', async () => {
    await start('blue-green.cfg')
    await passesEverything()
    const sessions = Array.from({ length: 300 }, (_, index) => `session-${index}`)
    const served = async (): Promise<string[]> => {
      const tags: string[] = []
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      for (const session of sessions) tags.push((await ask('/', { headers: cookie(session), agent })).tag)
      agent.destroy()
      return tags
    }
    expect(new Set(await served())).toEqual(new Set(['v1.0.0']))
    await switchTo('bake', 'green', 'blue')
    const baking = await served()
    const stayed = baking.filter((tag) => tag === 'v1.0.0').length
    expect(stayed).toBeGreaterThan(300 * 0.01)
    expect(stayed).toBeLessThan(300 * 0.2)
    // A session keeps its release.
    expect(await served()).toEqual(baking)
    await switchTo('only', 'green', 'blue')
    expect(new Set(await served())).toEqual(new Set(['v1.1.0']))
    await switchTo('only', 'blue', 'green')
    expect(new Set(await served())).toEqual(new Set(['v1.0.0']))
    expect(readFileSync(path.join(folder, 'dam.state'), 'utf8')).toContain(' green ')
    await expect(switchTo('only', 'purple', 'blue')).rejects.toThrow(/Usage/)
  })

  test('requests that come all the while are answered by either release, none fails', async () => {
    await start('blue-green.cfg')
    const statuses: (number | string)[] = []
    let isOver = false
    const client = async (name: string): Promise<void> => {
      while (!isOver) statuses.push(await ask('/', { headers: cookie(name) }).then((answer) => answer.status, String))
    }
    const clients = Promise.all(['a', 'b', 'c', 'd'].map(client))
    await switchTo('bake', 'green', 'blue')
    await switchTo('only', 'green', 'blue')
    await switchTo('only', 'blue', 'green')
    isOver = true
    await clients
    expect(statuses.length).toBeGreaterThan(20)
    expect(statuses.filter((status) => status !== 200)).toEqual([])
  })
})

describe.skipIf(!has('caddy'))('Caddy', patient, () => {
  const environment = (): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: folder,
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
  })
  let admin: string
  const start = async (name: string): Promise<void> => {
    admin = `127.0.0.1:${await freePort()}`
    put(caddyFiles(facts, places))
    // Of the shipped file only: ports and certificates that a test may use.
    for (const file of ['tls.Caddyfile', 'blue-green.Caddyfile']) {
      const options = `{\n\tadmin ${admin}\n\thttp_port ${places.httpPort}\n\thttps_port ${places.httpsPort}\n\tlocal_certs\n\tskip_install_trust\n`
      const text = readFileSync(path.join(folder, file), 'utf8')
      writeFileSync(path.join(folder, file), text.replace(/^\{\n/m, options))
    }
    const config = path.join(folder, name)
    execFileSync('caddy', ['validate', '--adapter', 'caddyfile', '--config', config], {
      stdio: 'pipe',
      env: environment(),
    })
    const args = ['run', '--adapter', 'caddyfile', '--config', config]
    children.push(spawn('caddy', args, { stdio: 'ignore', env: environment() }))
    await until(async () => (await ask('/readyz').catch(() => null))?.status === 200)
  }

  test('stands before the front with TLS: uploads, ranges and event streams pass, nobody forges their address', async () => {
    await start('tls.Caddyfile')
    await passesEverything()
  })

  test('takes the place of the front: a reload with the other port switches, and no request fails', async () => {
    await start('blue-green.Caddyfile')
    await passesEverything()
    const statuses: (number | string)[] = []
    let isOver = false
    const client = async (): Promise<void> => {
      while (!isOver) statuses.push(await ask('/').then((answer) => answer.status, String))
    }
    const clients = Promise.all([client(), client()])
    const point = async (port: number): Promise<void> => {
      writeFileSync(path.join(folder, 'active.caddy'), `to 127.0.0.1:${port}\n`)
      const config = path.join(folder, 'blue-green.Caddyfile')
      await run('caddy', ['reload', '--adapter', 'caddyfile', '--config', config, '--address', admin], {
        env: environment(),
      })
    }
    await point(places.greenPort)
    await until(async () => (await ask('/')).tag === 'v1.1.0')
    await point(places.bluePort)
    await until(async () => (await ask('/')).tag === 'v1.0.0')
    isOver = true
    await clients
    expect(statuses.length).toBeGreaterThan(10)
    expect(statuses.filter((status) => status !== 200)).toEqual([])
  })
})

async function passesEverything(): Promise<void> {
  const upload = await ask('/api/v4/uploads/1/', {
    method: 'PATCH',
    headers: { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'http', 'x-dam-synthetic': 'guess' },
    body: Buffer.alloc(8 * 1024 ** 2, 1),
  })
  expect(JSON.parse(upload.text)).toMatchObject({ bytes: 8 * 1024 ** 2 })
  const headers = blue.seen.at(-1)?.headers
  expect(headers).toMatchObject({
    host: expect.stringMatching(new RegExp(`^${domain}`)),
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'https',
  })
  expect(headers).not.toHaveProperty('x-dam-synthetic')
  expect(await ask('/file', { headers: { range: 'bytes=2-5' } })).toMatchObject({ status: 206, text: '2345' })
  expect(await firstEvents()).toEqual(['data: first', 'data: more'])
}

const cookie = (session: string) => ({ cookie: `__Host-dam_session=${session}` })

type Options = { agent?: Agent; method?: string; headers?: Record<string, string>; body?: Buffer }
const open = (url: string, options: Options = {}): ClientRequest =>
  secureRequest({
    host: '127.0.0.1',
    port: places.httpsPort,
    servername: domain,
    path: url,
    method: options.method ?? 'GET',
    headers: { host: domain, ...options.headers },
    rejectUnauthorized: false,
    agent: options.agent ?? false,
  })

function ask(url: string, options: Options = {}): Promise<{ status: number; tag: string; text: string }> {
  return new Promise((resolve, reject) => {
    const request = open(url, options)
    request.on('error', reject)
    request.on('response', (response: IncomingMessage) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, tag: String(response.headers['x-dam-release']), text }),
      )
    })
    request.end(options.body)
  })
}

/** The first two events, which come while the answer is still open. */
function firstEvents(): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const request = open('/api/v4/events/stream/')
    request.on('error', reject)
    request.on('response', (response: IncomingMessage) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        const events = text.split('\n\n').filter((event) => event !== '')
        if (events.length < 2) return
        response.on('error', () => undefined)
        request.destroy()
        resolve(events.slice(0, 2))
      })
    })
    request.end()
  })
}

function put(files: EngineFile[]): void {
  for (const file of files) {
    writeFileSync(path.join(folder, file.path), file.text)
    if (file.isExecutable) chmodSync(path.join(folder, file.path), 0o755)
  }
}

async function until(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await sleep(200)
}

async function freePort(): Promise<number> {
  const server = createSocketServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exit
}
