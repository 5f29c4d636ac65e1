import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { Busboy } from '@fastify/busboy'
import { z } from 'zod'
import { Problem, type Asset } from '@dam/contract'
import { assetFromChecksum, assetPatch } from '@dam/contract/schemas'
import { createAsset } from '../assets/create-asset.ts'
import type { Context } from '../http/handler.ts'
import { once } from '../http/idempotency.ts'
import { problemOfParse } from '@dam/contract/problem-of-parse'
import { storageFault } from '../storage/storage-fault.ts'
import { emptyFileProblem } from './append-upload.ts'
import { demandCollection, demandSize, describe } from './describe-upload.ts'
import { cleanFilename, foldersOf } from './file-name.ts'
import { finishAtOnce } from './finish-upload.ts'
import { bindKey, findKeyed, fingerprintOf, idempotencyKeyOf, KeyTaken } from './idempotent-upload.ts'
import { createPulse, idleAfterMs, receiveBody } from './receive-body.ts'
import type { UploadDeps } from './upload-deps.ts'
import { findUpload, type NewUpload } from './upload-store.ts'
import { findVisibleBytes } from './visible-bytes.ts'

const metadataPart = z.strictObject({
  ...assetPatch.shape,
  filename: z.string().min(1).max(1000).optional(),
  relative_path: z.string().max(4000).optional(),
  collection: z.number().int().positive().optional(),
  checksum: z.string().max(64).optional(),
})
type MetadataPart = z.output<typeof metadataPart>
type CreateContext = Pick<Context<'createAsset'>, 'principal' | 'request' | 'reply' | 'origin'>

/** One file in one request: multipart `file` with optional `metadata` before or after it, or JSON naming bytes that are here already. */
export async function uploadOneFile(deps: UploadDeps, context: CreateContext): Promise<Asset> {
  const type = context.request.headers['content-type'] ?? ''
  const id = /^application\/json\b/i.test(type)
    ? await copyBytes(deps, context)
    : await receiveForm(deps, context, type)
  void context.reply.code(201)
  const asset = await deps.readAsset(context.principal, id, context.origin)
  void context.reply.header('location', asset.url)
  return asset
}

async function copyBytes(deps: UploadDeps, { principal, request }: CreateContext): Promise<number> {
  const parsed = assetFromChecksum.safeParse(request.body)
  if (!parsed.success) throw problemOfParse(parsed.error, 'body')
  const { checksum, filename, relative_path, collection } = parsed.data
  const description = describe({ filename, relativePath: relative_path, collection, checksum })
  const make = async (): Promise<{ status: number; body: { id: number } }> => {
    await demandCollection(deps.database, description.collectionId)
    const body = await deps.database.transaction(async (tx) => {
      const bytes = await findVisibleBytes(tx, principal, checksum)
      if (!bytes) throw new Problem('asset-not-found', 'There is no file with this checksum. Send its bytes.')
      return createAsset(tx, {
        ownerId: principal.id,
        sha256: checksum,
        sizeBytes: bytes.sizeBytes,
        filename: description.filename,
        folders: foldersOf(description.relativePath, description.filename),
        collectionId: description.collectionId,
      })
    })
    deps.signals.uploadDone('duplicate', 0)
    return { status: 201, body }
  }
  const key = idempotencyKeyOf(request.headers)
  const answer =
    key === undefined
      ? await make()
      : await once(deps.database, { accountId: principal.id, key, route: 'createAsset', body: parsed.data }, make)
  return (answer.body as { id: number }).id
}

async function receiveForm(deps: UploadDeps, context: CreateContext, type: string): Promise<number> {
  if (!/^multipart\/form-data\b/i.test(type)) {
    throw new Problem(
      'unsupported-media-type',
      'Send multipart/form-data with a part named file, or application/json with the checksum of bytes that are here already.',
    )
  }
  const { principal, request } = context
  const id = randomUUID()
  await using lock = deps.locks.takeNew(id)
  try {
    await using file = await deps.blobs.openIncoming(id, 0, 0)
    using _reserved = await deps.budget.reserve(Number(request.headers['content-length'] ?? 0) || 0)
    const form = await readForm(
      deps,
      request.raw,
      request.headers as { 'content-type': string },
      lock.interrupted,
      file,
    )
    if (form.filename === undefined)
      throw new Problem('validation-failed', 'There is no part named file in the form.', {
        fields: { file: ['This part is required.'] },
      })
    if (file.sizeBytes === 0) throw emptyFileProblem()
    const { metadata } = form
    const description = describe({
      filename: metadata.filename ?? form.filename,
      relativePath: metadata.relative_path,
      collection: metadata.collection,
      checksum: metadata.checksum,
    })
    await demandCollection(deps.database, description.collectionId)
    const upload: NewUpload = {
      id,
      ownerId: principal.id,
      kind: 'single',
      lengthBytes: file.sizeBytes,
      ...description,
      metadata: {},
      partIds: null,
    }
    const described = {
      ...(metadata.label === undefined ? {} : { label: metadata.label }),
      ...(metadata.description === undefined ? {} : { description: metadata.description }),
      ...(metadata.tags === undefined ? {} : { tags: metadata.tags }),
    }
    const key = idempotencyKeyOf(request.headers)
    const fingerprint = (sha256: string): Buffer => fingerprintOf(['form', sha256, description, described])
    try {
      const finished = await finishAtOnce(
        deps,
        upload,
        { offsetBytes: file.sizeBytes, crc32: file.crc32 },
        described,
        async (tx, { sha256 }) => {
          if (key !== undefined) await bindKey(tx, principal.id, { key, fingerprint: fingerprint(sha256) }, id)
        },
      )
      return finished.assetId
    } catch (error) {
      if (!(error instanceof KeyTaken) || key === undefined) throw error
      const { sha256 } = await deps.blobs.publish(id, { sizeBytes: file.sizeBytes, crc32: file.crc32 })
      const earlier = await findKeyed(deps.database, principal.id, { key, fingerprint: fingerprint(sha256) })
      const assetId = earlier && (await findUpload(deps.database, earlier, principal.id))?.assetId
      if (!assetId)
        throw new Problem(
          'idempotency-conflict',
          'The asset that this Idempotency-Key made does not exist any more. Use a new key.',
        )
      await deps.blobs.discardIncoming(id)
      return assetId
    }
  } catch (error) {
    await deps.blobs.discardIncoming(id).catch(() => undefined)
    throw storageFault(error)
  }
}

