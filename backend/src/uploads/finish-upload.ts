import { Problem } from '@dam/contract'
import { isForeignKeyViolation, sql, type Transaction } from '@dam/platform/database'
import { createAsset } from '../assets/create-asset.ts'
import type { Published } from '../storage/blob-store.ts'
import { lockBlob } from '../storage/blob-lock.ts'
import { errnoOf } from '../storage/storage-fault.ts'
import type { UploadDeps } from './upload-deps.ts'
import { foldersOf } from './file-name.ts'
import { lockedProblem } from './upload-lock.ts'
import {
  findUpload,
  insertUpload,
  markDone,
  markFailed,
  type NewUpload,
  type Progress,
  type UploadRow,
} from './upload-store.ts'

export type Finished = { assetId: number; sha256: string }

/** What a file is to become besides its bytes. */
export type Described = { label?: string; description?: string; tags?: readonly string[] }

type FinishDeps = Pick<UploadDeps, 'database' | 'blobs' | 'log' | 'limits' | 'signals'>

/**
 * Turns the whole incoming file of an upload into an asset. Safe to repeat after a crash at any step: publishing finds its own work, the
 * transaction happens once. Throws `checksum-mismatch` after marking the upload failed.
 */
export async function finishUpload(deps: FinishDeps, upload: UploadRow, progress: Progress): Promise<Finished> {
  const { sha256, assetId } = await makeAsset(deps, upload, upload.incomingName, progress, {}, async (tx, id) => {
    if (await markDone(tx, upload, progress, id)) return
    throw new AlreadyDone()
  }).catch(async (error: unknown) => {
    // Its file may be gone because somebody else took the upload.
    if (error instanceof AlreadyDone || errnoOf(error) === 'ENOENT') {
      const done = await findUpload(deps.database, upload.id, upload.ownerId)
      if (done && done.grip !== upload.grip) throw lockedProblem()
      if (done?.state === 'done' && done.assetId !== null) return { assetId: done.assetId, sha256: '' }
      if (done && !(error instanceof AlreadyDone)) throw error
      throw new Problem('upload-not-found', 'This upload does not exist any more.')
    }
    if (error instanceof Problem && error.code === 'checksum-mismatch') {
      // Somebody else has it now: the bytes at this name are not ours to judge.
      if ((await markFailed(deps.database, upload, error.message)) === 0) throw lockedProblem()
      await deps.blobs.discardIncoming(upload.incomingName)
      deps.signals.uploadDone('rejected', progress.offsetBytes)
    }
    throw error
  })
  return { assetId, sha256 }
}

class AlreadyDone extends Error {}

/** The same for an upload that arrived in one request and has no row yet; the row is made with the asset, already done. */
export async function finishAtOnce(
  deps: FinishDeps,
  upload: NewUpload,
  progress: Progress,
  described: Described = {},
  inTransaction: (tx: Transaction, finished: Finished) => Promise<void> = async () => undefined,
): Promise<Finished> {
  return makeAsset(deps, upload, upload.id, progress, described, async (tx, assetId, sha256) => {
    await insertUpload(tx, upload, { ...progress, assetId, expiryHours: deps.limits.uploadExpiryHours })
    await inTransaction(tx, { assetId, sha256 })
  })
}

async function makeAsset(
  deps: FinishDeps,
  upload: NewUpload,
  incomingName: string,
  progress: Progress,
  described: Described,
  inTransaction: (tx: Transaction, assetId: number, sha256: string) => Promise<void>,
): Promise<Finished> {
  const { blobs, database } = deps
  for (let attempt = 1; ; attempt++) {
    const blob = await blobs.publish(incomingName, {
      sizeBytes: progress.offsetBytes,
      crc32: progress.crc32,
      sha256: upload.declaredSha256,
    })
    try {
      const assetId = await database.transaction(async (tx) => {
        await demandPresent(tx, deps, blob)
        const { id } = await createAsset(tx, {
          ownerId: upload.ownerId,
          sha256: blob.sha256,
          sizeBytes: blob.sizeBytes,
          filename: upload.filename,
          folders: foldersOf(upload.relativePath, upload.filename),
          collectionId: await existingCollection(tx, upload.collectionId),
          ...described,
        })
        await inTransaction(tx, id, blob.sha256)
        return id
      })
      await blobs
        .discardIncoming(incomingName)
        .catch((error: unknown) =>
          deps.log.warn('an incoming file could not be removed; the janitor will', { upload: upload.id, error }),
        )
      deps.signals.uploadDone('stored', blob.sizeBytes)
      return { assetId, sha256: blob.sha256 }
    } catch (error) {
      // The bytes were released while we found them present: publish puts them back.
      if (attempt < 5 && (error instanceof BlobReleased || isForeignKeyViolation(error))) continue
      throw error
    }
  }
}

class BlobReleased extends Error {}

async function demandPresent(tx: Transaction, deps: FinishDeps, blob: Published): Promise<void> {
  await lockBlob(tx, blob.sha256, 'keep')
  if (!(await deps.blobs.has(blob.sha256, blob.sizeBytes))) throw new BlobReleased()
}

/** A collection deleted during the upload does not stop it. */
async function existingCollection(tx: Transaction, id: number | null): Promise<number | null> {
  if (id === null) return null
  const row = await tx.row<{ id: number }>(sql`select id from collection where id = ${id} for key share`)
  return row?.id ?? null
}
