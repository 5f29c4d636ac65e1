import type { FastifyReply, FastifyRequest } from 'fastify'
import { pathOf, Problem, type Upload } from '@dam/contract'
import type { Handlers } from '../http/handler.ts'
import { pageOf } from '../http/page.ts'
import type { Principal } from '../people/access.ts'
import { appendToUpload, refuseEmpty } from './append-upload.ts'
import { createUpload } from './create-upload.ts'
import { demandSize } from './describe-upload.ts'
import { discardBody } from './discard-body.ts'
import { finishUpload } from './finish-upload.ts'
import { findKnownFiles } from './preflight.ts'
import {
  byteCount,
  checksumAlgorithms,
  demandTusVersion,
  parseChecksum,
  tusExtensions,
  tusVersion,
} from './tus-headers.ts'
import type { UploadDeps } from './upload-deps.ts'
import { lockedProblem } from './upload-lock.ts'
import { uploadOneFile } from './upload-one-file.ts'
import { declareLength, deleteUploads, findUnfinishedUploads, findUpload, type UploadRow } from './upload-store.ts'

type Names =
  | 'listUploads'
  | 'uploadOptions'
  | 'createUpload'
  | 'checkUploads'
  | 'getUploadOffset'
  | 'appendUpload'
  | 'cancelUpload'
  | 'createAsset'
  | 'uploadAsset'

const listedAtOnce = 100

/** tus 1.0 (https://tus.io/protocols/resumable-upload) on the durable store, and one-request uploads beside it. */
export function uploadHandlers(deps: UploadDeps): Pick<Handlers, Names> {
  const uploadUrl = (origin: string, id: string): string => origin + pathOf('getUploadOffset', { id })

  return {
    uploadOptions: async (_input, { reply }) => {
      void reply.headers({
        'tus-resumable': tusVersion,
        'tus-version': tusVersion,
        'tus-extension': tusExtensions,
        'tus-checksum-algorithm': checksumAlgorithms.join(','),
        'tus-max-size': String(deps.limits.uploadMaxBytes),
      })
    },

    listUploads: async (_input, { principal, request, origin }) => {
      const page = Math.max(1, Math.trunc(Number(new URL(request.url, origin).searchParams.get('page') ?? 1)) || 1)
      const rows = await findUnfinishedUploads(deps.database, principal.id, {
        limit: listedAtOnce,
        offset: (page - 1) * listedAtOnce,
      })
      return pageOf<Upload>({
        results: rows.map((row) => present(row, uploadUrl(origin, row.id))),
        count: rows[0]?.total ?? 0,
        page,
        pageSize: listedAtOnce,
        origin,
        url: request.url,
      })
    },

    checkUploads: async ({ body }, { principal, origin }) => ({
      results: await findKnownFiles(deps.database, principal, body.files, origin),
    }),

    createUpload: (_input, context) =>
      withBody(context, async () => {
        const { principal, request, reply, origin } = context
        beginTus(request, reply)
        const created = await createUpload(deps, principal, { headers: request.headers, body: request.raw })
        void reply.code(201).headers({
          location: uploadUrl(origin, created.id),
          'upload-offset': String(created.offsetBytes),
          'upload-expires': created.expiresAt.toUTCString(),
        })
        if (created.assetId !== null) void reply.header('x-dam-asset', String(created.assetId))
        return undefined
      }),

    getUploadOffset: async ({ params }, { principal, request, reply }) => {
      beginTus(request, reply)
      await demandUpload(deps, principal, params.id)
      await using lock = await deps.locks.take(params.id, 'look')
      let upload = demandStanding(lock.row)
      if (isWholeWithoutAsset(upload)) {
        await finishUpload(deps, upload, upload)
        upload = await demandUpload(deps, principal, params.id)
      }
      describeUpload(reply, upload)
      return reply.code(200).send()
    },

    appendUpload: ({ params }, context) =>
      withBody(context, async () => {
        const { principal, request, reply } = context
        beginTus(request, reply)
        const { headers, raw } = request
        if (headers['content-type'] !== 'application/offset+octet-stream') {
          throw new Problem('unsupported-media-type', 'Send the bytes as application/offset+octet-stream.')
        }
        const offsetBytes = byteCount(headers, 'upload-offset')
        if (offsetBytes === undefined) throw new Problem('invalid-request', 'Send the header Upload-Offset.')
        const checksum = parseChecksum(headers['upload-checksum'])
        demandAppendable(await demandUpload(deps, principal, params.id), offsetBytes)

        await using lock = await deps.locks.take(params.id, 'append')
        let upload = demandStanding(lock.row)
        demandAppendable(upload, offsetBytes)
        upload = await withLength(deps, upload, byteCount(headers, 'upload-length'))
        const bodyBytes = byteCount(headers, 'content-length')
        if (bodyBytes !== undefined && upload.lengthBytes !== null && offsetBytes + bodyBytes > upload.lengthBytes) {
          throw new Problem(
            'payload-too-large',
            `The upload declared ${upload.lengthBytes} bytes; these would make it longer.`,
          )
        }
        const appended =
          upload.state === 'done'
            ? { offsetBytes, assetId: upload.assetId }
            : isWholeWithoutAsset(upload)
              ? { offsetBytes, assetId: (await finishUpload(deps, upload, upload)).assetId }
              : await appendToUpload(deps, upload, { source: raw, checksum, lock })
        void reply
          .code(204)
          .headers({ 'upload-offset': String(appended.offsetBytes), 'upload-expires': upload.expiresAt.toUTCString() })
        if (appended.assetId !== null) void reply.header('x-dam-asset', String(appended.assetId))
        return undefined
      }),

    cancelUpload: async ({ params }, { principal, request, reply }) => {
      beginTus(request, reply)
      await demandUpload(deps, principal, params.id, 'even-ended')
      await using lock = await deps.locks.take(params.id, 'cancel')
      const upload = demandStanding(lock.row, 'even-ended')
      if (upload.state === 'done' && upload.kind !== 'partial') {
        throw new Problem('upload-not-found', 'This upload is complete already. Delete the asset instead.')
      }
      await deleteUploads(deps.database, [upload.id])
      await deps.blobs.discardIncoming(upload.incomingName)
      if (upload.state !== 'failed') deps.signals.uploadDone('cancelled', upload.offsetBytes)
      void reply.code(204)
      return undefined
    },

    createAsset: (_input, context) => withBody(context, () => uploadOneFile(deps, context)),
    uploadAsset: (_input, context) => withBody(context, () => uploadOneFile(deps, context)),
  }
}