type Form = { filename: string | undefined; metadata: MetadataPart }

/** Streams the part `file` into `target`; small text parts are kept. Unknown parts are refused. */
async function readForm(
  deps: UploadDeps,
  raw: Readable,
  headers: { 'content-type': string },
  signal: AbortSignal,
  target: Parameters<typeof receiveBody>[0]['file'],
): Promise<Form> {
  const parser = parserFor(headers)
  const fields: Record<string, string> = {}
  let filename: string | undefined
  let received: Promise<void> | undefined
  const refused = Promise.withResolvers<never>()
  const refuse = (message: string, code: 'invalid-request' | 'payload-too-large' = 'invalid-request'): void =>
    refused.reject(new Problem(code, message))
  refused.promise.catch(() => undefined)

  parser.on('field', (name, value, nameTruncated, valueTruncated) => {
    if (nameTruncated || valueTruncated) refuse('A text part of the form is too long.')
    else fields[name] = value
  })
  parser.on('file', (name, stream, givenName) => {
    if (name !== 'file' || received) return refuse('The form takes one file, in a part named file.')
    filename = cleanFilename(givenName ?? '')
    received = (async () => {
      const { end } = await receiveBody({ source: stream, file: target, mostBytes: deps.limits.uploadMaxBytes, signal })
      if (end === 'too-long') demandSize(deps.limits.uploadMaxBytes + 1, deps.limits.uploadMaxBytes)
      if (end === 'interrupted')
        throw new Problem('shutting-down', 'DAM is restarting. Send the file again in a few seconds.')
      if (end === 'silent') throw new Problem('invalid-request', 'Nothing arrived for too long. Send the file again.')
      if (end === 'cut')
        throw new Problem('invalid-request', 'The connection ended before the form did. Send it again.')
    })()
    received.catch(refused.reject)
  })
  parser.on('filesLimit', () => refuse('The form takes one file.'))
  parser.on('fieldsLimit', () => refuse('The form has too many parts.'))
  const parsed = new Promise<void>((resolve, reject) => {
    parser.once('finish', resolve)
    parser.once('error', () =>
      reject(new Problem('invalid-request', 'The form is not valid multipart/form-data, or it ended early.')),
    )
    raw.once('error', () =>
      reject(new Problem('invalid-request', 'The connection ended before the form did. Send it again.')),
    )
    raw.once('close', () => {
      if (!raw.readableEnded)
        reject(new Problem('invalid-request', 'The connection ended before the form did. Send it again.'))
    })
  })
  parsed.catch(() => undefined)
  const pulse = createPulse(
    idleAfterMs,
    () => !raw.isPaused(),
    () => refuse('Nothing arrived for too long. Send the file again.'),
  )
  const onData = (chunk: Buffer): void => pulse.beat(chunk.length)
  raw.on('data', onData).pipe(parser)
  try {
    await Promise.race([parsed, refused.promise])
    await received
  } finally {
    pulse.stop()
    raw.off('data', onData).unpipe(parser)
  }
  return { filename, metadata: parseMetadataPart(fields) }
}

function parserFor(headers: { 'content-type': string }): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers,
      preservePath: true,
      limits: { files: 1, fields: 20, fieldSize: 256 * 1024, fieldNameSize: 100, headerPairs: 50, headerSize: 16_384 },
    })
  } catch (error) {
    throw new Problem(
      'invalid-request',
      'The form is not valid multipart/form-data: its Content-Type names no boundary.',
      { cause: error },
    )
  }
}

/** `metadata` as JSON, or the same names as text parts of their own. */
function parseMetadataPart(fields: Record<string, string>): MetadataPart {
  const { metadata, ...others } = fields
  let value: Record<string, unknown> = {}
  if (metadata !== undefined) {
    try {
      value = JSON.parse(metadata) as Record<string, unknown>
    } catch (error) {
      throw new Problem('invalid-request', 'The part metadata is not valid JSON.', {
        cause: error,
        fields: { metadata: ['Not valid JSON.'] },
      })
    }
  }
  const { tags, collection, ...texts } = others
  const parsed = metadataPart.safeParse({
    ...texts,
    ...(tags === undefined
      ? {}
      : {
          tags: tags
            .split(',')
            .map((tag) => tag.trim())
            .filter(Boolean),
        }),
    ...(collection === undefined ? {} : { collection: Number(collection) }),
    ...value,
  })
  if (!parsed.success) throw problemOfParse(parsed.error, 'body')
  return parsed.data
}
