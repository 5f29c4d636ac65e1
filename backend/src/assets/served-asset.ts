import { sql, type Querier } from '@dam/platform/database'
import { visibleAssets, type Principal } from '../people/access.ts'

export type ServedAsset = {
  id: number
  sha256: string
  sizeBytes: number
  filename: string
  mimeType: string
  previewState: 'pending' | 'ready' | 'unavailable' | 'failed' | 'refused'
  previewReason: string | null
  /** The `v` of its rendition addresses. */
  previewVersion: number
}

export type ServedRendition = { file: string; mimeType: string; sizeBytes: number; etag: string }

const assetColumns = sql`a.id, a.sha256, a.size_bytes as "sizeBytes", a.filename, a.mime_type as "mimeType", a.preview_state as "previewState",
  a.preview_reason as "previewReason", a.preview_version as "previewVersion"`

/** What delivery needs of one asset the caller may see; the trash is visible to those who may read it. */
export const findServedAsset = (querier: Querier, principal: Principal, id: number): Promise<ServedAsset | undefined> =>
  querier.row(sql`select ${assetColumns} from asset a where a.id = ${id} and ${visibleAssets(principal, 'all')}`)

type RenditionRow = ServedAsset & {
  file: string | null
  renditionMimeType: string
  renditionBytes: number
  madeAtMs: number
}

/** The same with one of its renditions. */
export async function findServedRendition(
  querier: Querier,
  principal: Principal,
  id: number,
  preset: string,
): Promise<{ asset: ServedAsset; rendition: ServedRendition | undefined } | undefined> {
  const row = await querier.row<RenditionRow>(sql`
    select ${assetColumns}, r.file, r.mime_type as "renditionMimeType", r.size_bytes as "renditionBytes",
      (extract(epoch from r.created_at) * 1000)::bigint as "madeAtMs"
    from asset a left join rendition r on r.sha256 = a.sha256 and r.preset = ${preset}
    where a.id = ${id} and ${visibleAssets(principal, 'all')}`)
  if (!row) return undefined
  const { file, renditionMimeType, renditionBytes, madeAtMs, ...asset } = row
  if (file === null) return { asset, rendition: undefined }
  const etag = `"${asset.sha256.slice(0, 32)}-${preset}-${madeAtMs.toString(36)}"`
  return { asset, rendition: { file, mimeType: renditionMimeType, sizeBytes: renditionBytes, etag } }
}

/** Which of these the principal may see now, with the version of their renditions. */
export const findStillVisible = (
  querier: Querier,
  principal: Principal,
  ids: readonly number[],
): Promise<{ id: number; previewVersion: number }[]> =>
  querier.rows(
    sql`select a.id, a.preview_version as "previewVersion" from asset a where a.id = any(${ids}::bigint[]) and ${visibleAssets(principal, 'all')}`,
  )
