import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** An installed release that runs on data of its own, with the built-in database, on a port of 127.0.0.1. */
export type ScratchInstance = AsyncDisposable & {
  origin: string
  /** Of its administrator. */
  authorization: string
  pid: number
  /** From starting the process to the first 200 of `/readyz`; the database was there already. */
  startMs: number
}

const administrator = { username: 'gate', password: randomBytes(18).toString('base64url') }

/**
 * Starts the release in `dir` twice: the first time makes the database, the second is measured and kept. Throws with what the
 * release said when it does not come up. Disposing stops it and removes its data.
 */
export async function startScratchInstance(options: {
  dir: string
  /** For the processes; settings of another DAM must not be in it. */
  environment: Record<string, string>
  timeoutMs?: number
}): Promise<ScratchInstance> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dam-gate-instance-'))
  const timeoutMs = options.timeoutMs ?? 180_000
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const environment = {
    ...options.environment,
    DAM_DATA: path.join(folder, 'data'),
    HOST: '127.0.0.1',
    PORT: String(port),
    OPS_PORT: String(await freePort()),
    DAM_ADMIN_USERNAME: administrator.username,
    DAM_ADMIN_PASSWORD: administrator.password,
  }
  let running: ChildProcess | null = null
  const start = async (): Promise<number> => {
    const startedAt = performance.now()
    running = spawn(path.join(options.dir, 'dam'), ['up'], {
      cwd: options.dir,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    await untilReady(running, origin, timeoutMs)
    return performance.now() - startedAt
  }
  const dispose = async (): Promise<void> => {
    if (running) await stop(running)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await start()
    if (running) await stop(running)
    const startMs = await start()
    const pid = (running as ChildProcess | null)?.pid
    if (pid === undefined) throw new Error(`${options.dir}/dam could not be started.`)
    const response = await fetch(`${origin}/api/v4/auth/token/obtain/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(administrator),
      signal: AbortSignal.timeout(10_000),
    })
    if (!response.ok) throw new Error(`Signing in to the release answered ${response.status}.`)
    const { token } = (await response.json()) as { token: string }
    return { origin, authorization: `Token ${token}`, pid, startMs, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

async function untilReady(child: ChildProcess, origin: string, timeoutMs: number): Promise<void> {
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
  }
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error))
  const exited = once(child, 'exit').then(() => Promise.reject(new Error(`The release did not start:\n${said}`)))
  const ready = (async () => {
    const giveUpAt = performance.now() + timeoutMs
    while (!(await isReady(origin))) {
      if (performance.now() > giveUpAt) throw new Error(`The release was not ready in time:\n${said}`)
      if (child.exitCode !== null) return
      await sleep(20)
    }
  })()
  await Promise.race([ready, exited, failed])
  exited.catch(() => undefined)
  failed.catch(() => undefined)
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

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  // `up` ends by force on the second signal.
  const bound = setTimeout(() => child.kill('SIGINT'), 45_000)
  await gone
  clearTimeout(bound)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('There is no free port.')
  return address.port
}
