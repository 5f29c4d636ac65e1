import { Problem } from '@dam/contract'
import { errnoOf } from '../storage/storage-fault.ts'
import { finishUpload } from './finish-upload.ts'
import type { UploadDeps } from './upload-deps.ts'
import { findInterruptedFinishes, markFailed } from './upload-store.ts'

type RecoverDeps = Pick<UploadDeps, 'database' | 'blobs' | 'log' | 'limits' | 'signals' | 'locks'>

/**
 * Makes the assets of whole files whose finishing a crash interrupted, whatever process it was; one that is being finished is left alone.
 * A client that asks meanwhile does the same. Returns how many.
 */
export async function recoverUploads(deps: RecoverDeps): Promise<number> {
  let made = 0
  for (const { id } of await findInterruptedFinishes(deps.database)) {
    await using lock = await deps.locks.tryTake(id)
    const upload = lock?.row
    if (!upload || upload.state === 'done' || upload.state === 'failed') continue
    try {
      await finishUpload(deps, upload, upload)
      made++
    } catch (error) {
      if (error instanceof Problem && error.code === 'checksum-mismatch') continue
      deps.log.error('a complete upload could not be made an asset', { upload: id, error, code: 'upload-unfinished' })
      if (errnoOf(error) === 'ENOENT')
        await markFailed(
          deps.database,
          upload,
          'The bytes of this upload are not on the disk any more. Upload the file again.',
        )
    }
  }
  return made
}
