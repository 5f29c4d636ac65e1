import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { IngestError } from '../ingest/types.ts'
import { residentBytes } from './process-tree.ts'
import type { RequestKind, Requests, ResponseMessage, StartMessage } from './protocol.ts'
import type { Sandbox } from './sandbox.ts'
import type { Tools } from './tools.ts'

const main = fileURLToPath(new URL('./converter-main.ts', import.meta.url))

/** How a request ended. `guilty`: this file is why the process had to die (`fresh`: it was the first in there, so nothing earlier shares the blame); `lost`: the process died with it, for a reason unknown. */
export type Ending<T> =
  | { is: 'value'; value: T }
  | { is: 'error'; error: IngestError }
  | { is: 'guilty'; error: IngestError; fresh: boolean }
  | { is: 'lost'; because: string }

type Pending = { finish: (ending: Ending<never>) => void; deadline: number; timeoutMs: number; startedAt: number }

/** One converter process. Owns the child; kills it when a file takes too long or the memory grows over the limit. */
export class ConverterProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, Pending>()
  readonly #ready: Promise<void>
  readonly #closed: Promise<void>
  readonly #treeBytes: number
  #nextId = 1
  #watch: NodeJS.Timeout | undefined
  #alive = true
  served = 0

  constructor(options: {
    tools: Tools
    sandbox: Sandbox
    readable: readonly string[]
    writable: readonly string[]
    onStderr: (text: string) => void
    treeBytes: number
  }) {
    this.#treeBytes = options.treeBytes
    const argv: [string, ...string[]] = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      '--max-old-space-size=384',
      '--max-semi-space-size=1',
      main,
    ]
    const [command, ...args] = options.sandbox.wrap(argv, { readable: options.readable, writable: options.writable })
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'json',
      // Nothing of our environment: it holds the secrets.
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', HOME: '/tmp', MALLOC_ARENA_MAX: '2', UV_THREADPOOL_SIZE: '4' },
    })
    this.#child.stderr?.setEncoding('utf8').on('data', options.onStderr)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#ready = promise
    this.#child.on('message', (message: ResponseMessage) => {
      if ('ready' in message) return resolve()
      this.#settle(
        message.id,
        'error' in message ? { is: 'error', error: message.error } : { is: 'value', value: message.value as never },
      )
    })
    this.#closed = new Promise((done) => {
      const end = (because: string) => {
        this.#alive = false
        clearInterval(this.#watch)
        for (const id of this.#pending.keys()) this.#settle(id, { is: 'lost', because })
        resolve()
        done()
      }
      this.#child.once('error', (error) => end(`the converter did not start: ${error.message}`))
      this.#child.once('exit', (code, signal) => end(`the converter ended with ${signal ?? `code ${code}`}`))
    })
    this.#child.send({ start: { tools: options.tools } } satisfies StartMessage, () => undefined)
  }

  get isAlive(): boolean {
    return this.#alive && this.#child.connected
  }

  /** Resident bytes, with everything it started. */
  get residentBytes(): number {
    return this.#child.pid ? residentBytes(this.#child.pid) : 0
  }

  get load(): number {
    return this.#pending.size
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Sends one request; the time starts when the process is ready. */
  async ask<K extends RequestKind>(
    kind: K,
    input: Requests[K]['input'],
    timeoutMs: number,
  ): Promise<Ending<Requests[K]['output']>> {
    const id = this.#nextId++
    const { promise, resolve } = Promise.withResolvers<Ending<never>>()
    const pending: Pending = { finish: resolve, deadline: Number.POSITIVE_INFINITY, timeoutMs, startedAt: 0 }
    this.#pending.set(id, pending)
    this.served++
    await this.#ready
    if (!this.isAlive) this.#settle(id, { is: 'lost', because: 'the converter ended' })
    else {
      pending.startedAt = performance.now()
      pending.deadline = pending.startedAt + timeoutMs
      this.#child.send({ id, kind, input }, (error) => {
        if (error) this.#settle(id, { is: 'lost', because: error.message })
      })
      this.#watch ??= setInterval(() => this.#check(), 200).unref()
    }
    return promise
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Lets it end by itself: closing the channel makes it exit. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect()
    const force = setTimeout(() => this.kill(), 2_000)
    await this.#closed
    clearTimeout(force)
  }

  #settle(id: number, ending: Ending<never>): void {
    const pending = this.#pending.get(id)
    if (!pending) return
    this.#pending.delete(id)
    if (this.#pending.size === 0) {
      clearInterval(this.#watch)
      this.#watch = undefined
    }
    pending.finish(ending)
  }

  #check(): void {
    const now = performance.now()
    const late = [...this.#pending].find(([, { deadline }]) => now > deadline)
    if (late) {
      const [id, { timeoutMs }] = late
      this.#settle(id, {
        is: 'guilty',
        fresh: this.served === 1,
        error: {
          kind: 'failed',
          code: 'too-slow',
          message: `Reading the file took longer than ${timeoutMs / 1000} s and was stopped. The original is kept and can be downloaded.`,
          retryable: true,
        },
      })
      return this.kill()
    }
    if (this.residentBytes <= this.#treeBytes) return
    const error: IngestError = {
      kind: 'refused',
      code: 'too-much-memory',
      message: `Reading the file needed more than ${Math.round(this.#treeBytes / 2 ** 20)} MiB of memory and was stopped. The original is kept and can be downloaded.`,
      retryable: true,
    }
    // With several files inside nobody knows which one grew: all are tried again alone.
    if (this.#pending.size === 1)
      for (const id of this.#pending.keys()) this.#settle(id, { is: 'guilty', error, fresh: this.served === 1 })
    else for (const id of this.#pending.keys()) this.#settle(id, { is: 'lost', because: error.message })
    this.kill()
  }
}
