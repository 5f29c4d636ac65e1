import { createHash } from 'node:crypto'
import type { Asset } from '@dam/contract'
import { sql, type Querier, type Sql } from '@dam/platform/database'
import { statementName } from './statement-name.ts'
import { ownerColumns, summaryColumns, type Owner, type SummaryRow } from './asset-row.ts'
import { presentSummary, renditionUrl, type View } from './present-summary.ts'

type DetailRow = SummaryRow &
  Owner & {
    metadata: Asset['metadata'] | null
    exif: Asset['exif'] | null
    collections: Asset['collections']
    duplicates: Asset['duplicates']
    renditions: { preset: string; mime_type: string; width: number; height: number; size: number }[]
  }

/** One asset with everything known about it, or undefined where the caller may not see it. */
export async function findAssetDetail(
  querier: Querier,
  id: number,
  visible: Sql,
  view: View,
): Promise<Asset | undefined> {
  const statement = sql`
    select ${summaryColumns}, ${ownerColumns}, e.fields as metadata, e.raw as exif,
      (select coalesce(json_agg(json_build_object('id', place.id, 'name', place.name, 'path', place.path) order by place.path), '[]') from (
        select c.id, c.name, (
          with recursive up (parent_id, path, depth) as (
            select c.parent_id, c.name, 1
            union all select p.parent_id, p.name || '/' || up.path, depth + 1 from up join collection p on p.id = up.parent_id where depth < 100)
          select path from up where parent_id is null) as path
        from collection_asset ca join collection c on c.id = ca.collection_id where ca.asset_id = a.id offset 0) place) as collections,
      (select coalesce(json_agg(json_build_object('id', d.id, 'label', d.label, 'filename', d.filename) order by d.id), '[]') from (
        select a.id, a.label, a.filename from asset a where a.sha256 = self.sha256 and a.id <> self.id and a.trashed_at is null and ${visible}
        order by a.id limit 50) d) as duplicates,
      (select coalesce(json_agg(json_build_object('preset', r.preset, 'mime_type', r.mime_type, 'width', r.width, 'height', r.height, 'size', r.size_bytes) order by r.width), '[]')
        from rendition r where r.sha256 = a.sha256) as renditions
    from asset a cross join lateral (select a.id, a.sha256) self left join account o on o.id = a.owner_id left join asset_embedded e on e.asset_id = a.id
    where a.id = ${id} and ${visible}`
  // Prepared, because planning it takes longer than running it.
  const [row] = await querier.prepared<DetailRow>(statementName('asset', statement), statement.text, statement.values)
  if (!row) return undefined
  return {
    ...presentSummary(row, view),
    metadata: row.metadata ?? {},
    exif: row.exif ?? {},
    collections: row.collections,
    renditions: row.renditions.map((rendition) => ({
      ...rendition,
      url: renditionUrl(view.origin, row.id, rendition.preset, row.preview_version),
    })),
    duplicates: row.duplicates,
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 16)

/** Changes when, and only when, somebody changed what people edit. */
export const editTagOf = (asset: { label: string; description: string; tags: readonly string[] }): string =>
  digest(JSON.stringify([asset.label, asset.description, asset.tags]))

/** Strong validator of the JSON text of one asset: its first part stands for what people edit, its second for all of it. */
export const etagOf = (asset: Asset, text: string): string => `"${editTagOf(asset)}.${digest(text)}"`

/**
 * Whether a write with this `If-Match` would overwrite nobody's edit. Only the edited part of the tag counts: a preview that became ready
 * meanwhile is no conflict. Proxies that compress weaken tags (`W/`), which must not stop an editor.
 */
export const allowsEdit = (
  ifMatch: string | undefined,
  asset: { label: string; description: string; tags: readonly string[] },
): boolean =>
  ifMatch === undefined ||
  ifMatch.trim() === '*' ||
  tagsIn(ifMatch).some((tag) => tag.split('.', 1)[0] === editTagOf(asset))

/** Whether the client's copy is current. */
export const isCurrent = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined && (ifNoneMatch.trim() === '*' || tagsIn(ifNoneMatch).includes(etag.slice(1, -1)))

const tagsIn = (header: string): string[] => [...header.matchAll(/(?:W\/)?"([^"]*)"/g)].map(([, tag]) => tag as string)
