import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type RunningRelease = AsyncDisposable & { baseUrl: string; stop(): Promise<void> }

/**
 * Starts web and worker process of an installed release (or a checkout) on a free private port, for a while and for nobody else.
 * Resolves when `/readyz` answers 200; throws with the last output when it does not within `timeoutMs`.
 */
export async function startRelease(options: {
  releaseDir: string
  connectionString: string
  /** Originals and logs of the processes; made by the caller, gone with it. */
  dataDir: string
  nodeProgram?: string
  environment?: Record<string, string | undefined>
  timeoutMs?: number
}): Promise<RunningRelease> {
  const { releaseDir, connectionString, dataDir, nodeProgram = process.execPath, timeoutMs = 120_000 } = options
  const port = await freePort()
  const baseUrl = `http://127.0.0.1:${port}`
  let said = ''
  const start = (role: 'web' | 'worker'): ChildProcess => {
    const child = spawn(nodeProgram, [path.join(releaseDir, 'backend/src/main.ts'), role], {
      cwd: releaseDir,
      env: {
        ...options.environment,
        HOST: '127.0.0.1',
        PORT: String(port),
        DAM_DATA: dataDir,
        DATABASE_URL: connectionString,
        DAM_PUBLIC_URL: baseUrl,
        DAM_LOG_STDOUT: 'no',
        DAM_DISK_RESERVE_PERCENT: '0',
      },
      // The channel is their sign of life of us: they end when we are killed.
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
    return child
  }
  const children = [start('web'), start('worker')]
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(end))
  }
  const deadline = performance.now() + timeoutMs
  while (!(await isReady(baseUrl))) {
    const hasEnded = children.some((child) => child.exitCode !== null || child.signalCode !== null)
    if (hasEnded || performance.now() > deadline) {
      await stop()
      const what = hasEnded ? 'ended while it started' : `was not ready within ${timeoutMs / 1000} s`
      throw new Error(`The release in ${releaseDir} ${what}. ${said.trim()}`)
    }
    await sleep(50)
  }
  return { baseUrl, stop, [Symbol.asyncDispose]: stop }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const bound = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(bound)
}

async function isReady(baseUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(2_000) })
    await response.body?.cancel()
    return response.status === 200
  } catch {
    return false
  }
}

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port is free')),
      )
    })
  })
}
