import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type WebProcess = AsyncDisposable & {
  url: string
  signal(name: NodeJS.Signals): void
  /** The code with which it ended; null when a signal ended it. */
  ended: Promise<number | null>
}

const root = path.join(import.meta.dirname, '../../..')

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** The role `web` as a process of its own, ready. Several may share a database and a data folder. */
export async function startWeb(input: {
  connectionString: string
  dataDir: string
  environment?: Record<string, string>
}): Promise<WebProcess> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child: ChildProcess = spawn(process.execPath, ['backend/src/main.ts', 'web'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: input.connectionString,
      DAM_DATA: input.dataDir,
      HOST: '127.0.0.1',
      PORT: String(port),
      DAM_LOG_STDOUT: 'no',
      DAM_DISK_RESERVE_PERCENT: '0',
      ...input.environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  for (let n = 0; ; n++) {
    if (child.exitCode !== null || n === 1_200) throw new Error(`the web process did not become ready: ${said}`)
    if ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok) break
    await sleep(50)
  }
  return {
    url,
    signal: (name) => void child.kill(name),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
