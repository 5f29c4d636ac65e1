import { Problem } from '@dam/contract'
import { errnoOf } from '../storage/storage-fault.ts'
import { finishUpload } from './finish-upload.ts'
import type { UploadDeps } from './upload-deps.ts'
import { findInterruptedFinishes, findUpload, markFailed } from './upload-store.ts'

type RecoverDeps = Pick<UploadDeps, 'database' | 'blobs' | 'log' | 'limits' | 'signals' | 'locks'>

/** Makes the assets of whole files whose finishing a crash interrupted. Call at start; a client that asks meanwhile does the same. Returns how many. */
export async function recoverUploads(deps: RecoverDeps): Promise<number> {
  let made = 0
  for (const { id, ownerId } of await findInterruptedFinishes(deps.database)) {
    if (deps.locks.isHeld(id)) continue
    await using _lock = await deps.locks.take(id, 'look')
    const upload = await findUpload(deps.database, id, ownerId)
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
          id,
          'The bytes of this upload are not on the disk any more. Upload the file again.',
        )
    }
  }
  return made
}
