import { open, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '@dam/contract'
import { presets } from '@dam/contract/schemas'
import type { Database } from '@dam/platform/database'
import type { Log } from '@dam/platform/log'
import type { Handlers } from '../http/handler.ts'
import { requestIngest } from '../ingest/ingest-task.ts'
import type { Principal } from '../people/access.ts'
import type { BlobStore } from '../storage/blob-store.ts'
import { errnoOf, storageFault } from '../storage/storage-fault.ts'
import { allowsRange, matchesTag, parseRange } from './byte-range.ts'
import { contentDisposition } from './content-disposition.ts'
import type { RenditionMemory, RememberedRendition } from './rendition-memory.ts'
import { findServedAsset, findServedRendition, type ServedAsset, type ServedRendition } from './served-asset.ts'
import { servedType, userContentHeaders } from './served-type.ts'

export type DownloadDeps = {
  database: Database
  blobs: BlobStore
  renditionsFolder: string
  memory: RenditionMemory
  /** Hears of every rendition that a caller was found allowed to see. */
  onAllowed?: (principal: Principal, assetId: number) => void
  log: Log
}

const foreverSeconds = 31_536_000
const streamStepBytes = 256 * 1024

export function downloadHandlers(deps: DownloadDeps): Pick<Handlers, 'downloadAsset' | 'getRendition'> {
  return {
    downloadAsset: async ({ params, query }, { principal, request, reply }) => {
      const inline = query.inline === '1' || query.inline === 'true'
      if (query.preset !== undefined) {
        const { asset, rendition } = await loadRendition(deps, principal, params.id, query.preset)
        const extension = path.extname(deps.renditionsFolder + rendition.file)
        const filename = `${asset.filename.replace(/(?<=[^.])\.[^.]*$/u, '')}-${query.preset}${extension}`
        return sendBytes(request, reply, rendition, {
          cacheControl: 'private, no-cache',
          disposition: contentDisposition(inline ? 'inline' : 'attachment', filename),
        })
      }
      const asset = await findServedAsset(deps.database, principal, params.id)
      if (!asset) throw notFound()
      return sendOriginal(deps, asset, inline, request, reply)
    },

    getRendition: async ({ params, query }, { principal, request, reply }) => {
      const { asset, rendition } = await loadRendition(deps, principal, params.id, params.preset)
      deps.onAllowed?.(principal, asset.id)
      const isExact = query.v === String(asset.previewVersion)
      return sendBytes(request, reply, rendition, {
        cacheControl: isExact ? `private, max-age=${foreverSeconds}, immutable` : 'private, no-cache',
      })
    },
  }
}

const notFound = (): Problem => new Problem('asset-not-found', 'There is no such asset.')

async function sendOriginal(
  deps: DownloadDeps,
  asset: ServedAsset,
  inline: boolean,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { contentType, mayInline } = servedType(asset.mimeType)
  const etag = `"${asset.sha256}"`
  void reply.headers({
    ...userContentHeaders,
    etag,
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    'content-disposition': contentDisposition(inline && mayInline ? 'inline' : 'attachment', asset.filename),
  })
  if (matchesTag(request.headers['if-none-match'], etag)) return reply.code(304).send()
  const range = allowsRange(request.headers['if-range'], etag)
    ? parseRange(request.headers.range, asset.sizeBytes)
    : 'whole'
  if (range === 'unsatisfiable') {
    void reply.headers({ 'content-range': `bytes */${asset.sizeBytes}` }).removeHeader('content-disposition')
    throw new Problem('range-not-satisfiable', `The file has ${asset.sizeBytes} bytes.`)
  }
  const { first, last } = range === 'whole' ? { first: 0, last: asset.sizeBytes - 1 } : range
  const handle = await deps.blobs.openOriginal(asset.sha256, asset.sizeBytes)
  void reply.headers({ 'content-type': contentType, 'content-length': String(last - first + 1) })
  if (range !== 'whole') void reply.code(206).header('content-range', `bytes ${first}-${last}/${asset.sizeBytes}`)
  else void reply.code(200)
  if (request.method === 'HEAD') {
    await handle.close()
    return reply.send(Readable.from([]))
  }
  return reply.send(handle.createReadStream({ start: first, end: last, highWaterMark: streamStepBytes }))
}

type LoadedRendition = ServedRendition & { bytes: Buffer }

async function loadRendition(
  deps: DownloadDeps,
  principal: Principal,
  id: number,
  preset: string,
): Promise<{ asset: ServedAsset; rendition: LoadedRendition }> {
  if (!presets.some((known) => known === preset)) {
    throw new Problem('rendition-not-found', `There is no rendition of that name. There are: ${presets.join(', ')}.`)
  }
  const found = await findServedRendition(deps.database, principal, id, preset)
  if (!found) throw notFound()
  const { asset, rendition } = found
  if (!rendition) throw missingRendition(asset)
  const known = deps.memory.get(id, preset)
  if (known && known.etag === rendition.etag && known.previewVersion === asset.previewVersion)
    return { asset, rendition: { ...rendition, bytes: known.bytes } }
  const bytes = await readRendition(deps, asset, rendition)
  const remembered: RememberedRendition = {
    bytes,
    mimeType: rendition.mimeType,
    etag: rendition.etag,
    previewVersion: asset.previewVersion,
  }
  deps.memory.set(id, preset, remembered)
  return { asset, rendition: { ...rendition, bytes } }
}

/** A rendition that is not on the disk as it should be is made again. */
async function readRendition(deps: DownloadDeps, asset: ServedAsset, rendition: ServedRendition): Promise<Buffer> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path.join(deps.renditionsFolder, rendition.file), 'r')
    const bytes = await handle.readFile()
    if (bytes.length === rendition.sizeBytes) return bytes
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw storageFault(error)
  } finally {
    await handle?.close()
  }
  deps.log.warn('a rendition is not on the disk as it should be; it is made again', {
    asset_id: asset.id,
    file: rendition.file,
  })
  await requestIngest(deps.database, asset.id, 'previews')
  throw new Problem('rendition-unavailable', 'This preview is being made again. Ask for it in a few seconds.', {
    details: { retry_after: 5 },
  })
}

function missingRendition(asset: ServedAsset): Problem {
  if (asset.previewState === 'pending') {
    return new Problem('rendition-unavailable', 'The preview is not ready yet. Ask for it in a few seconds.', {
      details: { retry_after: 5 },
    })
  }
  return new Problem('rendition-not-found', asset.previewReason ?? 'This asset has no preview.')
}

function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  rendition: LoadedRendition,
  more: { cacheControl: string; disposition?: string },
): FastifyReply {
  void reply.headers({
    ...userContentHeaders,
    etag: rendition.etag,
    'cache-control': more.cacheControl,
    ...(more.disposition ? { 'content-disposition': more.disposition } : {}),
  })
  if (matchesTag(request.headers['if-none-match'], rendition.etag)) return reply.code(304).send()
  return reply.code(200).header('content-type', rendition.mimeType).send(rendition.bytes)
}
