import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { config, root } from './config.ts'
import { createClient, type Client } from './http-client.ts'
import { cpuByRole, difference, readTree, total } from './process-tree.ts'

export type CpuUsed = { totalMs: number; byRole: Map<string, number> }

export type Product = AsyncDisposable & {
  origin: string
  dataDir: string
  pid: number
  /** From spawning it to the first `GET /readyz` that is answered 200. */
  readyMs: number
  /** CPU of all its processes until then, those that npm ran first included. */
  cpuUntilReadyMs: number
  /** Signed in as administrator. */
  client: Client
  /** CPU of all its processes from the call until `stop`, ended ones included. */
  meterCpu(): { stop(): CpuUsed }
  /** Whether `GET /readyz` is answered 200 now. */
  isReady(): Promise<boolean>
  stop(): Promise<void>
}

const administrator = { username: 'bench', password: 'bench-administrator' }

/** A data directory of ours. `fresh`: emptied first. */
export function dataDirectory(name: string, options: { fresh: boolean }): string {
  const dir = path.join(config.scratchDir, name)
  if (options.fresh) rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  return dir
}

/** Starts the product as its users do, on a port and data of its own, with its built-in PostgreSQL. */
export async function startProduct(options: {
  dataDir: string
  command?: readonly string[]
  environment?: Record<string, string>
}): Promise<Product> {
  const origin = `http://127.0.0.1:${config.port}`
  if (await isReady(origin))
    throw new Error(`Something answers on port ${config.port} already. Stop it, or choose another with DAM_BENCH_PORT.`)
  const [program = '', ...args] = options.command ?? config.command ?? [path.join(root, 'dam'), 'up']
  const startedAt = performance.now()
  const child = spawn(program, args, {
    cwd: root,
    env: {
      ...config.inherited,
      DAM_DATA: options.dataDir,
      PORT: String(config.port),
      HOST: '127.0.0.1',
      OPS_HOST: '127.0.0.1',
      OPS_PORT: String(config.port + 3),
      DAM_ADMIN_USERNAME: administrator.username,
      DAM_ADMIN_PASSWORD: administrator.password,
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const keep = (chunk: Buffer): void => void (said = (said + chunk.toString()).slice(-8_000))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  let ended = false
  const exit = new Promise<void>((resolve) => child.once('close', () => ((ended = true), resolve())))
  const { pid } = child
  if (pid === undefined) throw new Error(`${program} could not be started.`)

  const stop = async (): Promise<void> => {
    if (!ended) {
      // npm and sh may stand between us and the process that stops everything in order.
      const up = readTree(pid).find(({ role }) => role === 'up')?.pid ?? pid
      process.kill(up, 'SIGTERM')
      const bound = setTimeout(() => process.kill(up, 'SIGINT'), 45_000)
      await exit
      clearTimeout(bound)
    }
    running.delete(stop)
  }
  running.add(stop)
  try {
    while (!(await isReady(origin))) {
      if (ended) throw new Error(`The product did not start:\n${said}`)
      if (performance.now() - startedAt > 180_000) throw new Error(`The product was not ready after 180 s:\n${said}`)
      await sleep(10)
    }
    const readyMs = performance.now() - startedAt
    const cpuUntilReadyMs = total(cpuByRole(pid))
    const { token } = await createClient(origin).json<{ token: string }>(
      'POST',
      '/api/v4/auth/token/obtain/',
      administrator,
    )
    return {
      origin,
      dataDir: options.dataDir,
      pid,
      readyMs,
      cpuUntilReadyMs,
      client: createClient(origin, token),
      meterCpu: () => {
        const before = cpuByRole(pid)
        return {
          stop: () => {
            const byRole = difference(cpuByRole(pid), before)
            return { byRole, totalMs: total(byRole) }
          },
        }
      },
      isReady: () => isReady(origin),
      stop,
      [Symbol.asyncDispose]: stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

// Whoever stops a bench stops the product with it.
const running = new Set<() => Promise<void>>()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void Promise.allSettled([...running].map((stop) => stop())).then(() => process.exit(130)))
}

/** Runs `./dam …` on that data. */
export async function runCommand(
  args: readonly string[],
  options: { dataDir: string },
): Promise<{ code: number; output: string }> {
  const child = spawn(path.join(root, 'dam'), args, {
    cwd: root,
    env: { ...config.inherited, DAM_DATA: options.dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? 1)))
  return { code, output }
}

/** Signs in as a browser does; returns the cookie as `name=value`. */
export async function signInCookie(product: Product): Promise<{ name: string; value: string }> {
  const answer = await createClient(product.origin).send('POST', '/api/v4/auth/login/', {
    headers: { 'content-type': 'application/json', origin: product.origin },
    body: JSON.stringify(administrator),
  })
  const cookie = /^([^=]+)=([^;]+)/.exec(answer.headers['set-cookie']?.[0] ?? '')
  if (answer.status !== 200 || !cookie?.[1] || !cookie[2])
    throw new Error(`Signing in failed: ${answer.status} ${answer.body.toString().slice(0, 300)}`)
  return { name: cookie[1], value: cookie[2] }
}

async function isReady(origin: string): Promise<boolean> {
  try {
    const response = await fetch(`${origin}/readyz`, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false
  }
}
