import { Problem } from '@dam/contract'
import { errnoOf } from '../storage/storage-fault.ts'
import { finishUpload } from './finish-upload.ts'
import type { UploadDeps } from './upload-deps.ts'
import { findInterruptedFinishes, markFailed } from './upload-store.ts'

type RecoverDeps = Pick<UploadDeps, 'database' | 'blobs' | 'log' | 'limits' | 'signals' | 'locks'>

const lookEveryMs = 10 * 60_000

/** Does that now, and again every ten minutes: another process that serves the same database may die after this one has started. */
export function startRecovery(deps: RecoverDeps): AsyncDisposable {
  let stopped = false
  let running: Promise<void> = Promise.resolve()
  const look = (): void => {
    running = running.then(async () => {
      if (stopped) return
      try {
        const made = await recoverUploads(deps)
        if (made > 0) deps.log.info('uploads that a crash had interrupted became assets', { made })
      } catch (error) {
        deps.log.error('uploads that a crash had interrupted wait for the next look', { error })
      }
    })
  }
  look()
  const timer = setInterval(look, lookEveryMs)
  timer.unref()
  return {
    [Symbol.asyncDispose]: async () => {
      stopped = true
      clearInterval(timer)
      await running
    },
  }
}

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
