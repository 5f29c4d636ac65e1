import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { Problem } from '@dam/contract'
import { storageFault } from '../storage/storage-fault.ts'
import { finishUpload } from './finish-upload.ts'
import { receiveBody } from './receive-body.ts'
import type { UploadChecksum } from './tus-headers.ts'
import { checkpointBytes, checkpointMs, type UploadDeps } from './upload-deps.ts'
import { lockedProblem, type Interruption, type UploadLock } from './upload-lock.ts'
import { adoptFile } from './upload-hold-store.ts'
import { commitOffset, markFailed, type UploadRow } from './upload-store.ts'

export type Appended = { offsetBytes: number; assetId: number | null }

/**
 * Takes bytes for an upload whose lock is held, from its committed offset on. Whatever the end of the body, bytes that arrived are made
 * durable and committed, unless a checksum was promised for them or a newer request made them worthless.
 */
export async function appendToUpload(
  deps: UploadDeps,
  upload: UploadRow,
  body: { source: Readable; checksum: UploadChecksum | undefined; lock: UploadLock },
): Promise<Appended> {
  const most = (upload.lengthBytes ?? deps.limits.uploadMaxBytes) - upload.offsetBytes
  const hash = body.checksum && createHash(body.checksum.algorithm)
  let row = upload
  const commit = async (to: { offsetBytes: number; crc32: number }): Promise<void> => {
    if (!(await commitOffset(deps.database, row, to, deps.limits.uploadExpiryHours))) throw lockedProblem()
    row = { ...row, ...to }
  }

  try {
    if (upload.fileDisputed) row = await ownFile(deps, upload)
    await using file = await deps.blobs.openIncoming(row.incomingName, upload.offsetBytes, upload.crc32)
    const now = (): { offsetBytes: number; crc32: number } => ({ offsetBytes: file.sizeBytes, crc32: file.crc32 })
    const { end } = await receiveBody({
      source: body.source,
      file,
      mostBytes: most,
      signal: body.lock.interrupted,
      hash,
      checkpoint: hash
        ? undefined
        : { everyBytes: checkpointBytes, everyMs: checkpointMs, commit: () => commit(now()) },
    })

    if (end === 'too-long') {
      throw new Problem(
        'payload-too-large',
        upload.lengthBytes === null
          ? 'The file is larger than this server accepts.'
          : 'More bytes were sent than the upload declared as its length. Nothing of this request was kept.',
      )
    }
    if (end === 'complete' && hash && !hash.digest().equals(body.checksum?.digest as Buffer)) {
      throw new Problem(
        'checksum-mismatch',
        'The bytes that arrived do not have the checksum in Upload-Checksum. They were discarded; send them again.',
      )
    }
    const reason = body.lock.interrupted.reason as Interruption | undefined
    const keep = end === 'complete' || (!hash && (end !== 'interrupted' || reason === 'look' || reason === 'stop'))
    const isWhole = end === 'complete' && file.sizeBytes === row.lengthBytes
    if (
      keep &&
      file.sizeBytes > row.offsetBytes &&
      !(isWhole && row.kind === 'single' && file.sizeBytes - row.offsetBytes < checkpointBytes)
    ) {
      await file.sync()
      await commit(now())
    }
    if (end === 'interrupted') {
      if (reason === 'stop')
        throw new Problem('shutting-down', 'DAM is restarting. What arrived is kept; resume in a few seconds.')
      throw new Problem(
        'upload-locked',
        'A newer request for this upload took over. Ask for the offset and go on from there.',
      )
    }
    if (end === 'silent')
      throw new Problem(
        'invalid-request',
        'Nothing arrived for too long. What did arrive is kept; ask for the offset and go on from there.',
      )
    if (end === 'cut')
      throw new Problem('invalid-request', 'The connection ended before the request did. What arrived is kept.')
    if (!isWhole || row.kind !== 'single') return { offsetBytes: row.offsetBytes, assetId: null }
    const { assetId } = await finishUpload(deps, row, now())
    return { offsetBytes: file.sizeBytes, assetId }
  } catch (error) {
    throw storageFault(error)
  }
}

/** The committed bytes in a file of another name, because the holder before may still have the old one open. */
async function ownFile(deps: UploadDeps, upload: UploadRow): Promise<UploadRow> {
  const incomingName = `${upload.id}.${upload.grip}`
  await deps.blobs.copyIncoming(upload.incomingName, incomingName, upload.offsetBytes)
  if (!(await adoptFile(deps.database, upload.id, upload.grip))) throw lockedProblem()
  await deps.blobs.discardIncoming(upload.incomingName)
  return { ...upload, incomingName, fileDisputed: false }
}

/** Refuses files of no bytes; the upload cannot be resumed. */
export async function refuseEmpty(deps: UploadDeps, upload: UploadRow): Promise<never> {
  const problem = emptyFileProblem()
  if ((await markFailed(deps.database, upload, problem.message)) === 0) throw lockedProblem()
  await deps.blobs.discardIncoming(upload.incomingName)
  deps.signals.uploadDone('rejected', 0)
  throw problem
}

export const emptyFileProblem = (): Problem =>
  new Problem(
    'validation-failed',
    'The file is empty (0 bytes), so there is nothing to store. Check that it was copied completely.',
    {
      fields: { file: ['The file is empty (0 bytes).'] },
    },
  )
