import { rm } from 'node:fs/promises'
import path from 'node:path'
import { sql, type Database } from '@dam/platform/database'
import type { Log } from '@dam/platform/log'
import type { BlobStore } from './blob-store.ts'
import { lockBlob } from './blob-lock.ts'

/**
 * Takes originals that no asset refers to any more off the shelf, with their renditions. Call after the transaction that deleted the
 * assets. The file goes to quarantine, from where the janitor deletes it; an asset made meanwhile keeps it. Returns how many were released.
 */
export async function releaseBlobs(
  deps: { database: Database; blobs: BlobStore; renditionsFolder: string; log: Log },
  sha256s: readonly string[],
): Promise<number> {
  let released = 0
  for (const sha256 of new Set(sha256s)) {
    const gone = await deps.database.transaction(async (tx) => {
      await lockBlob(tx, sha256, 'release')
      const deleted = await tx.run(
        sql`delete from blob b where b.sha256 = ${sha256} and not exists (select from asset a where a.sha256 = b.sha256)`,
      )
      if (deleted === 0) return false
      await deps.blobs.quarantine(sha256)
      return true
    })
    if (!gone) continue
    released++
    const folder = path.join(deps.renditionsFolder, sha256.slice(0, 2), sha256.slice(2, 4), sha256)
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) =>
      deps.log.warn('renditions could not be removed', { checksum: sha256, error }),
    )
  }
  return released
}
