import { sql, type Database } from '@dam/platform/database'
import type { Log } from '@dam/platform/log'
import { BlobStore, type BlobStoreOptions } from './blob-store.ts'

/** Opens the store of originals, telling it whether the database expects originals to be there. */
export async function openBlobStore(deps: {
  database: Database
  folders: BlobStoreOptions['folders']
  log: Log
}): Promise<BlobStore> {
  const known = await deps.database.row<{ any: boolean }>(sql`select exists (select from blob) as any`)
  return BlobStore.open({ folders: deps.folders, expectBlobs: known?.any ?? false, log: deps.log })
}
