import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startPostgres } from '@dam/platform/postgres/start'

/** Runs `work` with an empty PostgreSQL of its own that is gone afterwards. */
export async function withScratchPostgres<T>(work: (connectionString: string) => Promise<T>): Promise<T> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'dam-scratch-'))
  try {
    await using postgres = await startPostgres({
      dataDir,
      log: { info: () => undefined, warn: console.error },
      durability: 'none',
    })
    return await work(postgres.connectionString)
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
}
