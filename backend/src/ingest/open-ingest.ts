import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Capability } from '@dam/contract'
import type { Database } from '@dam/platform/database'
import { processIdentity } from '@dam/platform/process-identity'
import { ConverterPool } from '../converter/converter-pool.ts'
import { findSandbox } from '../converter/sandbox.ts'
import { probeCapabilities } from './capabilities.ts'
import { failAbandoned, ingestTask, requeueUnavailable } from './ingest-task.ts'

export type Ingest = AsyncDisposable & {
  /** Task `ingest` for the job runner; wants `concurrency` + 1 jobs at once, so that the next file is read while the last is stored. */
  task: ReturnType<typeof ingestTask>
  capabilities: Capability[]
  /** Once the job runner is about to start: gives up what died with its worker, and queues what can be made now. */
  recover(): Promise<{ abandoned: number; requeued: number }>
}

/** Everything ingest needs in a worker. Folders are absolute. Dispose after the job runner has stopped. */
export async function openIngest(options: {
  database: Database
  blobsFolder: string
  blobPath: (sha256: string) => string
  renditionsFolder: string
  /** Photos decoded at once. */
  concurrency: number
  /** Where programs are looked for, as PATH. */
  searchPath: string
  worker: string
  warn: (message: string, fields: Record<string, unknown>) => void
}): Promise<Ingest> {
  const { capabilities, tools } = await probeCapabilities(options.searchPath)
  const scratchFolder = await openScratch(join(options.renditionsFolder, '.scratch'))
  const converter = new ConverterPool({
    tools,
    sandbox: findSandbox(tools),
    blobsFolder: options.blobsFolder,
    scratchFolder,
    concurrency: options.concurrency,
    onRestart: (because) => options.warn('converter restarted', { because }),
    onStderr: (text) => options.warn('converter said', { text: text.slice(0, 500) }),
  })
  const deps = {
    database: options.database,
    converter,
    blobPath: options.blobPath,
    renditionsFolder: options.renditionsFolder,
    scratchFolder,
    worker: options.worker,
    now: () => new Date(),
  }
  return {
    task: ingestTask(deps),
    capabilities,
    recover: async () => {
      const abandoned = await failAbandoned(deps)
      let requeued = 0
      for (const program of Object.keys(tools)) requeued += await requeueUnavailable(options.database, program)
      return { abandoned, requeued }
    },
    [Symbol.asyncDispose]: async () => {
      await converter[Symbol.asyncDispose]()
      await rm(scratchFolder, { recursive: true, force: true })
    },
  }
}

/**
 * A folder of this process below `parent`. Those whose process has died are removed; one of a worker that still runs, such as that of the
 * release being replaced, is left alone.
 */
async function openScratch(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true })
  for (const name of await readdir(parent)) {
    const owner = scratchPrefix(Number(/^(\d+)-/.exec(name)?.[1] ?? Number.NaN))
    if (owner === undefined || !name.startsWith(owner)) await rm(join(parent, name), { recursive: true, force: true })
  }
  return mkdtemp(join(parent, scratchPrefix(process.pid) ?? `${process.pid}-`))
}

/** Undefined when nothing runs under `pid`. The start of a process tells it from a later one with its number. */
function scratchPrefix(pid: number): string | undefined {
  const identity = processIdentity(pid)
  return identity ? `${pid}-${identity.startedAt.replaceAll(/\W+/g, '-')}-` : undefined
}
