import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { external, productEnvironment, root, scratch } from './config.ts'

export type Product = AsyncDisposable & {
  /** `http://localhost:<port>` */
  readonly address: string
  readonly dataDir: string
  /** One-time link of a first start without a configured administrator. */
  readonly setupLink: string | null
  /** Everything `./dam up` printed so far. */
  output(): string
  /** Lines of `app.log` so far. */
  log(): string[]
  /** Runs another `./dam` command on the same data; resolves to what it prints. */
  run(...args: string[]): string
  /** `kill -9` of one of the product's processes, by its title. */
  kill(title: 'dam: web' | 'dam: worker'): void
  /** Halts a process until what it returns is called. */
  halt(title: 'dam: worker'): () => void
  /** Waits until `/readyz` answers. */
  ready(): Promise<void>
  stop(): Promise<void>
}

export const administrator = { username: 'admin', password: 'correct horse battery staple' }

const startBoundMs = 120_000
const stopBoundMs = 45_000

/** Starts the built product with `./dam up` on an empty data folder of its own. */
export async function startProduct(options: { port: number; firstStart: 'configured' | 'link' }): Promise<Product> {
  mkdirSync(scratch, { recursive: true })
  const dataDir = mkdtempSync(path.join(scratch, 'data-'))
  const environment = {
    ...productEnvironment(),
    DAM_DATA: dataDir,
    PORT: String(options.port),
    DAM_WORKER_CONCURRENCY: '1',
    ...(external.redisUrl ? { REDIS_URL: external.redisUrl } : {}),
    ...(options.firstStart === 'configured'
      ? { DAM_ADMIN_USERNAME: administrator.username, DAM_ADMIN_PASSWORD: administrator.password }
      : {}),
  }
  const child = spawn(path.join(root, 'dam'), ['up', '--port', 'auto'], {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C in the terminal ends the tests, and they stop the product in order.
    detached: true,
  })
  let printed = ''
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const address = await new Promise<string>((resolve, reject) => {
    const bound = setTimeout(
      () => reject(new Error(`./dam up was not ready within ${startBoundMs / 1000} s:\n${printed}`)),
      startBoundMs,
    )
    const read = (chunk: Buffer): void => {
      printed += chunk.toString()
      const match = /DAM is ready at (\S+)[\s\S]*Stop /.exec(printed)
      if (match?.[1]) resolve(match[1])
      if (match) clearTimeout(bound)
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    void ended.then(() => reject(new Error(`./dam up ended (${child.exitCode ?? child.signalCode}):\n${printed}`)))
  }).catch(async (error: unknown) => {
    await end(child, ended)
    rmSync(dataDir, { recursive: true, force: true })
    throw error
  })

  const product: Product = {
    address,
    dataDir,
    setupLink: /(https?:\/\/\S+\/\S*token=\S+)/.exec(printed)?.[1] ?? null,
    output: () => printed,
    log: () => readFileSync(path.join(dataDir, 'logs/app.log'), 'utf8').split('\n').filter(Boolean),
    run: (...args) =>
      execFileSync(path.join(root, 'dam'), args, { cwd: root, env: environment, encoding: 'utf8', timeout: 60_000 }),
    kill: (title) => process.kill(childWithTitle(child.pid, title), 'SIGKILL'),
    halt: (title) => {
      const pid = childWithTitle(child.pid, title)
      process.kill(pid, 'SIGSTOP')
      return () => process.kill(pid, 'SIGCONT')
    },
    ready: async () => {
      const until = Date.now() + 30_000
      for (;;) {
        const answer = await fetch(`${address}/readyz`).catch(() => null)
        if (answer?.status === 200) return
        if (Date.now() > until) throw new Error(`The product is not ready again:\n${printed}`)
        await sleep(50)
      }
    },
    stop: async () => {
      await end(child, ended)
    },
    [Symbol.asyncDispose]: async () => {
      await end(child, ended)
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
  return product
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGINT')
  const bound = setTimeout(() => child.kill('SIGKILL'), stopBoundMs)
  await ended
  clearTimeout(bound)
}

/** Process id of the child of `parent` that `ps` shows under this title. */
function childWithTitle(parent: number | undefined, title: string): number {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,command='], { encoding: 'utf8' }).split('\n')
  for (const line of lines) {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*?)\s*$/.exec(line)
    if (match && Number(match[2]) === parent && match[3] === title) return Number(match[1])
  }
  throw new Error(`ps shows no process "${title}" below ./dam up (${parent}).`)
}
