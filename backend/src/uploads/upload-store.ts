import { sql, type Querier } from '@dam/platform/database'

export type UploadKind = 'single' | 'partial' | 'final'

/** One row of table `upload`. `offsetBytes` are safe on the disk; nothing else says how far an upload is. */
export type UploadRow = {
  id: string
  ownerId: number
  kind: UploadKind
  lengthBytes: number | null
  offsetBytes: number
  crc32: number
  filename: string
  relativePath: string
  collectionId: number | null
  /** `header`: Upload-Metadata as the client sent it. */
  metadata: { header?: string }
  declaredSha256: string | null
  partIds: string[] | null
  state: 'receiving' | 'finalising' | 'done' | 'failed'
  error: string | null
  assetId: number | null
  createdAt: Date
  expiresAt: Date
  /** By the clock of the database. */
  expired: boolean
}

const columns = sql`id, owner_id as "ownerId", kind, length_bytes as "lengthBytes", offset_bytes as "offsetBytes", crc32, filename,
  relative_path as "relativePath", collection_id as "collectionId", metadata, declared_sha256 as "declaredSha256", part_ids as "partIds",
  state, error, asset_id as "assetId", created_at as "createdAt", expires_at as "expiresAt", expires_at < now() as expired`

export type NewUpload = Pick<
  UploadRow,
  | 'id'
  | 'ownerId'
  | 'kind'
  | 'lengthBytes'
  | 'filename'
  | 'relativePath'
  | 'collectionId'
  | 'metadata'
  | 'declaredSha256'
  | 'partIds'
>

export type Progress = { offsetBytes: number; crc32: number }

export async function insertUpload(
  querier: Querier,
  upload: NewUpload,
  more: Progress & { expiryHours: number; assetId?: number },
): Promise<UploadRow> {
  const row = await querier.row<UploadRow>(sql`
    insert into upload (id, owner_id, kind, length_bytes, offset_bytes, crc32, filename, relative_path, collection_id, metadata,
      declared_sha256, part_ids, state, asset_id, expires_at)
    values (${upload.id}, ${upload.ownerId}, ${upload.kind}, ${upload.lengthBytes}, ${more.offsetBytes}, ${more.crc32}, ${upload.filename},
      ${upload.relativePath}, ${upload.collectionId}, ${JSON.stringify(upload.metadata)}::jsonb, ${upload.declaredSha256}, ${upload.partIds},
      ${more.assetId === undefined ? 'receiving' : 'done'}, ${more.assetId ?? null}, now() + make_interval(hours => ${more.expiryHours}))
    returning ${columns}`)
  if (!row) throw new Error('insert returned no row')
  return row
}

export const findUpload = (querier: Querier, id: string, ownerId: number): Promise<UploadRow | undefined> =>
  querier.row<UploadRow>(sql`select ${columns} from upload where id = ${id} and owner_id = ${ownerId}`)

export const findUploads = (querier: Querier, ids: readonly string[], ownerId: number): Promise<UploadRow[]> =>
  querier.rows<UploadRow>(sql`select ${columns} from upload where id = any(${ids}) and owner_id = ${ownerId}`)

/** Uploads of one user that can be resumed or have failed, newest first. */
export const findUnfinishedUploads = (
  querier: Querier,
  ownerId: number,
  page: { limit: number; offset: number },
): Promise<(UploadRow & { total: number })[]> =>
  querier.rows<UploadRow & { total: number }>(sql`
    select ${columns}, count(*) over ()::int as total from upload
    where owner_id = ${ownerId} and state <> 'done' and kind <> 'partial' and expires_at >= now()
    order by created_at desc, id limit ${page.limit} offset ${page.offset}`)

/** The finished file that was made of exactly these parts. */
export const findFinishedFinal = (
  querier: Querier,
  partIds: readonly string[],
  ownerId: number,
): Promise<UploadRow | undefined> =>
  querier.row<UploadRow>(sql`
    select ${columns} from upload where owner_id = ${ownerId} and kind = 'final' and state = 'done' and part_ids = ${partIds}::uuid[] limit 1`)

/** Moves the offset after the bytes are durable. False: somebody else moved it meanwhile, and these bytes do not count. */
export async function commitOffset(
  querier: Querier,
  upload: UploadRow,
  to: Progress,
  expiryHours: number,
): Promise<boolean> {
  const isWhole = to.offsetBytes === upload.lengthBytes
  const state = !isWhole ? 'receiving' : upload.kind === 'partial' ? 'done' : 'finalising'
  const touched = await querier.run(sql`
    update upload set offset_bytes = ${to.offsetBytes}, crc32 = ${to.crc32}, state = ${state}, updated_at = now(),
      expires_at = now() + make_interval(hours => ${expiryHours})
    where id = ${upload.id} and offset_bytes = ${upload.offsetBytes} and state = 'receiving'`)
  return touched === 1
}

/** The length of an upload that began without one. */
export const declareLength = (querier: Querier, id: string, lengthBytes: number): Promise<number> =>
  querier.run(
    sql`update upload set length_bytes = ${lengthBytes}, updated_at = now() where id = ${id} and length_bytes is null`,
  )

/** False when the upload was done already. */
export async function markDone(querier: Querier, id: string, progress: Progress, assetId: number): Promise<boolean> {
  const touched = await querier.run(sql`
    update upload set state = 'done', asset_id = ${assetId}, offset_bytes = ${progress.offsetBytes}, crc32 = ${progress.crc32}, error = null, updated_at = now()
    where id = ${id} and state in ('receiving', 'finalising')`)
  return touched === 1
}

export const markFailed = (querier: Querier, id: string, error: string): Promise<number> =>
  querier.run(
    sql`update upload set state = 'failed', error = ${error}, updated_at = now() where id = ${id} and state <> 'done'`,
  )

/** Ended assets keep the row of their upload for a while; everything else may go. */
export const deleteUploads = (querier: Querier, ids: readonly string[]): Promise<number> =>
  querier.run(sql`delete from upload where id = any(${ids}) and (state <> 'done' or kind = 'partial')`)

/** Bytes that unfinished uploads still expect. */
export async function promisedBytes(querier: Querier): Promise<number> {
  const row = await querier.row<{ bytes: number }>(sql`
    select coalesce(sum(length_bytes - offset_bytes), 0)::bigint as bytes from upload where state = 'receiving' and expires_at >= now()`)
  return row?.bytes ?? 0
}

/** Whole files whose asset was not made because the process ended. */
export const findInterruptedFinishes = (querier: Querier): Promise<UploadRow[]> =>
  querier.rows<UploadRow>(sql`
    select ${columns} from upload where state in ('receiving', 'finalising') and kind <> 'partial' and offset_bytes = length_bytes order by created_at limit 1000`)

export const findExpired = (querier: Querier, limit: number): Promise<{ id: string }[]> =>
  querier.rows<{ id: string }>(
    sql`select id from upload where (state <> 'done' or kind = 'partial') and expires_at < now() order by expires_at limit ${limit}`,
  )

/** Which of these ids are uploads whose incoming file still matters. */
export const findLive = (querier: Querier, ids: readonly string[]): Promise<{ id: string; offsetBytes: number }[]> =>
  querier.rows(sql`
    select id, offset_bytes as "offsetBytes" from upload
    where id = any(${ids}) and (state in ('receiving', 'finalising') or (kind = 'partial' and state = 'done'))`)

/** Finished uploads are kept a while so that a client that missed the answer can ask again. */
export const deleteOldUploads = (querier: Querier): Promise<number> =>
  querier.run(sql`delete from upload where state = 'done' and updated_at < now() - interval '7 days'`)
