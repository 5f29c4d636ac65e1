import type { Asset } from '@dam/contract'
import type { Database } from '@dam/platform/database'
import type { Log } from '@dam/platform/log'
import type { Signals } from '../operations/signals.ts'
import type { Principal } from '../people/access.ts'
import type { BlobStore } from '../storage/blob-store.ts'
import type { DiskBudget } from '../storage/disk-budget.ts'
import type { UploadLocks } from './upload-lock.ts'

export type UploadDeps = {
  database: Database
  blobs: BlobStore
  budget: DiskBudget
  locks: UploadLocks
  log: Log
  limits: { uploadMaxBytes: number; uploadExpiryHours: number }
  signals: Pick<Signals, 'uploadDone'>
  /** An asset as its page shows it. */
  readAsset: (principal: Principal, id: number, origin: string) => Promise<Asset>
}

/** Bytes after which a long body is made durable and committed, so that a cut costs no more than this. */
export const checkpointBytes = 16 * 1024 * 1024

/** And the time after which less is made durable too, so that a cut on a slow line costs no more than this. */
export const checkpointMs = 2_000
