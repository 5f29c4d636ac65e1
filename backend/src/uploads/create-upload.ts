import { createHash, randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { Problem } from '@dam/contract'
import type { Principal } from '../people/access.ts'
import { storageFault } from '../storage/storage-fault.ts'
import { appendToUpload, emptyFileProblem, type Appended } from './append-upload.ts'
import { concatenate } from './concatenate-upload.ts'
import { demandCollection, demandSize, describe } from './describe-upload.ts'
import { finishAtOnce } from './finish-upload.ts'
import {
  bindKey,
  findKeyed,
  fingerprintOf,
  idempotencyKeyOf,
  KeyTaken,
  type IdempotencyKey,
} from './idempotent-upload.ts'
import { receiveBody } from './receive-body.ts'
import { byteCount, parseChecksum, parseConcat, parseMetadata, type UploadChecksum } from './tus-headers.ts'
import { checkpointBytes, type UploadDeps } from './upload-deps.ts'
import { findUpload, insertUpload, type NewUpload, type UploadRow } from './upload-store.ts'

export type Created = Appended & { id: string; expiresAt: Date }

/** tus creation, with or without first bytes, of a whole file, a part, or a file made of parts. */
export async function createUpload(
  deps: UploadDeps,
  principal: Principal,
  request: { headers: IncomingHttpHeaders; body: Readable },
): Promise<Created> {
  const { headers } = request
  const concat = parseConcat(headers['upload-concat'])
  const lengthBytes = lengthOf(headers, concat?.kind)
  const header = typeof headers['upload-metadata'] === 'string' ? headers['upload-metadata'] : undefined
  const metadata = parseMetadata(header)
  const description = describe({
    filename: metadata.get('filename'),
    relativePath: metadata.get('relativePath'),
    collection: metadata.get('collection'),
    checksum: metadata.get('checksum'),
  })
  const key = idempotencyKeyOf(headers)
  const idempotency =
    key === undefined
      ? undefined
      : { key, fingerprint: fingerprintOf(['upload', lengthBytes, header ?? '', headers['upload-concat'] ?? '']) }
  const checksum = parseChecksum(headers['upload-checksum'])
  const carriesBytes = (byteCount(headers, 'content-length') ?? 0) > 0 || headers['transfer-encoding'] !== undefined
  if (carriesBytes && headers['content-type'] !== 'application/offset+octet-stream') {
    throw new Problem('unsupported-media-type', 'Send the bytes as application/offset+octet-stream.')
  }

  const known = idempotency && (await findKeyed(deps.database, principal.id, idempotency))
  if (known) return replay(deps, principal, known)
  await demandCollection(deps.database, description.collectionId)
  const upload: NewUpload = {
    id: randomUUID(),
    ownerId: principal.id,
    kind: concat?.kind ?? 'single',
    lengthBytes,
    ...description,
    metadata: header === undefined ? {} : { header },
    partIds: concat?.kind === 'final' ? concat.partIds : null,
  }
  try {
    if (concat?.kind === 'final') return await concatenate(deps, upload, idempotency)
    demandLength(deps, lengthBytes)
    using _reserved = await deps.budget.reserve(lengthBytes ?? 0)
    const atOnce =
      carriesBytes &&
      upload.kind === 'single' &&
      lengthBytes !== null &&
      lengthBytes <= checkpointBytes &&
      byteCount(headers, 'content-length') === lengthBytes
    if (atOnce) return await receiveAtOnce(deps, upload, lengthBytes, { source: request.body, checksum, idempotency })
    if (!carriesBytes) return { ...standing(await insert(deps, upload, idempotency)), assetId: null }
    await using lock = deps.locks.takeNew(upload.id)
    const row = await insert(deps, upload, idempotency, deps.locks.identity)
    lock.adopt(row)
    const appended = await appendToUpload(deps, row, { source: request.body, checksum, lock })
    return { ...standing(row), ...appended }
  } catch (error) {
    if (!(error instanceof KeyTaken) || !idempotency) throw error
    const earlier = await findKeyed(deps.database, principal.id, idempotency)
    if (!earlier) throw error
    return replay(deps, principal, earlier)
  }
}

function lengthOf(headers: IncomingHttpHeaders, kind: 'partial' | 'final' | undefined): number | null {
  const lengthBytes = byteCount(headers, 'upload-length')
  const deferred = headers['upload-defer-length']
  if (deferred !== undefined && deferred !== '1')
    throw new Problem('invalid-request', 'Upload-Defer-Length takes only the value 1.')
  if (kind === 'final') {
    if (lengthBytes !== undefined || deferred !== undefined)
      throw new Problem('invalid-request', 'A final upload has the length of its parts; leave out Upload-Length.')
    return null
  }
  if ((lengthBytes === undefined) === (deferred === undefined))
    throw new Problem('invalid-request', 'Send either Upload-Length or Upload-Defer-Length: 1.')
  if (lengthBytes === 0) throw emptyFileProblem()
  return lengthBytes ?? null
}

function demandLength(deps: Pick<UploadDeps, 'limits'>, lengthBytes: number | null): void {
  if (lengthBytes !== null) demandSize(lengthBytes, deps.limits.uploadMaxBytes)
}

const standing = (row: UploadRow): { id: string; expiresAt: Date; offsetBytes: number } => ({
  id: row.id,
  expiresAt: row.expiresAt,
  offsetBytes: row.offsetBytes,
})

async function insert(
  deps: UploadDeps,
  upload: NewUpload,
  idempotency: IdempotencyKey | undefined,
  holder?: string,
): Promise<UploadRow> {
  const more = {
    offsetBytes: 0,
    crc32: 0,
    expiryHours: deps.limits.uploadExpiryHours,
    ...(holder === undefined ? {} : { holder }),
  }
  if (!idempotency) return insertUpload(deps.database, upload, more)
  return deps.database.transaction(async (tx) => {
    await bindKey(tx, upload.ownerId, idempotency, upload.id)
    return insertUpload(tx, upload, more)
  })
}

/** The whole of a small file in one request: no row is written before the asset is, because nobody knows the address of the upload yet. */
async function receiveAtOnce(
  deps: UploadDeps,
  upload: NewUpload,
  lengthBytes: number,
  body: { source: Readable; checksum: UploadChecksum | undefined; idempotency: IdempotencyKey | undefined },
): Promise<Created> {
  const hash = body.checksum && createHash(body.checksum.algorithm)
  await using lock = deps.locks.takeNew(upload.id)
  try {
    await using file = await deps.blobs.openIncoming(upload.id, 0, 0)
    const { end } = await receiveBody({
      source: body.source,
      file,
      mostBytes: lengthBytes,
      signal: lock.interrupted,
      hash,
    })
    if (end === 'interrupted')
      throw new Problem('shutting-down', 'DAM is restarting. Send the file again in a few seconds.')
    if (end !== 'complete' || file.sizeBytes !== lengthBytes)
      throw new Problem('invalid-request', 'The connection ended before the file did. Send it again.')
    if (hash && !hash.digest().equals(body.checksum?.digest as Buffer)) {
      throw new Problem(
        'checksum-mismatch',
        'The bytes that arrived do not have the checksum in Upload-Checksum. They were discarded; send them again.',
      )
    }
    const progress = { offsetBytes: file.sizeBytes, crc32: file.crc32 }
    const { assetId } = await finishAtOnce(deps, upload, progress, {}, async (tx) => {
      if (body.idempotency) await bindKey(tx, upload.ownerId, body.idempotency, upload.id)
    })
    return {
      id: upload.id,
      offsetBytes: lengthBytes,
      assetId,
      expiresAt: new Date(Date.now() + deps.limits.uploadExpiryHours * 3_600_000),
    }
  } catch (error) {
    await deps.blobs.discardIncoming(upload.id).catch(() => undefined)
    if (error instanceof Problem && error.code === 'checksum-mismatch') deps.signals.uploadDone('rejected', lengthBytes)
    throw storageFault(error)
  }
}

async function replay(deps: UploadDeps, principal: Principal, id: string): Promise<Created> {
  const row = await findUpload(deps.database, id, principal.id)
  if (!row)
    throw new Problem(
      'idempotency-conflict',
      'The upload that this Idempotency-Key began does not exist any more. Use a new key.',
    )
  return { ...standing(row), assetId: row.assetId }
}
