import { sql } from '@dam/platform/database'
import { BlobStore } from '../storage/blob-store.ts'
import { createDiskBudget } from '../storage/disk-budget.ts'
import type { UploadDeps } from './upload-deps.ts'
import { UploadLocks } from './upload-lock.ts'
import { promisedBytes } from './upload-store.ts'

export type OpenUploads = Omit<UploadDeps, 'blobs' | 'budget' | 'locks' | 'limits'> & {
  folders: { blobs: string; incoming: string; quarantine: string }
  config: { uploadMaxBytes: number; uploadExpiryHours: number; diskReservePercent: number }
}

/** Opens the store of originals and what uploads need around it. */
export async function openUploads({ folders, config, ...deps }: OpenUploads): Promise<UploadDeps> {
  const blobs = await openBlobs({ folders, database: deps.database, log: deps.log })
  const budget = createDiskBudget({ space: () => blobs.space(), promisedBytes: () => promisedBytes(deps.database), reservePercent: config.diskReservePercent })
  const limits = { uploadMaxBytes: config.uploadMaxBytes, uploadExpiryHours: config.uploadExpiryHours }
  return { ...deps, blobs, budget, locks: new UploadLocks(), limits }
}

/** The store of originals alone, for processes that read it. */
export async function openBlobs(options: Pick<OpenUploads, 'folders' | 'database' | 'log'>): Promise<BlobStore> {
  const known = await options.database.row(sql`select true as known from blob limit 1`)
  return BlobStore.open({ folders: options.folders, expectBlobs: known !== undefined, log: options.log })
}
