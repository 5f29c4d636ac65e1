import { createDiskBudget } from '../storage/disk-budget.ts'
import type { UploadDeps } from './upload-deps.ts'
import { UploadLocks } from './upload-lock.ts'
import { promisedBytes } from './upload-store.ts'

export type OpenUploads = Omit<UploadDeps, 'budget' | 'locks' | 'limits'> & {
  config: { uploadMaxBytes: number; uploadExpiryHours: number; diskReservePercent: number }
}

/** What uploads need around the store of originals. Dispose its locks when no request is in progress any more. */
export async function openUploads({ config, ...deps }: OpenUploads): Promise<UploadDeps> {
  const budget = createDiskBudget({
    space: () => deps.blobs.space(),
    promisedBytes: () => promisedBytes(deps.database),
    reservePercent: config.diskReservePercent,
  })
  const limits = { uploadMaxBytes: config.uploadMaxBytes, uploadExpiryHours: config.uploadExpiryHours }
  return { ...deps, budget, locks: await UploadLocks.open(deps.database), limits }
}