/** A refused body is read to its end, so that the client gets to see why. */
async function withBody<T>(
  context: { request: FastifyRequest; reply: FastifyReply },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const isMeanwhileElsewhere =
      error instanceof Problem && (error.code === 'upload-locked' || error.code === 'shutting-down')
    if (isMeanwhileElsewhere) void context.reply.header('connection', 'close')
    else await discardBody(context.request, context.reply)
    throw error
  }
}

function beginTus(request: FastifyRequest, reply: FastifyReply): void {
  void reply.headers({ 'tus-resumable': tusVersion, 'tus-version': tusVersion, 'cache-control': 'no-store' })
  demandTusVersion(request.headers)
}

/** The caller's own upload; anybody else's does not exist. */
async function demandUpload(
  deps: UploadDeps,
  principal: Principal,
  id: string,
  ended: 'even-ended' | 'only-living' = 'only-living',
): Promise<UploadRow> {
  return demandStanding(await findUpload(deps.database, id, principal.id), ended)
}

function demandStanding(upload: UploadRow | undefined, ended: 'even-ended' | 'only-living' = 'only-living'): UploadRow {
  if (!upload)
    throw new Problem(
      'upload-not-found',
      'There is no such upload. It may have been cancelled or cleaned up; begin again.',
    )
  if (ended === 'only-living') {
    if (upload.state === 'failed')
      throw new Problem('upload-expired', upload.error ?? 'This upload failed. Begin again.')
    if (upload.state !== 'done' && upload.expired)
      throw new Problem('upload-expired', 'This upload was left alone for too long. Begin again.')
  }
  return upload
}

function demandAppendable(upload: UploadRow, offsetBytes: number): void {
  if (upload.kind === 'final') throw new Problem('not-allowed', 'A file made of parts takes no bytes of its own.')
  if (upload.offsetBytes === offsetBytes && (upload.state !== 'done' || upload.offsetBytes === upload.lengthBytes))
    return
  throw new Problem(
    'offset-mismatch',
    `The upload is at byte ${upload.offsetBytes}, not ${offsetBytes}. Go on from there.`,
    { details: { offset: upload.offsetBytes } },
  )
}

const isWholeWithoutAsset = (upload: UploadRow): boolean =>
  upload.kind !== 'partial' &&
  upload.state !== 'done' &&
  upload.lengthBytes !== null &&
  upload.offsetBytes === upload.lengthBytes

async function withLength(deps: UploadDeps, upload: UploadRow, lengthBytes: number | undefined): Promise<UploadRow> {
  if (lengthBytes === undefined) return upload
  if (upload.lengthBytes !== null) {
    if (upload.lengthBytes === lengthBytes) return upload
    throw new Problem('invalid-request', `The length of this upload is ${upload.lengthBytes} and cannot change.`)
  }
  if (lengthBytes === 0) await refuseEmpty(deps, upload)
  demandSize(lengthBytes, deps.limits.uploadMaxBytes)
  if (lengthBytes < upload.offsetBytes)
    throw new Problem('invalid-request', `${upload.offsetBytes} bytes are here already; the length cannot be less.`)
  using _reserved = await deps.budget.reserve(lengthBytes - upload.offsetBytes)
  if ((await declareLength(deps.database, upload, lengthBytes)) === 0) throw lockedProblem()
  return { ...upload, lengthBytes }
}

function describeUpload(reply: FastifyReply, upload: UploadRow): void {
  void reply.headers({ 'upload-offset': String(upload.offsetBytes), 'upload-expires': upload.expiresAt.toUTCString() })
  if (upload.lengthBytes === null) void reply.header('upload-defer-length', '1')
  else void reply.header('upload-length', String(upload.lengthBytes))
  if (upload.metadata.header) void reply.header('upload-metadata', upload.metadata.header)
  if (upload.kind === 'partial') void reply.header('upload-concat', 'partial')
  if (upload.kind === 'final')
    void reply.header(
      'upload-concat',
      `final;${(upload.partIds ?? []).map((id) => pathOf('getUploadOffset', { id })).join(' ')}`,
    )
  if (upload.assetId !== null) void reply.header('x-dam-asset', String(upload.assetId))
}

const present = (row: UploadRow, url: string): Upload => ({
  id: row.id,
  url,
  filename: row.filename,
  relative_path: row.relativePath,
  length: row.lengthBytes,
  offset: row.offsetBytes,
  state: row.state,
  error: row.error,
  asset_id: row.assetId,
  date_added: row.createdAt.toISOString(),
  expires_at: row.expiresAt.toISOString(),
})
