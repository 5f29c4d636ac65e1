import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Capability } from '@dam/contract'
import type { Database } from '@dam/platform/database'
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
  const scratchFolder = join(options.renditionsFolder, '.scratch')
  await rm(scratchFolder, { recursive: true, force: true })
  await mkdir(scratchFolder, { recursive: true })
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
    [Symbol.asyncDispose]: () => converter[Symbol.asyncDispose](),
  }
}
