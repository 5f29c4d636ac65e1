import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Converter, IngestError, Outcome } from '../ingest/types.ts'
import { ConverterProcess, type Ending } from './converter-process.ts'
import { limits } from './limits.ts'
import { isHeavy } from './preview-methods.ts'
import type { RequestKind, Requests } from './protocol.ts'
import type { Sandbox } from './sandbox.ts'
import type { Tools } from './tools.ts'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
/** The code a converter runs; not the data folder, which may lie beside it. */
const codeFolders = ['backend', 'contract', 'platform', 'node_modules'].map((name) => repository + name)

export type Bounds = { identifyMs: number; metadataMs: number; imageMs: number; videoMs: number; treeBytes: number }

export type ConverterPoolOptions = {
  tools: Tools
  sandbox: Sandbox
  blobsFolder: string
  /** Output folders of render requests lie below it. Created when missing. */
  scratchFolder: string
  /** Photos decoded at once in the shared process. */
  concurrency: number
  idleMs?: number
  filesPerProcess?: number
  /** What one file may cost; see `limits`. */
  bounds?: Partial<Bounds>
  onStderr?: (text: string) => void
  onRestart?: (because: string) => void
}

/**
 * Two converter processes, started when needed and ended when idle: one shared by files that are cheap and safe side by side, one for a
 * single heavy file. A file that was inside a process when it died is tried once more, alone; only then is it blamed.
 */
export class ConverterPool implements Converter, AsyncDisposable {
  readonly #options: ConverterPoolOptions
  readonly #bounds: Bounds
  readonly #shared: Lane
  readonly #alone: Lane

  constructor(options: ConverterPoolOptions) {
    this.#options = options
    this.#bounds = { ...limits, ...options.bounds }
    const start = async () => {
      await mkdir(options.scratchFolder, { recursive: true })
      return new ConverterProcess({
        tools: options.tools,
        sandbox: options.sandbox,
        readable: [...codeFolders, options.blobsFolder],
        writable: [options.scratchFolder],
        onStderr: options.onStderr ?? (() => undefined),
        treeBytes: this.#bounds.treeBytes,
      })
    }
    const lane = {
      start,
      idleMs: options.idleMs ?? 60_000,
      requestsPerProcess: 3 * (options.filesPerProcess ?? limits.filesPerProcess),
      wornBytes: limits.wornBytes,
    }
    this.#shared = new Lane({ ...lane, slots: options.concurrency })
    this.#alone = new Lane({ ...lane, slots: 1 })
  }

  identify(input: Requests['identify']['input']) {
    return this.#run('identify', input, { timeoutMs: this.#bounds.identifyMs, heavy: false })
  }

  readMetadata(input: Requests['readMetadata']['input']) {
    return this.#run('readMetadata', input, { timeoutMs: this.#bounds.metadataMs, heavy: false })
  }

  render(input: Requests['render']['input']) {
    const { mimeType, type } = input.identified
    return this.#run('render', input, {
      timeoutMs: type === 'video' ? this.#bounds.videoMs : this.#bounds.imageMs,
      heavy: isHeavy(mimeType),
    })
  }

  /** Process ids of the converters that run now. */
  get pids(): number[] {
    return [this.#shared, this.#alone].flatMap((lane) => lane.pids)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#shared[Symbol.asyncDispose](), this.#alone[Symbol.asyncDispose]()])
  }

  async #run<K extends RequestKind>(
    kind: K,
    input: Requests[K]['input'],
    { timeoutMs, heavy }: { timeoutMs: number; heavy: boolean },
  ): Promise<Outcome<Requests[K]['output']>> {
    const first = await (heavy ? this.#alone : this.#shared).run(kind, input, timeoutMs)
    const settled = outcome(first)
    if (settled && !(first.is === 'guilty' && !first.fresh)) return settled
    this.#options.onRestart?.(first.is === 'lost' ? first.because : first.is === 'guilty' ? first.error.message : '')
    const second = await this.#alone.run(kind, input, timeoutMs)
    return outcome(second) ?? { ok: false, error: crashed(second.is === 'lost' ? second.because : '') }
  }
}

function outcome<T>(ending: Ending<T>): Outcome<T> | undefined {
  if (ending.is === 'lost') return undefined
  return ending.is === 'value' ? { ok: true, value: ending.value } : { ok: false, error: ending.error }
}

const crashed = (because: string): IngestError => ({
  kind: 'failed',
  code: 'converter-crashed',
  message: `The program that reads this file crashed on it twice (${because}). The original is kept and can be downloaded.`,
  retryable: true,
})

type LaneOptions = {
  start: () => Promise<ConverterProcess>
  slots: number
  idleMs: number
  requestsPerProcess: number
  wornBytes: number
}

/** At most `slots` requests at once in one process; starts, replaces and ends that process. */
class Lane implements AsyncDisposable {
  readonly #options: LaneOptions
  readonly #waiting: (() => void)[] = []
  readonly #retiring = new Set<ConverterProcess>()
  #process: Promise<ConverterProcess> | undefined
  #current: ConverterProcess | undefined
  #running = 0
  #idle: NodeJS.Timeout | undefined

  constructor(options: LaneOptions) {
    this.#options = options
  }

  get pids(): number[] {
    return [...this.#retiring, ...(this.#current?.isAlive ? [this.#current] : [])].flatMap(({ pid }) => pid ?? [])
  }

  async run<K extends RequestKind>(
    kind: K,
    input: Requests[K]['input'],
    timeoutMs: number,
  ): Promise<Ending<Requests[K]['output']>> {
    if (this.#running >= this.#options.slots) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    clearTimeout(this.#idle)
    try {
      return await (await this.#take()).ask(kind, input, timeoutMs)
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else if (--this.#running === 0) this.#idle = setTimeout(() => void this.#retire(), this.#options.idleMs).unref()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle)
    await this.#retire()
    await Promise.all([...this.#retiring].map((process) => process[Symbol.asyncDispose]()))
  }

  async #take(): Promise<ConverterProcess> {
    const process = await this.#process
    if (process?.isAlive && !this.#isWorn(process)) return process
    if (process && this.#current === process) {
      this.#current = undefined
      this.#process = undefined
      if (process.isAlive) this.#whenDone(process)
    }
    this.#process ??= this.#options.start().then((started) => (this.#current = started))
    return this.#process
  }

  #isWorn(process: ConverterProcess): boolean {
    return (
      process.served >= this.#options.requestsPerProcess ||
      (process.load === 0 && process.residentBytes > this.#options.wornBytes)
    )
  }

  /** A replaced process finishes what it has. */
  #whenDone(process: ConverterProcess): void {
    this.#retiring.add(process)
    const check = setInterval(() => {
      if (process.load > 0 && process.isAlive) return
      clearInterval(check)
      void process[Symbol.asyncDispose]().then(() => this.#retiring.delete(process))
    }, 200)
    check.unref()
  }

  async #retire(): Promise<void> {
    const ending = this.#process
    this.#process = undefined
    this.#current = undefined
    await (await ending)?.[Symbol.asyncDispose]()
  }
}
