import { open } from 'node:fs/promises'
import { Problem } from '@dam/contract'
import { hashFile } from '../storage/hash-file.ts'
import { errnoOf, storageFault } from '../storage/storage-fault.ts'
import { demandSize } from './describe-upload.ts'
import { finishAtOnce } from './finish-upload.ts'
import { bindKey, type IdempotencyKey } from './idempotent-upload.ts'
import type { Created } from './create-upload.ts'
import type { UploadDeps } from './upload-deps.ts'
import { findFinishedFinal, findUploads, type NewUpload, type UploadRow } from './upload-store.ts'

/** Makes one file of finished parts, in the order given, and its asset. The same parts asked for again give the same upload. */
export async function concatenate(
  deps: UploadDeps,
  upload: NewUpload,
  idempotency: IdempotencyKey | undefined,
): Promise<Created> {
  const partIds = upload.partIds ?? []
  const done = await findFinishedFinal(deps.database, partIds, upload.ownerId)
  if (done) return { id: done.id, expiresAt: done.expiresAt, offsetBytes: done.offsetBytes, assetId: done.assetId }
  const parts = await demandParts(deps, partIds, upload.ownerId)
  const lengthBytes = parts.reduce((sum, part) => sum + part.offsetBytes, 0)
  demandSize(lengthBytes, deps.limits.uploadMaxBytes)
  using _reserved = await deps.budget.reserve(lengthBytes)
  await using _lock = deps.locks.takeNew(upload.id)
  try {
    await using file = await deps.blobs.openIncoming(upload.id, 0, 0)
    for (const part of parts) {
      await using source = await open(deps.blobs.incomingPath(part.incomingName), 'r').catch((error: unknown) => {
        throw errnoOf(error) === 'ENOENT' ? missingPart(part.id) : error
      })
      const digest = await hashFile(source, { onBytes: (bytes) => file.append([bytes]) })
      if (digest.sizeBytes !== part.offsetBytes || digest.crc32 !== part.crc32) {
        throw new Problem(
          'checksum-mismatch',
          'A part does not hold the bytes that were sent for it any more. Upload the file again, and tell an administrator.',
        )
      }
    }
    const progress = { offsetBytes: lengthBytes, crc32: file.crc32 }
    const { assetId } = await finishAtOnce(deps, { ...upload, lengthBytes }, progress, {}, async (tx) => {
      if (idempotency) await bindKey(tx, upload.ownerId, idempotency, upload.id)
    })
    for (const part of parts) await deps.blobs.discardIncoming(part.incomingName)
    return {
      id: upload.id,
      offsetBytes: lengthBytes,
      assetId,
      expiresAt: new Date(Date.now() + deps.limits.uploadExpiryHours * 3_600_000),
    }
  } catch (error) {
    await deps.blobs.discardIncoming(upload.id).catch(() => undefined)
    throw storageFault(error)
  }
}

async function demandParts(deps: UploadDeps, ids: readonly string[], ownerId: number): Promise<UploadRow[]> {
  const byId = new Map((await findUploads(deps.database, ids, ownerId)).map((row) => [row.id, row]))
  return ids.map((id) => {
    const part = byId.get(id)
    if (!part || part.kind !== 'partial') throw missingPart(id)
    if (part.state !== 'done')
      throw new Problem('invalid-request', 'One of the parts is not complete yet.', { details: { part: id } })
    return part
  })
}

const missingPart = (id: string): Problem =>
  new Problem('upload-not-found', 'One of the parts does not exist (any more).', { details: { part: id } })
