import { sql, type Querier } from '@dam/platform/database'

/** A holder of which nothing was heard for this long has lost the upload to whoever wants it. */
export const holdSeconds = 2.5

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
  /** Under which this row was read; one who holds an older grip changes nothing. */
  grip: number
  /** Name of the file below the folder of incoming files. */
  incomingName: string
  /** A holder that did not let go may still write to that file. */
  fileDisputed: boolean
}

export const uploadColumns = sql`id, owner_id as "ownerId", kind, length_bytes as "lengthBytes", offset_bytes as "offsetBytes", crc32, filename,
  relative_path as "relativePath", collection_id as "collectionId", metadata, declared_sha256 as "declaredSha256", part_ids as "partIds",
  state, error, asset_id as "assetId", created_at as "createdAt", expires_at as "expiresAt", expires_at < now() as expired,
  grip, id || case when file_grip = 0 then '' else '.' || file_grip end as "incomingName", file_disputed as "fileDisputed"`

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
  more: Progress & { expiryHours: number; assetId?: number; holder?: string },
): Promise<UploadRow> {
  const row = await querier.row<UploadRow>(sql`
    insert into upload (id, owner_id, kind, length_bytes, offset_bytes, crc32, filename, relative_path, collection_id, metadata,
      declared_sha256, part_ids, state, asset_id, grip, holder, held_until, expires_at)
    values (${upload.id}, ${upload.ownerId}, ${upload.kind}, ${upload.lengthBytes}, ${more.offsetBytes}, ${more.crc32}, ${upload.filename},
      ${upload.relativePath}, ${upload.collectionId}, ${JSON.stringify(upload.metadata)}::jsonb, ${upload.declaredSha256}, ${upload.partIds},
      ${more.assetId === undefined ? 'receiving' : 'done'}, ${more.assetId ?? null}, ${more.holder === undefined ? 0 : 1}, ${more.holder ?? null},
      ${more.holder === undefined ? null : holdSeconds}::float8 * interval '1 second' + now(), now() + make_interval(hours => ${more.expiryHours}))
    returning ${uploadColumns}`)
  if (!row) throw new Error('insert returned no row')
  return row
}

export const findUpload = (querier: Querier, id: string, ownerId: number): Promise<UploadRow | undefined> =>
  querier.row<UploadRow>(sql`select ${uploadColumns} from upload where id = ${id} and owner_id = ${ownerId}`)

export const findUploads = (querier: Querier, ids: readonly string[], ownerId: number): Promise<UploadRow[]> =>
  querier.rows<UploadRow>(sql`select ${uploadColumns} from upload where id = any(${ids}) and owner_id = ${ownerId}`)

/** Uploads of one user that can be resumed or have failed, newest first. */
export const findUnfinishedUploads = (
  querier: Querier,
  ownerId: number,
  page: { limit: number; offset: number },
): Promise<(UploadRow & { total: number })[]> =>
  querier.rows<UploadRow & { total: number }>(sql`
    select ${uploadColumns}, count(*) over ()::int as total from upload
    where owner_id = ${ownerId} and state <> 'done' and kind <> 'partial' and expires_at >= now()
    order by created_at desc, id limit ${page.limit} offset ${page.offset}`)

/** The finished file that was made of exactly these parts. */
export const findFinishedFinal = (
  querier: Querier,
  partIds: readonly string[],
  ownerId: number,
): Promise<UploadRow | undefined> =>
  querier.row<UploadRow>(sql`
    select ${uploadColumns} from upload where owner_id = ${ownerId} and kind = 'final' and state = 'done' and part_ids = ${partIds}::uuid[] limit 1`)

/** Moves the offset after the bytes are durable. False: somebody else took the upload meanwhile, and these bytes do not count. */
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
    where id = ${upload.id} and grip = ${upload.grip} and offset_bytes = ${upload.offsetBytes} and state = 'receiving'`)
  return touched === 1
}

/** The length of an upload that began without one. */
export const declareLength = (
  querier: Querier,
  upload: Pick<UploadRow, 'id' | 'grip'>,
  lengthBytes: number,
): Promise<number> =>
  querier.run(
    sql`update upload set length_bytes = ${lengthBytes}, updated_at = now() where id = ${upload.id} and grip = ${upload.grip} and length_bytes is null`,
  )

/** False when the upload was done already or somebody else took it. */
export async function markDone(
  querier: Querier,
  upload: Pick<UploadRow, 'id' | 'grip'>,
  progress: Progress,
  assetId: number,
): Promise<boolean> {
  const touched = await querier.run(sql`
    update upload set state = 'done', asset_id = ${assetId}, offset_bytes = ${progress.offsetBytes}, crc32 = ${progress.crc32}, error = null, updated_at = now()
    where id = ${upload.id} and grip = ${upload.grip} and state in ('receiving', 'finalising')`)
  return touched === 1
}

/** 0 when it is done, or somebody else took it. */
export const markFailed = (querier: Querier, upload: Pick<UploadRow, 'id' | 'grip'>, error: string): Promise<number> =>
  querier.run(
    sql`update upload set state = 'failed', error = ${error}, updated_at = now() where id = ${upload.id} and grip = ${upload.grip} and state <> 'done'`,
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
    select ${uploadColumns} from upload where state in ('receiving', 'finalising') and kind <> 'partial' and offset_bytes = length_bytes order by created_at limit 1000`)

/** Deletes uploads that nobody continued in time and on which nobody works. Gives the names of their files. */
export const deleteExpired = async (querier: Querier, limit: number): Promise<string[]> => {
  const deleted = await querier.rows<{ incomingName: string }>(sql`
    delete from upload where id in (
      select id from upload where (state <> 'done' or kind = 'partial') and expires_at < now()
        and (held_until is null or held_until < now())
      order by expires_at limit ${limit} for update skip locked)
    returning ${uploadColumns}`)
  return deleted.map(({ incomingName }) => incomingName)
}

/** Which of these ids are uploads whose incoming file still matters. */
export const findLive = (querier: Querier, ids: readonly string[]): Promise<UploadRow[]> =>
  querier.rows<UploadRow>(sql`
    select ${uploadColumns} from upload
    where id = any(${ids}) and (state in ('receiving', 'finalising') or (kind = 'partial' and state = 'done'))`)

/** Finished uploads are kept a while so that a client that missed the answer can ask again. */
export const deleteOldUploads = (querier: Querier): Promise<number> =>
  querier.run(sql`delete from upload where state = 'done' and updated_at < now() - interval '7 days'`)
