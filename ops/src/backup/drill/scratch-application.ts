import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type ScratchApplication = AsyncDisposable & { baseUrl: string; bootMs: number }

/** Boots the web process of a release or checkout against scratch data, on a free port that only this machine reaches, and waits until it is ready. */
export async function bootApplication(options: {
  /** With `backend/src/main.ts` in it. */
  applicationDir: string
  dataDir: string
  connectionString: string
  timeoutMs: number
  /** PATH and HOME for it. */
  environment: Readonly<Record<string, string | undefined>>
  signal?: AbortSignal
}): Promise<ScratchApplication> {
  const startedAt = performance.now()
  const port = await freePort()
  const child = spawn(process.execPath, [path.join(options.applicationDir, 'backend/src/main.ts'), 'web'], {
    cwd: options.applicationDir,
    env: {
      PATH: options.environment['PATH'],
      HOME: options.environment['HOME'],
      HOST: '127.0.0.1',
      PORT: String(port),
      DAM_DATA: options.dataDir,
      DATABASE_URL: options.connectionString,
      DAM_DATABASE_POOL: '4',
      DAM_LOG_STDOUT: 'yes',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)))
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const gone = await Promise.race([ended.then(() => true), sleep(15_000, false)])
    if (!gone) child.kill('SIGKILL')
    await ended
  }
  const baseUrl = `http://127.0.0.1:${port}`
  try {
    while (!(await isReady(baseUrl))) {
      options.signal?.throwIfAborted()
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`The application did not start on the restored data: ${said.trim()}`)
      if (performance.now() - startedAt > options.timeoutMs)
        throw new Error(
          `The application was not ready on the restored data after ${options.timeoutMs / 1000} s: ${said.trim()}`,
        )
      await sleep(100)
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { baseUrl, bootMs: performance.now() - startedAt, [Symbol.asyncDispose]: stop }
}

const isReady = (baseUrl: string): Promise<boolean> =>
  fetch(`${baseUrl}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
    async (response) => {
      await response.arrayBuffer()
      return response.status === 200
    },
    () => false,
  )

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
