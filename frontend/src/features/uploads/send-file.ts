import { pathOf } from '@dam/contract/client'
import type { ProblemBody } from '@dam/contract/problem'
import { DetailedError, Upload } from 'tus-js-client'
import type { UploadItem } from './upload-queue.ts'

/** One request carries this much; the server stores as it arrives, so an interruption loses less. */
const chunkBytes = 64 * 1024 * 1024

export type SendFailure = {
  retryable: boolean
  message: string
  status: number
  /** Expected end of the maintenance that refused it; null: it was something else. */
  maintenanceUntil: string | null
}

export type Sending = { stop: (discard: boolean) => Promise<void> }

/** Where the server is away, restarting, or says that another request still holds the upload. */
const retryableStatuses = new Set([0, 408, 409, 423, 425, 429, 500, 502, 503, 504])

export function failureOf(error: Error): SendFailure {
  const response = error instanceof DetailedError ? error.originalResponse : null
  const status = response?.getStatus() ?? 0
  let message = error instanceof DetailedError ? '' : error.message
  let maintenanceUntil: string | null = null
  try {
    const body = JSON.parse(response?.getBody() ?? '') as Partial<ProblemBody>
    message = body.detail ?? message
    if (body.error?.code === 'maintenance') maintenanceUntil = String(body.error.details['until'] ?? '')
  } catch {
    // Not a problem body: the status has to say it.
  }
  const isFileGone =
    !(error instanceof DetailedError) && /read|NotFound|NotReadable/i.test(`${error.name} ${error.message}`)
  return {
    status,
    maintenanceUntil,
    retryable: !isFileGone && retryableStatuses.has(status),
    message: message || (status === 0 ? '' : `HTTP ${status}`),
  }
}

const inOneRequestBytes = 4 * 1024 * 1024

/** Sends a file by tus, going on from what the server already has. */
export async function sendFile(
  item: UploadItem & { file: File; checksum: string },
  on: {
    progress: (bytes: number) => void
    url: (url: string) => void
    stored: (assetId: number | null) => void
    failed: (failure: SendFailure) => void
  },
): Promise<Sending> {
  let assetId: number | null = null
  const fingerprint = `dam:${item.checksum}:${item.size}:${item.collection ?? ''}:${item.relativePath}`
  const upload = new Upload(item.file, {
    endpoint: pathOf('createUpload'),
    ...(item.uploadUrl ? { uploadUrl: item.uploadUrl } : {}),
    chunkSize: chunkBytes,
    // A larger file learns its address before its bytes travel, so that a reload or a cut line resumes it.
    uploadDataDuringCreation: item.size <= inOneRequestBytes,
    retryDelays: null,
    removeFingerprintOnSuccess: true,
    fingerprint: async () => fingerprint,
    metadata: {
      filename: item.filename,
      filetype: item.file.type || 'application/octet-stream',
      relativePath: item.relativePath,
      checksum: item.checksum,
      ...(item.collection === null ? {} : { collection: String(item.collection) }),
    },
    onProgress: (sent) => on.progress(sent),
    onUploadUrlAvailable: () => {
      if (upload.url) on.url(upload.url)
    },
    onAfterResponse: (_request, response) => {
      const id = Number(response.getHeader('X-DAM-Asset'))
      if (Number.isSafeInteger(id) && id > 0) assetId = id
    },
    onSuccess: () => on.stored(assetId),
    onError: (error) => on.failed(failureOf(error)),
  })
  if (!item.uploadUrl) {
    const [previous] = await upload.findPreviousUploads()
    if (previous) upload.resumeFromPreviousUpload(previous)
  }
  upload.start()
  return { stop: (discard) => upload.abort(discard) }
}
