import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConverterPool, type ConverterPoolOptions } from '../converter/converter-pool.ts'
import { findSandbox } from '../converter/sandbox.ts'
import { findTools } from '../converter/tools.ts'
import { searchPath } from './config.ts'

export type TestConverter = AsyncDisposable & { pool: ConverterPool; folder: string; blobs: string; scratch: string }

/** Real converter processes with a folder of their own. `blobsFolder` when originals lie elsewhere. */
export async function testConverter(
  options: { blobsFolder?: string } & Partial<ConverterPoolOptions> = {},
): Promise<TestConverter> {
  const folder = await mkdtemp(join(tmpdir(), 'dam-converter-'))
  const tools = options.tools ?? findTools(searchPath)
  const blobs = options.blobsFolder ?? folder
  const scratch = join(folder, 'scratch')
  const pool = new ConverterPool({
    tools,
    sandbox: findSandbox(tools),
    scratchFolder: scratch,
    concurrency: 2,
    ...options,
    blobsFolder: blobs,
  })
  return {
    pool,
    folder,
    blobs,
    scratch,
    [Symbol.asyncDispose]: async () => {
      await pool[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
